"""Keyset pages: `{"next", "previous", "results"}`, and `count` where it is asked for."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError as DjangoValidationError
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.pagination import CursorPagination
from rest_framework.response import Response


class KeysetPagination(CursorPagination):
    page_size = 24
    max_page_size = 100
    page_size_query_param = "limit"
    cursor_query_param = "cursor"
    ordering = ("-pk",)
    query_params = frozenset({"limit", "cursor", "count"})
    count: int | None = None

    def paginate_queryset(self, queryset: Any, request: Any, view: Any = None) -> list[Any] | None:
        self.count = None
        if request.query_params.get("count") == "true":
            self.count = queryset.count()
        try:
            return super().paginate_queryset(queryset, request, view)
        except (DjangoValidationError, ValueError) as error:
            # A position of another type than its column, a date for instance.
            raise NotFound(self.invalid_cursor_message) from error

    def get_page_size(self, request: Any) -> int:
        raw = request.query_params.get(self.page_size_query_param)
        if raw is None:
            return self.page_size
        if not (raw.isascii() and raw.isdigit() and 1 <= int(raw[:6]) <= self.max_page_size):
            raise ValidationError({"limit": [_("A number from 1 to %d.") % self.max_page_size]})
        return int(raw)

    def get_ordering(self, request: Any, queryset: Any, view: Any) -> tuple[str, ...]:
        """The columns of `?ordering=`, by the view's `ordering_fields` (public name → column).

        Always ended by the primary key: without it, ties could hide rows. Raises ValidationError
        for a name that the view doesn't allow.
        """
        allowed: dict[str, str] = getattr(view, "ordering_fields", {})
        wanted = request.query_params.get("ordering", "") if allowed else ""
        ordering = tuple(getattr(view, "ordering", self.ordering))
        if wanted:
            names = wanted.split(",")
            if any(name.removeprefix("-") not in allowed for name in names):
                raise ValidationError({"ordering": [_("One of: %s.") % ", ".join(sorted(allowed))]})
            ordering = tuple(
                ("-" if name.startswith("-") else "") + allowed[name.removeprefix("-")]
                for name in names
            )
        if not {"pk", "-pk", "id", "-id"} & set(ordering):
            ordering += ("-pk" if ordering[-1].startswith("-") else "pk",)
        return ordering

    def get_paginated_response(self, data: Any) -> Response:
        page: dict[str, Any] = {
            "next": self.get_next_link(),
            "previous": self.get_previous_link(),
            "results": data,
        }
        if self.count is not None:
            page["count"] = self.count
        return Response(page)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        link = {"type": ["string", "null"], "format": "uri"}
        return {
            "type": "object",
            "required": ["next", "previous", "results"],
            "properties": {
                "next": link,
                "previous": link,
                "results": schema,
                "count": {"type": "integer", "description": "Only with ?count=true."},
            },
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            *super().get_schema_operation_parameters(view),
            {
                "name": "count",
                "required": False,
                "in": "query",
                "description": "`true` adds the number of all results.",
                "schema": {"type": "string", "enum": ["true", "false"]},
            },
        ]
