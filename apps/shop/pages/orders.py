"""One order: what was bought, where it is, and paying what isn't paid."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.text import capfirst

from apps.core.addresses import address_lines
from apps.orders import states
from apps.orders.models import Order
from apps.orders.selectors import order_for_shopper, order_json
from apps.payments.models import Payment
from apps.payments.selectors import due
from apps.payments.services import PaymentDeclined, look_again, start_payment
from apps.shop.pages.base import Page
from apps.shop.pages.checkout import order_address, paid_by, payment_methods, returned_address


class OrderPage(Page):
    """A customer's own order, or a guest's by `?token=`; anything else isn't there."""

    back = "home"

    def order(self, number: str) -> Order:
        return order_for_shopper(
            number=number[:30],
            customer_id=self.customer.pk if self.customer else None,
            token=self.request.GET.get("token", "")[:100],
        )

    def get(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        if "returned" in request.GET:
            look_again(order=order)
            return redirect(order_address(order))
        payments = sorted(order.payments.all(), key=lambda payment: payment.pk)
        last = payments[-1] if payments else None
        under_way = last is not None and last.status == Payment.Status.PROCESSING
        waits = order.status == states.PENDING and not under_way and due(order, payments) > 0
        document = order_json(order)
        timeline = document["timeline"]
        return self.show(
            "order",
            order=document,
            happened=[(e["created_at"], text) for e in timeline if (text := _words(e))],
            address=address_lines(order.shipping_address),
            methods=payment_methods() if waits else [],
            redirect_url=last.redirect_url if waits and last and _is_open(last) else "",
            refused=last.error_message if waits and last else "",
            pay_address=request.get_full_path(),
        )

    def post(self, request: HttpRequest, number: str) -> HttpResponse:
        order = self.order(number)
        gateway, method = paid_by(request)
        payment = start_payment(
            order=order,
            gateway_code=gateway,
            method=method,
            return_url=request.build_absolute_uri(returned_address(order)),
        )
        if payment.status == Payment.Status.FAILED:
            messages.error(request, payment.error_message or str(PaymentDeclined.message))
        return redirect(order_address(order))


def _words(entry: dict[str, Any]) -> str:
    """What an entry of the timeline says; of a mere change, where it led."""
    labels = dict(Order.Status.choices)
    return entry["message"] or str(capfirst(labels.get(entry["to_status"], "")))


def _is_open(payment: Payment) -> bool:
    return payment.status == Payment.Status.REQUIRES_ACTION
