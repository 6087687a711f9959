"""Payments for staff, and the door for gateways' webhooks."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from drf_spectacular.utils import OpenApiParameter, OpenApiTypes, extend_schema
from rest_framework.response import Response

from apps.core.api.parsers import RawParser
from apps.core.api.permissions import Public, Staff
from apps.core.api.serializers import WaitingDocument, waiting_response
from apps.core.api.views import BaseApi, PlainViewSet
from apps.core.errors import DomainError, NotFound
from apps.core.money import Money, MoneyError, money_json, to_minor
from apps.core.scopes import scoped
from apps.orders.models import Approval
from apps.orders.selectors import order_for_staff
from apps.payments import services
from apps.payments.api.gift_card_serializers import RefundProposalSerializer
from apps.payments.api.serializers import (
    CaptureInput,
    PaymentSerializer,
    RefundInput,
    StartInput,
)
from apps.payments.models import Payment, WrongCurrency
from apps.payments.selectors import payments_for_reading, propose_refund


def _minor(money: Money | None, payment: Payment) -> int | None:
    if money is None:
        return None
    if money.currency != payment.currency:
        raise WrongCurrency(field="amount")
    return money.amount


class PaymentView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "create": "payments.add_payment",
        "retrieve": "payments.view_payment",
        "capture": "payments.capture_payment",
        "void": "payments.void_payment",
        "refund": "payments.refund_payment",
        "refund_proposal": "payments.view_payment",
    }
    idempotent = frozenset({"create", "capture", "void", "refund"})

    def allowed_query_params(self) -> set[str]:
        return {"amount"} if self.action == "refund_proposal" else set()

    def _payment(self, payment_id: Any) -> Payment:
        payment = scoped(payments_for_reading()).filter(public_id=payment_id).first()
        if payment is None:
            raise NotFound()
        return payment

    def _answer(self, payment_id: Any, status: int = 200) -> Response:
        return Response(PaymentSerializer(self._payment(payment_id)).data, status=status)

    @extend_schema(summary="Get a payment", responses=PaymentSerializer)
    def retrieve(self, request: Any, payment_id: Any) -> Response:
        return self._answer(payment_id)

    @extend_schema(
        summary="Begin a payment of what an order still owes",
        request=StartInput,
        responses={201: PaymentSerializer},
    )
    def create(self, request: Any, number: str) -> Response:
        data = StartInput(data=request.data)
        data.is_valid(raise_exception=True)
        payment = services.start_payment(
            order=order_for_staff(number),
            gateway_code=data.validated_data["gateway"],
            method=data.validated_data.get("method", ""),
        )
        return self._answer(payment.public_id, status=201)

    @extend_schema(
        summary="Capture an authorized payment, or a part of it",
        description="Without an amount: what the order still needs. After a part, the rest stays"
        " authorized if the payment `captures_several` and the order needs more; else it is let"
        " go. `409 capture_under_way`: another amount's capture has no answer yet.",
        request=CaptureInput,
        responses=PaymentSerializer,
    )
    def capture(self, request: Any, payment_id: Any) -> Response:
        data = CaptureInput(data=request.data)
        data.is_valid(raise_exception=True)
        payment = self._payment(payment_id)
        amount = _minor(data.validated_data.get("amount"), payment)
        services.capture(payment=payment, amount=amount)
        return self._answer(payment_id)

    @extend_schema(
        summary="Void an open payment, or what is left of an authorization",
        request=None,
        responses=PaymentSerializer,
    )
    def void(self, request: Any, payment_id: Any) -> Response:
        services.void(payment=self._payment(payment_id))
        return self._answer(payment_id)

    @extend_schema(
        summary="Refund a captured payment, or a part of it",
        description="`202`: it is above the store's limit, and waits for another person's"
        " approval.",
        request=RefundInput,
        responses={201: PaymentSerializer, 202: WaitingDocument},
    )
    def refund(self, request: Any, payment_id: Any) -> Response:
        data = RefundInput(data=request.data)
        data.is_valid(raise_exception=True)
        payment = self._payment(payment_id)
        made = services.refund_or_ask(
            payment=payment,
            amount=_minor(data.validated_data.get("amount"), payment),
            reason=data.validated_data.get("reason", ""),
        )
        if isinstance(made, Approval):
            return waiting_response(made)
        return self._answer(payment_id, status=201)

    @extend_schema(
        summary="How to give an amount of an order back",
        description="The last payment first; gift cards, which paid first, last. Without an"
        " amount: all of it. Each part is refunded by a call of its own.",
        parameters=[
            OpenApiParameter("amount", str, description='In the order\'s currency: "9.50".')
        ],
        responses=RefundProposalSerializer,
    )
    def refund_proposal(self, request: Any, number: str) -> Response:
        order = order_for_staff(number)
        amount = request.query_params.get("amount")
        try:
            wanted = order.captured_amount if amount is None else to_minor(amount, order.currency)
        except MoneyError as error:
            raise DomainError(str(error), field="amount") from error
        parts = propose_refund(order, wanted)
        return Response(
            {
                "parts": [
                    {
                        "payment": payment.public_id,
                        "gateway": payment.gateway,
                        "amount": money_json(part, payment.currency),
                    }
                    for payment, part in parts
                ]
            }
        )


@method_decorator(csrf_exempt, name="dispatch")
class WebhookView(BaseApi):
    """`POST /webhooks/{provider}/`: verified by the provider's own signature."""

    authentication_classes: list[Any] = []
    permission_classes = [Public]
    parser_classes = [RawParser]
    throttle_classes: list[Any] = []

    @extend_schema(
        summary="Receive a provider's webhook",
        description="Verified by the provider's signature over the raw body; processed later.",
        request=OpenApiTypes.BINARY,
        responses={204: None},
        auth=[],
    )
    def post(self, request: Any, provider: str) -> HttpResponse:
        raw: HttpRequest = request._request
        services.receive_webhook(gateway_code=provider, headers=raw.headers, body=raw.body)
        return Response(status=204)
