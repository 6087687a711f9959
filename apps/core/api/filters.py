"""django-filter and ordering for lists, by the names a view allows."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db.models import Q, QuerySet
from django_filters import IsoDateTimeFilter, TypedChoiceFilter
from django_filters.fields import IsoDateTimeField
from django_filters.rest_framework import DjangoFilterBackend


class FilterBackend(DjangoFilterBackend):
    """The view's `filterset_class`, plus `?search=` over its `search_fields`.

    Ordering is the paginator's business: it must know it to build its cursors.
    """

    def filter_queryset(self, request: Any, queryset: QuerySet[Any], view: Any) -> QuerySet[Any]:
        if getattr(view, "filterset_class", None):
            queryset = super().filter_queryset(request, queryset, view)
        fields = getattr(view, "search_fields", ())
        for word in request.query_params.get("search", "").split()[:5] if fields else ():
            match = Q()
            for field in fields:
                match |= Q(**{f"{field}__icontains": word[:100]})
            queryset = queryset.filter(match)
        return queryset


class FlagFilter(TypedChoiceFilter):
    """`true` or `false`; anything else is refused (BooleanFilter would ignore it)."""

    def __init__(self, **kwargs: Any) -> None:
        choices = (("true", "true"), ("false", "false"))
        super().__init__(choices=choices, coerce=lambda value: value == "true", **kwargs)


class _MomentField(IsoDateTimeField):
    def to_python(self, value: Any) -> datetime | None:
        """In UTC: databases refuse odd zones, and fail on what lies before year 1 there."""
        moment = super().to_python(value)
        try:
            return moment and moment.astimezone(UTC)
        except OverflowError as error:
            raise ValidationError(self.error_messages["invalid"], "invalid") from error


class MomentFilter(IsoDateTimeFilter):
    """A time, ISO 8601."""

    field_class = _MomentField
