"""Filters of the delivery log."""

from __future__ import annotations

from django_filters import rest_framework as filters

from apps.core.api.filters import MomentFilter
from apps.notifications.models import Notification


class NotificationFilter(filters.FilterSet):
    kind = filters.CharFilter()
    status = filters.ChoiceFilter(choices=Notification.Status.choices)
    recipient = filters.CharFilter(lookup_expr="iexact")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Notification
        fields: tuple[str, ...] = ()
