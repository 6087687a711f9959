"""Filters of suspicious checkouts and of rules."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django_filters import CharFilter
from django_filters.rest_framework import FilterSet

from apps.core.api.filters import FlagFilter, MomentFilter
from apps.fraud.models import Assessment, FraudRule


class AssessmentFilter(FilterSet):
    store = CharFilter(field_name="store__code")
    order = CharFilter(field_name="order__number")
    waiting = FlagFilter(method="only_waiting")
    created_from = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_to = MomentFilter(field_name="created_at", lookup_expr="lt")

    class Meta:
        model = Assessment
        fields = ("store", "order", "verdict", "decision", "waiting")

    def only_waiting(
        self, queryset: QuerySet[Assessment], name: str, value: Any
    ) -> QuerySet[Assessment]:
        """The review queue, or what isn't in it."""
        waiting = Assessment.objects.waiting()
        return queryset.filter(pk__in=waiting) if value else queryset.exclude(pk__in=waiting)


class RuleFilter(FilterSet):
    store = CharFilter(field_name="store__code")
    is_active = FlagFilter(field_name="is_active")

    class Meta:
        model = FraudRule
        fields = ("store", "kind", "is_active")
