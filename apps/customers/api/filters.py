"""Filters of the staff's list of customers."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.core.api.filters import FlagFilter
from apps.customers.models import Customer


class CustomerFilter(filters.FilterSet):
    email = filters.CharFilter(field_name="email", lookup_expr="iexact")
    group = filters.CharFilter(field_name="group__code", lookup_expr="exact")
    registered = FlagFilter(
        field_name="user", lookup_expr="isnull", exclude=True, label="With an account"
    )
    accepts_marketing = FlagFilter()

    class Meta:
        model = Customer
        fields: tuple[str, ...] = ()
