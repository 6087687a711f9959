"""Suspicious checkouts, rules and settings, as staff read and write them."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api.serializers import MoneyField, RowField, StrictSerializer
from apps.fraud.models import Assessment, FraudRule, FraudSettings, Hit
from apps.stores.models import Store


class HitSerializer(serializers.ModelSerializer[Hit]):
    kind = serializers.CharField(help_text="A rule's kind, or `fraud-engine:<code>`.")
    rule = serializers.UUIDField(source="rule.public_id", default=None, allow_null=True)

    class Meta:
        model = Hit
        fields = ("kind", "points", "reason", "rule")


class AssessmentSerializer(serializers.ModelSerializer[Assessment]):
    id = serializers.UUIDField(source="public_id")
    store = serializers.CharField(source="store.code")
    order = serializers.CharField(
        source="order.number",
        default=None,
        allow_null=True,
        help_text="Its number; null where none came of it, or isn't confirmed yet.",
    )
    total = MoneyField()
    hits = HitSerializer(many=True)

    class Meta:
        model = Assessment
        fields = (
            *("id", "store", "order", "email", "ip", "total", "score", "verdict", "hits"),
            *("decision", "decision_reason", "decided_by", "decided_at", "created_at"),
        )
        read_only_fields = fields


class RejectionInput(StrictSerializer):
    reason = serializers.CharField(max_length=200, help_text="For staff; customers aren't told.")


class RuleSerializer(serializers.ModelSerializer[FraudRule]):
    id = serializers.UUIDField(source="public_id")
    store = serializers.CharField(source="store.code")
    amount = MoneyField()
    values = serializers.ListField(child=serializers.CharField())

    class Meta:
        model = FraudRule
        fields = (
            *("id", "store", "kind", "points", "times", "hours", "amount", "values", "is_active"),
            *("created_at", "updated_at"),
        )
        read_only_fields = fields


class RuleInput(StrictSerializer):
    store = RowField(Store.objects.all())
    kind = serializers.ChoiceField(FraudRule.Kind.choices)
    points = serializers.IntegerField(min_value=0, max_value=1000, required=False)
    times = serializers.IntegerField(
        min_value=1,
        max_value=1000,
        required=False,
        help_text="Of velocities: this many and more, with this one.",
    )
    hours = serializers.IntegerField(min_value=1, max_value=90 * 24, required=False)
    amount = MoneyField(required=False)
    values = serializers.ListField(
        child=serializers.CharField(max_length=254),
        max_length=5000,
        required=False,
        help_text="Countries; or mailboxes, domains of mailboxes and IP addresses.",
    )
    is_active = serializers.BooleanField(required=False)

    def to_internal_value(self, data: Any) -> Any:
        found = super().to_internal_value(data)
        if money := found.get("amount"):
            found["amount"], found["currency"] = money.amount, money.currency
        return found


class SettingsSerializer(serializers.ModelSerializer[FraudSettings]):
    store = serializers.CharField(source="store.code")

    class Meta:
        model = FraudSettings
        fields = ("store", "review_from", "refuse_from", "engine", "updated_at")
        read_only_fields = fields


class SettingsInput(StrictSerializer):
    review_from = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    refuse_from = serializers.IntegerField(min_value=1, max_value=10_000, required=False)
    engine = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="The code of who is asked beside the rules; empty: nobody.",
    )


class ReportQuery(StrictSerializer):
    days = serializers.IntegerField(min_value=1, max_value=90, default=90)


class RuleReportSerializer(serializers.Serializer[Any]):
    kind = serializers.CharField()
    rule = serializers.CharField(help_text="Its id; empty for an engine or a deleted rule.")
    hits = serializers.IntegerField(help_text="Checkouts.")
    refused = serializers.IntegerField()
    fraud = serializers.IntegerField()
    released = serializers.IntegerField()


class ReportSerializer(serializers.Serializer[Any]):
    results = RuleReportSerializer(many=True)
