"""One order: what was bought, where it is, and paying what isn't paid."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.text import capfirst

from apps.core.addresses import address_lines
from apps.core.files import PDF, private_file
from apps.core.money import money_json
from apps.invoices.models import Invoice
from apps.invoices.selectors import invoice_of, invoices_of
from apps.invoices.services import pdf_of
from apps.orders import states
from apps.orders.models import Order
from apps.orders.selectors import order_for_shopper, order_json
from apps.payments.models import Payment
from apps.payments.selectors import due, open_attempt, payments_of
from apps.payments.services import PaymentDeclined, look_again, start_payment
from apps.returns.models import ReturnPhoto, ReturnRequest
from apps.returns.selectors import Terms, terms_of
from apps.shop.pages.base import Page
from apps.shop.pages.checkout import (
    form_of,
    next_address,
    order_address,
    paid_by,
    returned_address,
    ways_to_pay,
)
from apps.shop.pages.paying import show_form

# What an order waits for: the shopper, the bank, or nothing.
WAITING, CHECKING, DECIDED = "waiting", "checking", "decided"


class OrderPage(Page):
    """A customer's own order, or a guest's by `?token=`; anything else isn't there."""

    back = "home"

    def order(self, number: str) -> Order:
        return order_for_shopper(
            number=number[:30],
            customer_id=self.customer.pk if self.customer else None,
            # The first one: PayPal puts a `token` of its own behind ours.
            token=next(iter(self.request.GET.getlist("token")), "")[:100],
        )

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        if "returned" in request.GET:
            look_again(order=order)
            return redirect(_after_return(order, request.GET.get("redirect_status", "")))
        last = _last(order)
        state = _state(order, last)
        waits = state == WAITING
        payer = None if self.impersonator else order.customer
        document = order_json(order)
        timeline = document["timeline"]
        return self.show(
            "order",
            order=document,
            happened=[(e["created_at"], text) for e in timeline if (text := _words(e))],
            address=address_lines(order.shipping_address),
            **(ways_to_pay(order.store_id, payer) if waits else {"methods": []}),
            redirect_url=last.redirect_url if waits and last and _is_open(last) else "",
            refused=last.error_message if waits and last else "",
            pay_address=order_address(order),
            state=state,
            checking=state == CHECKING or (waits and "checking" in request.GET),
            status_address=order_address(order, "order-status"),
            again_address=returned_address(order),
            papers=[
                (paper, money_json(paper.total, paper.currency), _paper_address(order, paper))
                for paper in invoices_of(order)
            ],
            **_comes_back(order),
        )

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        choice = paid_by(request, order.store_id)
        payment = start_payment(
            order=order,
            gateway_code=choice.pop("gateway", ""),
            **choice,
            return_url=request.build_absolute_uri(returned_address(order)),
        )
        if payment.status == Payment.Status.FAILED:
            messages.error(request, payment.error_message or str(PaymentDeclined.message))
        return redirect(next_address(order, payment))


class PayPage(OrderPage):
    """The gateway's own form for a payment that was begun; any other order has its page."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        payment = open_attempt(payments_of(order))
        form = form_of(payment) if payment else None
        if payment is None or form is None:
            return redirect(order_address(order))
        back, returned = order_address(order), returned_address(order)
        return show_form(self, order, payment, form, back=back, returned=returned)


class InvoiceFile(OrderPage):
    """One of the order's invoices or credit notes, as PDF."""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, number: str, invoice_id: UUID) -> HttpResponseBase:
        invoice = invoice_of(self.order(number), invoice_id)
        return private_file(pdf_of(invoice=invoice), f"{invoice.number}.pdf", PDF, is_shown=True)


class OrderStatus(OrderPage):
    """What a page that waits asks: has it been decided?"""

    http_method_names = ["get", "head"]

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        return JsonResponse({"state": _state(order, _last(order))})


def _comes_back(order: Order) -> dict[str, Any]:
    """The order's returns, and where to ask for one or to withdraw from the contract."""
    stands = order.status not in (states.PENDING, states.CANCELLED)
    terms = terms_of(order) if stands else []
    return {
        "returns": [(made, return_address(order, made)) for made in order.returns.order_by("pk")],
        "return_address": order_address(order, "ask-return")
        if any(one.pieces for one in terms)
        else "",
        "withdraw_address": withdraw_address(order, terms),
    }


def return_address(order: Order, made: ReturnRequest, photo: ReturnPhoto | None = None) -> str:
    """The page of a return, or a photo of it, with a guest's key if a guest's it is."""
    path = reverse("shop:return", args=[order.number, made.public_id])
    if photo is not None:
        path = reverse("shop:return-photo", args=[order.number, made.public_id, photo.public_id])
    _page, mark, query = order_address(order).partition("?")
    return path + mark + query


def label_address(order: Order, made: ReturnRequest) -> str:
    """The label of a return, with a guest's key."""
    path = reverse("shop:return-label", args=[order.number, made.public_id])
    _page, mark, query = order_address(order).partition("?")
    return path + mark + query


def withdraw_address(order: Order, terms: Sequence[Terms]) -> str:
    """Where the contract can be withdrawn from; "" if it can't."""
    can = any(one.has_withdrawal for one in terms)
    return order_address(order, "withdraw-order") if can else ""


def _last(order: Order) -> Payment | None:
    return max(order.payments.all(), key=lambda payment: payment.pk, default=None)


def _state(order: Order, last: Payment | None) -> str:
    """Whether an order waits for the shopper, for the bank, or for nothing."""
    if order.status != states.PENDING:
        return DECIDED
    if last is not None and last.status == Payment.Status.PROCESSING:
        return CHECKING
    return WAITING if due(order, payments_of(order)) > 0 else DECIDED


def _after_return(order: Order, told: str) -> str:
    """Where who comes back goes: the gateway may not know yet what it told the browser."""
    payment = open_attempt(payments_of(order))
    if payment is not None and told == "succeeded":
        return order_address(order, checking="1")
    return order_address(order)


def _words(entry: dict[str, Any]) -> str:
    """What an entry of the timeline says; of a mere change, where it led."""
    labels = dict(Order.Status.choices)
    return entry["message"] or str(capfirst(labels.get(entry["to_status"], "")))


def _paper_address(order: Order, paper: Invoice) -> str:
    """With a guest's key, if a guest's it is."""
    address = reverse("shop:invoice", args=[order.number, paper.public_id])
    return address if order.customer_id else f"{address}?{urlencode({'token': order.token})}"


def _is_open(payment: Payment) -> bool:
    return payment.status == Payment.Status.REQUIRES_ACTION
