"""Filters of the promotions' lists."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters

from apps.core.api.filters import FlagFilter, MomentFilter
from apps.promotions.engines.schema import EFFECT_TYPES
from apps.promotions.models import Coupon, Promotion, Redemption


class PromotionFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=Promotion.Status.choices, method="by_status")
    effect = filters.ChoiceFilter(
        field_name="effect__type", choices=[(kind, kind) for kind in EFFECT_TYPES]
    )
    store = filters.CharFilter(field_name="stores__code")
    needs_code = FlagFilter()
    is_catalogue = FlagFilter()

    class Meta:
        model = Promotion
        fields: tuple[str, ...] = ()

    def by_status(self, queryset: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        return queryset.in_status(value, timezone.now())  # type: ignore[attr-defined]


class CouponFilter(filters.FilterSet):
    batch = filters.CharFilter()
    is_active = FlagFilter()

    class Meta:
        model = Coupon
        fields: tuple[str, ...] = ()


class RedemptionFilter(filters.FilterSet):
    coupon = filters.CharFilter(field_name="coupon__code")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Redemption
        fields: tuple[str, ...] = ()
