"""The cart: what is in it, and what stands in the way of ordering it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.checkout import services
from apps.checkout.models import Cart
from apps.checkout.selectors import cart_json, view_cart
from apps.core.errors import DomainError, NotFound
from apps.core.money import money_json
from apps.payments.selectors import store_credit_of
from apps.shop.pages.base import WRITE, Page
from apps.shop.pages.forms import LineForm, QuantityForm, RecipientForm

# What the steps of the checkout ask for.
LATER = (
    "empty",
    "missing_email",
    "missing_address",
    "missing_shipping_method",
    "shipping_unavailable",
)


class WrongQuantity(DomainError):
    code = "wrong_quantity"
    message = gettext_lazy("Choose an item and how many of it.")


class WrongRecipient(DomainError):
    code = "wrong_recipient"
    message = gettext_lazy("Give the e-mail address of who gets the gift card.")


def cart_document(cart: Cart) -> dict[str, Any]:
    """The API's document of a cart, each line with its own `problems` and its variant's `rule`.

    Beside them `general` ones, whether it is shipped, and whether nothing is left to pay.
    """
    view = view_cart(cart)
    document = cart_json(view)
    of_lines: dict[str | None, list[dict[str, Any]]] = {}
    for problem in document["problems"]:
        of_lines.setdefault(problem["line_id"], []).append(problem)
    for line, shown in zip(document["lines"], view.lines, strict=True):
        line["problems"] = of_lines.get(line["id"], [])
        line["rule"] = shown.line.variant
        line["is_gift_card"] = shown.line.variant.product.is_gift_card
    document["requires_shipping"] = view.quote.requires_shipping
    document["is_paid"] = view.due == 0
    document["general"] = [p for p in of_lines.get(None, []) if p["code"] not in LATER]
    return document


class CartPage(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        cart = self.open_cart
        document = cart_document(cart) if cart else None
        return self.show("cart", cart=document, credit=self._credit(cart) if cart else None)

    def _credit(self, cart: Cart) -> dict[str, str] | None:
        """What the customer has to spend in the cart's currency."""
        accounts = store_credit_of(cart.customer) if cart.customer else []
        found = (a.balance for a in accounts if a.currency == cart.currency and a.balance)
        return next((money_json(balance, cart.currency) for balance in found), None)


class _Change(Page):
    by_staff = WRITE
    back = "cart"

    def the_cart(self) -> Cart:
        if self.open_cart is None:
            raise NotFound()
        return self.open_cart


class AddLine(_Change):
    def post(self, request: HttpRequest) -> HttpResponse:
        form = LineForm(request.POST)
        if not form.is_valid():
            raise WrongQuantity()
        services.add_line(cart=self.need_cart(), **form.cleaned_data)
        messages.success(request, _("It is in your cart."))
        return self.go("cart")


class ChangeLine(_Change):
    def post(self, request: HttpRequest, line_id: UUID) -> HttpResponse:
        if "recipient" in request.POST:
            return self._send(str(line_id))
        form = QuantityForm(request.POST)
        if "remove" in request.POST or (form.is_valid() and not form.cleaned_data["quantity"]):
            services.remove_line(cart=self.the_cart(), line_id=str(line_id))
        elif form.is_valid():
            services.change_line(cart=self.the_cart(), line_id=str(line_id), **form.cleaned_data)
        else:
            raise WrongQuantity()
        return self.go("cart")

    def _send(self, line_id: str) -> HttpResponse:
        """Say who gets the line's gift cards: nobody else, if no address is given."""
        form = RecipientForm(self.request.POST)
        if not form.is_valid():
            raise WrongRecipient()
        recipient = form.cleaned_data if form.cleaned_data["recipient_email"] else None
        services.change_line(cart=self.the_cart(), line_id=line_id, gift_card=recipient)
        return self.go("cart")


class Codes(_Change):
    """Discount codes, gift cards and store credit, put on and taken off."""

    def post(self, request: HttpRequest) -> HttpResponse:
        cart, data = self.the_cart(), request.POST
        if "remove" in data:
            services.remove_code(cart=cart, code=data["remove"])
        elif "remove_card" in data:
            services.remove_gift_card(cart=cart, last4=data["remove_card"])
        elif "use_credit" in data:
            services.use_store_credit(cart=cart)
        elif "leave_credit" in data:
            services.leave_store_credit(cart=cart)
        else:
            services.add_code(cart=cart, code=data.get("code", "")[:40])
        return self.go("cart")
