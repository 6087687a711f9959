"""Orders as a file, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.renderers import BaseRenderer

from apps.core.api.permissions import Staff
from apps.core.api.renderers import JSONRenderer
from apps.core.api.views import PlainViewSet
from apps.core.errors import DomainError
from apps.core.files import private_file
from apps.orders.models.desk import ExportFormat, ExportRows
from apps.orders.selectors.finding import OrderFilter, chosen_orders
from apps.orders.services.exports import (
    CONTENT_TYPES,
    export_file,
    record_export,
    refuse_too_many,
)

_OWN = ("file_format", "rows")


class _CSVRenderer(JSONRenderer):
    """Lets callers ask for CSV; what is rendered are problems, the files are streamed."""

    media_type = "text/csv"
    format = "csv"


class _ExcelRenderer(_CSVRenderer):
    media_type = CONTENT_TYPES["xlsx"]
    format = "xlsx"


RENDERERS = (JSONRenderer, _CSVRenderer, _ExcelRenderer)


class UnknownFormat(DomainError):
    code = "unknown_format"


def _choice(request: Any, name: str, choices: Any) -> str:
    given: str = request.query_params.get(name) or choices.values[0]
    if given not in choices.values:
        raise UnknownFormat(", ".join(choices.values), field=name)
    return given


class OrderExportView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "orders.export_order"}
    query_params = frozenset({*_OWN, *OrderFilter.base_filters})

    def get_renderers(self) -> list[BaseRenderer]:
        return [renderer() for renderer in RENDERERS]

    @extend_schema(
        summary="Export orders",
        description="Those that the same filters list, oldest first, streamed. Cells that would be"
        " formulas get an apostrophe in front. Excel takes at most 20,000 orders at once (409"
        " `export_too_large`), CSV any number.",
        parameters=[
            OpenApiParameter("file_format", str, enum=ExportFormat.values),
            OpenApiParameter("rows", str, enum=ExportRows.values),
            *(
                OpenApiParameter(name, str, description="As in the list of orders.")
                for name in OrderFilter.base_filters
            ),
        ],
        responses={(200, "text/csv"): OpenApiTypes.STR},
    )
    def list(self, request: Any) -> HttpResponseBase:
        file_format = _choice(request, "file_format", ExportFormat)
        rows = _choice(request, "rows", ExportRows)
        filters = {n: v for n, v in request.query_params.items() if n not in _OWN}
        orders = chosen_orders(filters)
        if file_format == ExportFormat.XLSX:
            refuse_too_many(orders)
        record_export(rows=rows, file_format=file_format, filters=filters, user=request.user)
        lines = export_file(orders, rows=rows, file_format=file_format)
        return private_file(lines, f"{rows}.{file_format}", CONTENT_TYPES[file_format])
