"""How merchants look for orders."""

import django_filters

from apps.core.api.filters import MomentFilter
from apps.orders.models import Order


class OrderFilter(django_filters.FilterSet):
    status = django_filters.ChoiceFilter(choices=Order.Status.choices)
    payment_status = django_filters.ChoiceFilter(choices=Order.PaymentStatus.choices)
    fulfillment_status = django_filters.ChoiceFilter(choices=Order.FulfillmentStatus.choices)
    store = django_filters.CharFilter("store__code")
    email = django_filters.CharFilter("email", "iexact")
    created_after = MomentFilter("created_at", "gte")
    created_before = MomentFilter("created_at", "lt")

    class Meta:
        model = Order
        fields: list[str] = []
