"""Payouts and differences, for staff."""

from __future__ import annotations

from rest_framework import serializers

from apps.core.api.serializers import MoneyField, StrictSerializer
from apps.payments.models import Payout, PayoutLine, ReconciliationDifference


class PayoutSerializer(serializers.ModelSerializer[Payout]):
    """`is_complete`: all its lines are known."""

    id = serializers.UUIDField(source="public_id")
    amount = MoneyField()

    class Meta:
        model = Payout
        fields = [
            *("id", "gateway", "provider_id", "amount", "arrives_on", "status"),
            *("is_test", "is_complete", "created_at"),
        ]


class PayoutLineSerializer(serializers.ModelSerializer[PayoutLine]):
    """`net` is `gross` less `fee`. `reference` is the provider's id of the payment, ours or not."""

    gross = MoneyField(currency="payout.currency")
    fee = MoneyField(currency="payout.currency")
    net = MoneyField(currency="payout.currency")
    order = serializers.CharField(source="payment.order.number", default=None, allow_null=True)
    payment = serializers.UUIDField(source="payment.public_id", default=None, allow_null=True)
    refund = serializers.UUIDField(source="refund.public_id", default=None, allow_null=True)

    class Meta:
        model = PayoutLine
        fields = [
            *("provider_id", "kind", "gross", "fee", "net", "order", "payment", "refund"),
            *("reference", "description", "booked_at"),
        ]


class DifferenceSerializer(serializers.ModelSerializer[ReconciliationDifference]):
    """Of a payment or a payout: what is booked here, and what its provider says."""

    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="payment.order.number", default=None, allow_null=True)
    payment = serializers.UUIDField(source="payment.public_id", default=None, allow_null=True)
    payout = serializers.UUIDField(source="payout.public_id", default=None, allow_null=True)
    gateway = serializers.CharField(source="subject.gateway")
    provider_id = serializers.CharField(source="subject.provider_id")
    ours = MoneyField()
    theirs = MoneyField()

    class Meta:
        model = ReconciliationDifference
        fields = [
            *("id", "kind", "status", "order", "payment", "payout", "gateway", "provider_id"),
            *("ours", "theirs", "note", "decided_by", "created_at", "closed_at"),
        ]


class ResolveInput(StrictSerializer):
    note = serializers.CharField(max_length=500)
