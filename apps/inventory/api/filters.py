"""Filters of the inventory's lists."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.core.api.filters import FlagFilter, MomentFilter
from apps.inventory.models import Location, StockLevel, StockMovement


class LocationFilter(filters.FilterSet):
    is_active = FlagFilter()

    class Meta:
        model = Location
        fields: tuple[str, ...] = ()


class LevelFilter(filters.FilterSet):
    sku = filters.CharFilter(field_name="variant__sku")
    location = filters.CharFilter(field_name="location__code")

    class Meta:
        model = StockLevel
        fields: tuple[str, ...] = ()


class MovementFilter(filters.FilterSet):
    sku = filters.CharFilter(field_name="level__variant__sku")
    location = filters.CharFilter(field_name="level__location__code")
    product = filters.CharFilter(field_name="level__variant__product__slug")
    reason = filters.ChoiceFilter(choices=StockMovement.Reason.choices)
    reference = filters.CharFilter()
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = StockMovement
        fields: tuple[str, ...] = ()
