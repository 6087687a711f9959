"""Filters of the stores' lists."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.core.money import CURRENCY_CHOICES
from apps.stores.models import ExchangeRate


class ExchangeRateFilter(filters.FilterSet):
    base = filters.ChoiceFilter(choices=CURRENCY_CHOICES)
    currency = filters.ChoiceFilter(choices=CURRENCY_CHOICES)
    date = filters.DateFilter()
    date_from = filters.DateFilter(field_name="date", lookup_expr="gte")
    date_to = filters.DateFilter(field_name="date", lookup_expr="lte")

    class Meta:
        model = ExchangeRate
        fields: tuple[str, ...] = ()
