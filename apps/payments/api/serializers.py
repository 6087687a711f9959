"""Input and output of the payments' API."""

from __future__ import annotations

from django.conf import settings
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.serializers import MoneyDocument, MoneyField, StrictSerializer
from apps.core.money import money_json
from apps.payments.models import Capture, Dispute, PayLink, Payment, Refund, SavedMethod
from apps.payments.selectors import capturable, due, payments_of


class CaptureSerializer(serializers.ModelSerializer[Capture]):
    id = serializers.UUIDField(source="public_id")
    amount = MoneyField(currency="payment.currency")

    class Meta:
        model = Capture
        fields = ["id", "amount", "is_final", "status", "created_at"]


class RefundSerializer(serializers.ModelSerializer[Refund]):
    id = serializers.UUIDField(source="public_id")
    amount = MoneyField(currency="payment.currency")

    class Meta:
        model = Refund
        fields = ["id", "amount", "reason", "status", "created_at"]


class DisputeSerializer(serializers.ModelSerializer[Dispute]):
    id = serializers.CharField(source="provider_id")
    amount = MoneyField(currency="payment.currency")
    fee = MoneyField(currency="payment.currency")

    class Meta:
        model = Dispute
        fields = ["id", "amount", "fee", "reason", "status", "evidence_due_at", "created_at"]


class PaymentSerializer(serializers.ModelSerializer[Payment]):
    """A payment, for staff. `capturable` is what is authorized and not captured; where it isn't
    `captures_several`, one capture lets the rest go."""

    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="order.number")
    amount = MoneyField()
    authorized = MoneyField(source="authorized_amount")
    captured = MoneyField(source="captured_amount")
    refunded = MoneyField(source="refunded_amount")
    capturable = serializers.SerializerMethodField()
    captures = CaptureSerializer(many=True)
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
            "capturable",
            "captures_several",
            "error_code",
            "error_message",
            "is_test",
            "captures",
            "refunds",
            "disputes",
            "created_at",
        ]

    @extend_schema_field(MoneyDocument)
    def get_capturable(self, payment: Payment) -> dict[str, str]:
        return money_json(capturable(payment), payment.currency)


class StartInput(StrictSerializer):
    gateway = serializers.CharField(max_length=30)
    method = serializers.CharField(required=False, allow_blank=True, max_length=120)


class CaptureInput(StrictSerializer):
    amount = MoneyField(required=False, minimum=1)


class RefundInput(StrictSerializer):
    amount = MoneyField(required=False, minimum=1)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=300)


class SavedMethodSerializer(serializers.ModelSerializer[SavedMethod]):
    """A card that a gateway keeps, as its owner may know it."""

    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = SavedMethod
        fields = [
            "id",
            "gateway",
            "brand",
            "last4",
            "expiry_month",
            "expiry_year",
            "is_default",
            "created_at",
        ]


class SavedMethodInput(StrictSerializer):
    is_default = serializers.BooleanField(help_text="In place of any other.")


class PayLinkSerializer(serializers.Serializer[PayLink]):
    """`outstanding` is what the link would pay now."""

    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="order.number")
    state = serializers.ChoiceField(choices=PayLink.State.choices)
    url = serializers.SerializerMethodField()
    outstanding = serializers.SerializerMethodField()
    expires_at = serializers.DateTimeField()
    created_at = serializers.DateTimeField()

    def get_url(self, link: PayLink) -> str:
        return str(settings.PAY_URL.format(token=link.token))

    @extend_schema_field(MoneyDocument)
    def get_outstanding(self, link: PayLink) -> dict[str, str]:
        return money_json(due(link.order, payments_of(link.order)), link.order.currency)
