"""Shapes of the promotions' API."""

from __future__ import annotations

import json
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.serializers import MoneyField, QuantityField, StrictSerializer
from apps.promotions.api.shapes import CONDITIONS, EFFECT
from apps.promotions.models import Coupon, Promotion, Redemption
from apps.promotions.services import MAX_BATCH
from apps.stores.models import Store

# A PositiveIntegerField of the smallest engine.
MAX_INTEGER = 2_147_483_647


class _RuleField(serializers.JSONField):
    """An object as it is; the engine checks its members."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict) or "\\u0000" in json.dumps(data):
            self.fail("invalid")
        return super().to_internal_value(data)


@extend_schema_field(EFFECT)
class EffectField(_RuleField):
    pass


@extend_schema_field(CONDITIONS)
class ConditionsField(_RuleField):
    pass


class StoresField(serializers.ListField):
    """Stores by their codes, looked up together."""

    child = serializers.CharField(max_length=40)

    def to_internal_value(self, data: Any) -> list[Store]:
        codes = super().to_internal_value(data)
        found = {store.code: store for store in Store.objects.filter(code__in=codes)}
        if missing := [code for code in codes if code not in found]:
            message = _("There is no store %s.") % missing[0]
            raise serializers.ValidationError(message, "does_not_exist")
        return [found[code] for code in dict.fromkeys(codes)]

    def to_representation(self, data: Any) -> list[str]:
        return [store.code for store in data.all()]


class PromotionSerializer(serializers.ModelSerializer[Promotion]):
    status = serializers.SerializerMethodField(
        help_text="What it is doing now, weekdays and hours apart."
    )
    stores = StoresField(help_text="Empty: every store.", read_only=True)
    effect = EffectField(read_only=True)
    conditions = ConditionsField(read_only=True)
    weekdays = serializers.ListField(
        child=serializers.IntegerField(), help_text="0 is Monday; empty: every day."
    )
    stacking_group = serializers.CharField(
        read_only=True, help_text="Of the promotions of one group, only the best counts."
    )
    orders = serializers.IntegerField(
        source="redeemed", read_only=True, help_text="How many orders use it."
    )

    class Meta:
        model = Promotion
        fields = (
            *("code", "name", "status", "is_active", "stores", "is_catalogue", "needs_code"),
            *("effect", "conditions", "starts_at", "ends_at"),
            *("weekdays", "hours_from", "hours_to"),
            *("stacking_group", "priority", "is_exclusive"),
            *("usage_limit", "usage_limit_per_customer", "max_per_order", "orders"),
            *("created_at", "updated_at"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.CharField())
    def get_status(self, promotion: Promotion) -> str:
        return promotion.status_at(timezone.now())


class PromotionDraftSerializer(StrictSerializer):
    """What may be changed of a promotion."""

    name = serializers.CharField(max_length=120)
    is_active = serializers.BooleanField(required=False)
    stores = StoresField(required=False, max_length=100, help_text="Codes; empty: every store.")
    is_catalogue = serializers.BooleanField(
        required=False, help_text="The reduced price is shown in lists."
    )
    needs_code = serializers.BooleanField(required=False)
    effect = EffectField()
    conditions = ConditionsField(required=False)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    weekdays = serializers.ListField(
        child=QuantityField(min_value=0, max_value=6),
        required=False,
        max_length=7,
        help_text="Of the store's clock: 0 is Monday; empty: every day.",
    )
    hours_from = serializers.TimeField(required=False, allow_null=True)
    hours_to = serializers.TimeField(required=False, allow_null=True)
    stacking_group = serializers.SlugField(
        required=False,
        allow_blank=True,
        max_length=40,
        help_text="Of the promotions of one group, only the best counts.",
    )
    priority = QuantityField(required=False, min_value=-MAX_INTEGER, max_value=MAX_INTEGER)
    is_exclusive = serializers.BooleanField(required=False)
    usage_limit = QuantityField(required=False, allow_null=True, max_value=MAX_INTEGER)
    usage_limit_per_customer = QuantityField(required=False, allow_null=True, max_value=MAX_INTEGER)
    max_per_order = QuantityField(required=False, allow_null=True, max_value=MAX_INTEGER)


class PromotionInputSerializer(PromotionDraftSerializer):
    code = serializers.SlugField(max_length=60)


class CouponSerializer(serializers.ModelSerializer[Coupon]):
    class Meta:
        model = Coupon
        fields = ("code", "batch", "is_active", "usage_limit", "used", "created_at")
        read_only_fields = fields


class CouponInputSerializer(StrictSerializer):
    code = serializers.CharField(max_length=40, help_text="Kept in capitals.")
    usage_limit = QuantityField(required=False, allow_null=True, max_value=MAX_INTEGER)


class CouponChangeSerializer(StrictSerializer):
    is_active = serializers.BooleanField()


class BatchInputSerializer(StrictSerializer):
    batch = serializers.CharField(max_length=60, help_text="A name for these codes.")
    count = QuantityField(max_value=MAX_BATCH)
    prefix = serializers.CharField(max_length=16, required=False, allow_blank=True)
    length = QuantityField(min_value=8, max_value=24, required=False)


class BatchSerializer(serializers.Serializer[Any]):
    batch = serializers.CharField()
    count = serializers.IntegerField(help_text="How many were asked for.")
    made = serializers.IntegerField(help_text="How many there are by now.")


class RedemptionSerializer(serializers.ModelSerializer[Redemption]):
    """Without the customer: the order knows them."""

    coupon = serializers.CharField(
        source="coupon.code", read_only=True, allow_null=True, default=None
    )
    amount = MoneyField(read_only=True)

    class Meta:
        model = Redemption
        fields = ("reference", "coupon", "amount", "created_at")
        read_only_fields = fields
