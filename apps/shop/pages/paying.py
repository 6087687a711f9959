"""Paying by a gateway's own form, and by a link what an order still owes."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import add_never_cache_headers

from apps.core.money import money_json
from apps.orders import states
from apps.orders.models import Order
from apps.orders.selectors import order_json, orders_for_reading
from apps.payments.gateways.base import BrowserForm
from apps.payments.models import PayLink, Payment
from apps.payments.selectors import due, open_attempt, pay_link_for, payments_of
from apps.payments.services import PaymentDeclined, look_again, pay_by_link
from apps.shop.pages.base import Page
from apps.shop.pages.checkout import form_of, paid_by, payment_methods

PAYABLE, CHECKING, PAID, CLOSED = "payable", "checking", "paid", "closed"
# Somebody agreed to pay, or may be charged; the money isn't here.
AGREED = "agreed"


def show_form(
    page: Page, order: Order, payment: Payment, form: BrowserForm, *, back: str, returned: str
) -> HttpResponse:
    """The gateway's form; `back` leads to the other ways to pay, `returned` is where it ends."""
    response = page.show(
        "pay",
        order=order_json(order),
        form=form,
        amount=money_json(payment.amount, payment.currency),
        secret=payment.client_secret,
        refused=payment.error_message,
        return_url=page.request.build_absolute_uri(returned),
        other_address=back,
    )
    # The gateway's script may run on this page alone.
    response._csp_update = dict(form.policy)  # type: ignore[attr-defined]
    add_never_cache_headers(response)
    return response


class PayLinkPage(Page):
    """What an order still owes, for whoever has the link. It says nothing else of the order."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        response = super().dispatch(request, *args, **kwargs)
        # The address is the key: it goes into no index. (No Referer carries it elsewhere, either:
        # SECURE_REFERRER_POLICY.)
        response["X-Robots-Tag"] = "noindex"
        return response

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        link = pay_link_for(token)
        if "returned" in request.GET:
            look_again(order=link.order)
            return redirect(_address(link, told=request.GET.get("redirect_status", "")))
        payments = payments_of(link.order)
        amount = due(link.order, payments)
        state = _state(link, payments, amount)
        attempt = open_attempt(payments) if state == PAYABLE else None
        last = payments[-1] if payments else None
        response = self.show(
            "pay_link",
            link=link,
            number=link.order.number,
            amount=money_json(amount, link.order.currency),
            state=state,
            checking=state == CHECKING or (state == PAYABLE and "checking" in request.GET),
            methods=payment_methods(link.order.store_id) if state == PAYABLE else [],
            redirect_url=attempt.redirect_url if attempt else "",
            refused=last.error_message if state == PAYABLE and last else "",
            again_address=_address(link, "returned"),
        )
        add_never_cache_headers(response)
        return response

    def post(self, request: HttpRequest, token: str) -> HttpResponse:
        link = pay_link_for(token)
        choice = paid_by(request, link.order.store_id)
        payment = pay_by_link(
            link=link,
            # Whoever has the link isn't known to be the customer: what is kept isn't theirs.
            gateway_code=choice.get("gateway", ""),
            method=choice.get("method", ""),
            return_url=request.build_absolute_uri(_address(link, "returned")),
        )
        if payment.status == Payment.Status.FAILED:
            messages.error(request, payment.error_message or str(PaymentDeclined.message))
        if form_of(payment):
            return redirect("shop:pay-link-form", link.token)
        return redirect(_address(link))


class PayLinkForm(PayLinkPage):
    """The gateway's own form for a payment that the link began."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, token: str) -> HttpResponse:
        link = pay_link_for(token)
        payment = open_attempt(payments_of(link.order))
        form = form_of(payment) if payment else None
        if payment is None or form is None or link.state != PayLink.State.OPEN:
            return redirect(_address(link))
        order = orders_for_reading().get(pk=link.order_id)
        returned = _address(link, "returned")
        return show_form(self, order, payment, form, back=_address(link), returned=returned)


def _address(link: PayLink, query: str = "", *, told: str = "") -> str:
    """The link's page; `told` is what the gateway told the browser, which it may know first."""
    if told == "succeeded" and open_attempt(payments_of(link.order)):
        query = "checking"
    return reverse("shop:pay-link", args=[link.token]) + (f"?{query}=1" if query else "")


def _state(link: PayLink, payments: list[Payment], amount: int) -> str:
    if link.order.status == states.CANCELLED:
        return CLOSED
    if not amount:
        authorized = any(payment.status == Payment.Status.AUTHORIZED for payment in payments)
        return AGREED if authorized else PAID
    if link.state != PayLink.State.OPEN:
        return CLOSED
    processing = any(payment.status == Payment.Status.PROCESSING for payment in payments)
    return CHECKING if processing else PAYABLE
