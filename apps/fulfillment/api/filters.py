"""Filters of the shipments' lists."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.fulfillment.models import Fulfillment


class FulfillmentFilter(filters.FilterSet):
    order = filters.CharFilter(field_name="order__number")
    location = filters.CharFilter(field_name="location__code")
    status = filters.ChoiceFilter(choices=Fulfillment.Status.choices)

    class Meta:
        model = Fulfillment
        fields: tuple[str, ...] = ()
