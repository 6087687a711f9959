"""The way to the order: address, delivery, payment. Each step is a page of its own."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _

from apps.checkout import services
from apps.checkout.models import Cart
from apps.checkout.selectors import offers_json, order_of
from apps.core.errors import DomainError
from apps.core.impersonation import NotForStaff
from apps.core.money import Money, MoneyError
from apps.customers.models import Customer
from apps.orders.models import Order
from apps.payments.gateways import UnknownGateway, gateway_of
from apps.payments.gateways.base import BrowserForm
from apps.payments.models import GatewayAccount, Payment
from apps.payments.selectors import can_save, offered_gateways, usable_methods
from apps.payments.services import PaymentDeclined
from apps.pricing.services import ShippingUnavailable
from apps.shop.pages.base import WRITE, Page
from apps.shop.pages.cart import cart_document
from apps.shop.pages.forms import AddressForm

# Which step asks for what a cart still lacks.
STEP_OF = {
    "missing_email": "checkout",
    "missing_address": "checkout",
    "missing_shipping_method": "shipping",
    "shipping_unavailable": "shipping",
}


# In place of a gateway: a card that one keeps for the shopper.
SAVED = "saved"


def payment_methods(store_id: int, customer: Customer | None = None) -> list[tuple[str, Any]]:
    """What there is to pay by in a store: "gateway:method", and its name.

    Without a method: by the gateway's own form, on a page of its own. A customer's saved cards
    come first, as "saved:id".
    """
    until = _("%(card)s, valid until %(expiry)s")
    saved = [
        (f"{SAVED}:{each.public_id}", until % {"card": each, "expiry": each.expiry})
        for each in usable_methods(customer, store_id)
    ]
    offered = offered_gateways(store_id)
    forms = [
        (f"{each.code}:", _title(each.browser_form.name, account))
        for each, account in offered
        if each.browser_form
    ]
    plain = [
        (f"{each.code}:{method}", _title(name, account))
        for each, account in offered
        for method, name in each.plain_methods
    ]
    return saved + forms + plain


def ways_to_pay(store_id: int, customer: Customer | None = None) -> dict[str, Any]:
    """What `_pay_by.html` offers to a customer, or to a guest."""
    return {
        "methods": payment_methods(store_id, customer),
        "can_save": customer is not None and can_save(store_id),
    }


def _title(name: Any, account: GatewayAccount | None) -> Any:
    """The account's own title, and whether it is a rehearsal."""
    if account is None:
        return name
    title = account.title or name
    return _("%(title)s (test: no money moves)") % {"title": title} if account.is_test else title


def order_address(order: Order, page: str = "order", **query: str) -> str:
    """Where an order is shown, or a page beside it; with a guest's key, if a guest's it is."""
    token = {} if order.customer_id else {"token": order.token}
    found = urlencode({**token, **query})
    return reverse(f"shop:{page}", args=[order.number]) + (f"?{found}" if found else "")


def returned_address(order: Order) -> str:
    """The same for who comes back from the bank: what is undecided is asked about first."""
    return order_address(order, returned="1")


def next_address(order: Order, payment: Payment | None) -> str:
    """Where a shopper goes on: to the gateway's form while that is what is waited for."""
    if payment is not None and form_of(payment):
        return order_address(order, "pay")
    return order_address(order)


def form_of(payment: Payment) -> BrowserForm | None:
    """The gateway's form that finishes a payment; None for any other that is open, or isn't."""
    waits = payment.status == Payment.Status.REQUIRES_ACTION and not payment.redirect_url
    if not waits or payment.method or not payment.client_secret:
        return None
    try:
        return gateway_of(payment).browser_form
    except UnknownGateway:
        return None


def paid_by(request: HttpRequest, store_id: int) -> dict[str, Any]:
    """What the form says of paying, of `payment_methods()` or not, as a `PaymentChoice` names it.

    The wish to have the card kept is heard where the gateway keeps any.
    """
    code, _colon, method = request.POST.get("pay_by", "").partition(":")
    if code == SAVED:
        with suppress(ValueError):
            return {"saved_method": UUID(method)}
    keeps = any(each.can_save for each, _account in offered_gateways(store_id) if each.code == code)
    wanted = keeps and "save_method" in request.POST
    return {"gateway": code, "method": method[:120], "save_method": wanted}


