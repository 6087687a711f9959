"""Filters of the lists of gift cards and store credit."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.payments.models import GiftCard, StoreCredit, StoredValue


class GiftCardFilter(filters.FilterSet):
    last4 = filters.CharFilter()
    status = filters.ChoiceFilter(choices=StoredValue.Status.choices)
    currency = filters.CharFilter()
    customer = filters.UUIDFilter(field_name="customer__public_id")
    reference = filters.CharFilter()

    class Meta:
        model = GiftCard
        fields: tuple[str, ...] = ()


class StoreCreditFilter(filters.FilterSet):
    customer = filters.UUIDFilter(field_name="customer__public_id")
    currency = filters.CharFilter()

    class Meta:
        model = StoreCredit
        fields: tuple[str, ...] = ()
