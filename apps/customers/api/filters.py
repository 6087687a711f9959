"""Filters of the staff's list of customers."""

from __future__ import annotations

from django.db.models import QuerySet
from django_filters import rest_framework as filters

from apps.core.api.filters import FlagFilter
from apps.core.tags import tag_key
from apps.customers.models import Customer


class CustomerFilter(filters.FilterSet):
    email = filters.CharFilter(field_name="email", lookup_expr="iexact")
    group = filters.CharFilter(field_name="group__code", lookup_expr="exact")
    segment = filters.CharFilter(field_name="segments__code", lookup_expr="exact")
    tag = filters.CharFilter(method="filter_tag", label="A tag's name")
    registered = FlagFilter(
        field_name="user", lookup_expr="isnull", exclude=True, label="With an account"
    )
    accepts_marketing = FlagFilter()

    class Meta:
        model = Customer
        fields: tuple[str, ...] = ()

    def filter_tag(self, queryset: QuerySet[Customer], name: str, value: str) -> QuerySet[Customer]:
        return queryset.filter(tags__key=tag_key(value))
