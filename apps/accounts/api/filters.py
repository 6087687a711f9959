"""Filters of the usage of API keys."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.accounts.models import ApiKeyUsage


class ApiKeyUsageFilter(filters.FilterSet):
    key = filters.UUIDFilter(field_name="key__public_id")
    day_from = filters.DateFilter(field_name="day", lookup_expr="gte")
    day_to = filters.DateFilter(field_name="day", lookup_expr="lte")

    class Meta:
        model = ApiKeyUsage
        fields: tuple[str, ...] = ()
