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
from apps.shop.pages.base import Page
from apps.shop.pages.forms import LineForm, QuantityForm

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


def cart_document(cart: Cart) -> dict[str, Any]:
    """The API's document of a cart, each line with its own `problems`.

    Beside them `general` ones, whether it is shipped, and whether nothing is left to pay.
    """
    view = view_cart(cart)
    document = cart_json(view)
    of_lines: dict[str | None, list[dict[str, Any]]] = {}
    for problem in document["problems"]:
        of_lines.setdefault(problem["line_id"], []).append(problem)
    for line in document["lines"]:
        line["problems"] = of_lines.get(line["id"], [])
    document["requires_shipping"] = view.quote.requires_shipping
    document["is_paid"] = view.due == 0
    document["general"] = [p for p in of_lines.get(None, []) if p["code"] not in LATER]
    return document


class CartPage(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        cart = self.open_cart
        return self.show("cart", cart=cart_document(cart) if cart else None)


class _Change(Page):
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
        form = QuantityForm(request.POST)
        if "remove" in request.POST or (form.is_valid() and not form.cleaned_data["quantity"]):
            services.remove_line(cart=self.the_cart(), line_id=str(line_id))
        elif form.is_valid():
            services.change_line(cart=self.the_cart(), line_id=str(line_id), **form.cleaned_data)
        else:
            raise WrongQuantity()
        return self.go("cart")


class Codes(_Change):
    """Discount codes and gift cards, put on and taken off."""

    def post(self, request: HttpRequest) -> HttpResponse:
        cart, data = self.the_cart(), request.POST
        if "remove" in data:
            services.remove_code(cart=cart, code=data["remove"])
        elif "remove_card" in data:
            services.remove_gift_card(cart=cart, last4=data["remove_card"])
        else:
            services.add_code(cart=cart, code=data.get("code", "")[:40])
        return self.go("cart")
