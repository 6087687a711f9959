"""Filters of the payments' lists."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.payments.models import (
    GiftCard,
    Payout,
    PayoutLine,
    ReconciliationDifference,
    StoreCredit,
    StoredValue,
)


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


class PayoutFilter(filters.FilterSet):
    gateway = filters.CharFilter()
    status = filters.ChoiceFilter(choices=Payout.Status.choices)
    currency = filters.CharFilter()
    arrives_from = filters.DateFilter(field_name="arrives_on", lookup_expr="gte")
    arrives_to = filters.DateFilter(field_name="arrives_on", lookup_expr="lte")

    class Meta:
        model = Payout
        fields: tuple[str, ...] = ()


class PayoutLineFilter(filters.FilterSet):
    kind = filters.ChoiceFilter(choices=PayoutLine.Kind.choices)
    order = filters.CharFilter(field_name="payment__order__number")
    payment = filters.UUIDFilter(field_name="payment__public_id")

    class Meta:
        model = PayoutLine
        fields: tuple[str, ...] = ()


class DifferenceFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=ReconciliationDifference.Status.choices)
    kind = filters.ChoiceFilter(choices=ReconciliationDifference.Kind.choices)
    order = filters.CharFilter(field_name="payment__order__number")
    payout = filters.UUIDFilter(field_name="payout__public_id")

    class Meta:
        model = ReconciliationDifference
        fields: tuple[str, ...] = ()
