"""Filters of the prices' lists."""

from __future__ import annotations

from django.db.models import QuerySet
from django.utils import timezone
from django_filters import rest_framework as filters

from apps.core.api.filters import FlagFilter, MomentFilter
from apps.core.money import CURRENCY_CHOICES
from apps.pricing.models import CurrencyRule, Price, PriceList, PricePoint
from apps.pricing.selectors import coming_change


class PriceListFilter(filters.FilterSet):
    group = filters.CharFilter(field_name="group__code")
    is_active = FlagFilter()

    class Meta:
        model = PriceList
        fields: tuple[str, ...] = ()


class _PriceFilter(filters.FilterSet):
    sku = filters.CharFilter(field_name="variant__sku")
    product = filters.CharFilter(field_name="variant__product__slug")
    store = filters.CharFilter(field_name="store__code")
    price_list = filters.CharFilter(field_name="price_list__code")
    currency = filters.ChoiceFilter(choices=CURRENCY_CHOICES)


class PriceFilter(_PriceFilter):
    scheduled = FlagFilter(
        method="filter_scheduled",
        label="True: prices that begin or end later; false: the others.",
    )

    def filter_scheduled(self, prices: QuerySet[Price], name: str, value: bool) -> QuerySet[Price]:
        coming = coming_change(timezone.now())
        return prices.filter(coming) if value else prices.exclude(coming)

    class Meta:
        model = Price
        fields: tuple[str, ...] = ()


class PricePointFilter(_PriceFilter):
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = PricePoint
        fields: tuple[str, ...] = ()


class CurrencyRuleFilter(filters.FilterSet):
    store = filters.CharFilter(field_name="store__code")
    currency = filters.ChoiceFilter(choices=CURRENCY_CHOICES)
    mode = filters.ChoiceFilter(choices=CurrencyRule.Mode.choices)

    class Meta:
        model = CurrencyRule
        fields: tuple[str, ...] = ()