class _Step(Page):
    """A step of the checkout; without anything in the cart there is none."""

    back = "payment"
    by_staff = WRITE

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if self.cart is None or (self.open_cart and not self.cart.lines.exists()):
            return redirect("shop:cart")
        if self.open_cart is None and (order := order_of(self.cart)):
            return redirect(order_address(order))
        return super().dispatch(request, *args, **kwargs)

    @property
    def basket(self) -> Cart:
        """The cart, of which `dispatch` knows that it is there."""
        assert self.cart is not None  # noqa: S101
        return self.cart


class AddressStep(_Step):
    def get(self, request: HttpRequest) -> HttpResponse:
        return self._form(AddressForm(initial=self._known()))

    def post(self, request: HttpRequest) -> HttpResponse:
        form = AddressForm(request.POST)
        if "country_only" in request.POST:
            return self._form(AddressForm(initial=request.POST.dict()))
        if not form.is_valid():
            return self._form(form, status=400)
        changes = {"email": form.cleaned_data["email"], "shipping_address": form.address}
        services.update_cart(cart=self.basket, changes=changes)
        return self.go("shipping")

    def _form(self, form: AddressForm, status: int = 200) -> HttpResponse:
        return self.show("address", status, form=form, step="checkout")

    def _known(self) -> dict[str, str]:
        """What the cart has, or the customer's address book."""
        address = dict(self.basket.shipping_address or {})
        if not address and self.customer:
            kept = self.customer.addresses.order_by("-is_default_shipping", "pk").values().first()
            address = kept or {
                "first_name": self.customer.first_name,
                "last_name": self.customer.last_name,
            }
        return {"country": self.store.country, **address, "email": self.basket.email}


class ShippingStep(_Step):
    back = "shipping"

    def get(self, request: HttpRequest) -> HttpResponse:
        offers = services.offer_shipping(cart=self.basket)
        cart = cart_document(self.basket)
        if not cart["requires_shipping"]:
            return self.go("payment")
        offered = offers_json(offers, self.basket.currency)
        return self.show("shipping", cart=cart, offers=offered, step="shipping")

    def post(self, request: HttpRequest) -> HttpResponse:
        chosen = request.POST.get("method", "")
        if chosen not in {offer.code for offer in services.offer_shipping(cart=self.basket)}:
            raise ShippingUnavailable(_("Choose how it is shipped."))
        services.update_cart(cart=self.basket, changes={"shipping_method": chosen})
        return self.go("payment")


class PaymentStep(_Step):
    """The whole order once more, and how it is paid."""

    def get(self, request: HttpRequest) -> HttpResponse:
        cart = cart_document(self.basket)
        for problem in cart["problems"]:
            if problem["code"] in STEP_OF:
                return self.go(STEP_OF[problem["code"]])
        # A card that the customer had kept is the customer's to pay by.
        ways = ways_to_pay(self.store.pk, None if self.impersonator else self.basket.customer)
        return self.show("payment", cart=cart, step="payment", **ways)

    def post(self, request: HttpRequest) -> HttpResponse:
        paid = paid_by(request, self.store.pk)
        if self.impersonator and (paid.get("saved_method") or paid.get("save_method")):
            raise NotForStaff()
        choice = services.PaymentChoice(
            **paid,
            return_url=request.build_absolute_uri(reverse("shop:returned")),
        )
        try:
            placed = services.place_order(
                cart=self.basket, payment=choice, expected_total=self._seen_total()
            )
        except PaymentDeclined as error:
            messages.error(request, str(error))
            order = order_of(self.basket)
            if order is None:
                raise
            return redirect(order_address(order))
        return redirect(next_address(placed.order, placed.payment))

    def _seen_total(self) -> Money | None:
        """The sum on the page that was sent: another one must be seen first."""
        try:
            return Money.of(self.request.POST.get("total", ""), self.basket.currency)
        except MoneyError:
            return None

    def refuse(self, error: DomainError) -> HttpResponse:
        """What the shop changed is told beside the lines; what is missing, by its step."""
        if error.code in ("out_of_stock", "unavailable", "cart_incomplete", "code_unusable"):
            self.back = "cart"
        return super().refuse(error)


class Returned(Page):
    """Back from the bank: the order of the cart at hand."""

    def get(self, request: HttpRequest) -> HttpResponse:
        order = self.cart and order_of(self.cart)
        if not order:
            return self.go("cart")
        return redirect(returned_address(order))
