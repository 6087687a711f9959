"""Input and output of the payments' API."""

from __future__ import annotations

from rest_framework import serializers

from apps.core.api.serializers import MoneyField, StrictSerializer
from apps.payments.models import Dispute, Payment, Refund


class RefundSerializer(serializers.ModelSerializer[Refund]):
    id = serializers.UUIDField(source="public_id")
    amount = MoneyField(currency="payment.currency")

    class Meta:
        model = Refund
        fields = ["id", "amount", "reason", "status", "created_at"]


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    id = serializers.CharField(source="provider_id")
    amount = MoneyField(currency="payment.currency")

    class Meta:
        model = Dispute
        fields = ["id", "amount", "reason", "status", "created_at"]


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment, for staff."""

    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="order.number")
    amount = MoneyField()
    authorized = MoneyField(source="authorized_amount")
    captured = MoneyField(source="captured_amount")
    refunded = MoneyField(source="refunded_amount")
    refunds = RefundSerializer(many=True)
    disputes = DisputeSerializer(many=True)

    class Meta:
        model = Payment
        fields = [
            "id",
            "order",
            "gateway",
            "provider_id",
            "status",
            "amount",
            "authorized",
            "captured",
            "refunded",
            "error_code",
            "error_message",
            "is_test",
            "refunds",
            "disputes",
            "created_at",
        ]


class StartInput(StrictSerializer):
    gateway = serializers.CharField(max_length=30)
    method = serializers.CharField(required=False, allow_blank=True, max_length=120)


class CaptureInput(StrictSerializer):
    amount = MoneyField(required=False, minimum=1)


class RefundInput(StrictSerializer):
    amount = MoneyField(required=False, minimum=1)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)
