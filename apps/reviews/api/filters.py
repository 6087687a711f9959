"""Filters of reviews."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, QuerySet
from django_filters import CharFilter, NumberFilter
from django_filters.rest_framework import FilterSet

from apps.core.api.filters import FlagFilter
from apps.reviews.models import Review, ReviewReport


class StarsFilter(NumberFilter):
    def __init__(self) -> None:
        super().__init__(field_name="rating", min_value=1, max_value=5)


class PublicReviewFilter(FilterSet):
    rating = StarsFilter()

    class Meta:
        model = Review
        fields = ("rating",)


class ReviewFilter(FilterSet):
    """What the staff looks for."""

    rating = StarsFilter()
    verified = FlagFilter(field_name="is_verified")
    product = CharFilter(field_name="product__slug")
    store = CharFilter(field_name="store__code")
    reported = FlagFilter(method="only_reported")

    class Meta:
        model = Review
        fields = ("status", "rating", "verified", "product", "store", "reported")

    def only_reported(self, queryset: QuerySet[Review], name: str, value: Any) -> QuerySet[Review]:
        """With reports that nobody has settled, or without."""
        reports = Exists(ReviewReport.objects.filter(review=OuterRef("pk"), is_open=True))
        return queryset.filter(reports if value else ~reports)
