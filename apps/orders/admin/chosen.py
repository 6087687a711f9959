"""What the list of orders offers for those that are ticked: exports, and one change for many."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import redirect
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.files import private_file
from apps.orders.models import Order
from apps.orders.services.bulk import draft_bulk
from apps.orders.services.exports import (
    CONTENT_TYPES,
    export_file,
    record_export,
    refuse_too_many,
)

_EXPORTS = (
    ("export_csv", "csv", "orders", _("Export selected as CSV")),
    ("export_xlsx", "xlsx", "orders", _("Export selected as Excel")),
    ("export_lines_csv", "csv", "lines", _("Export the lines of selected as CSV")),
    ("export_lines_xlsx", "xlsx", "lines", _("Export the lines of selected as Excel")),
)


def list_actions(request: HttpRequest) -> dict[str, Any]:
    """The actions of the list, by the user's permissions, as Django takes them."""
    actions: dict[str, Any] = {}
    if request.user.has_perm("orders.add_bulkjob"):
        actions["change_many"] = (_change_many, "change_many", _("Change many at once …"))
    if request.user.has_perm("orders.export_order"):
        for name, file_format, rows, label in _EXPORTS:
            actions[name] = (_exporter(file_format, rows), name, label)
    return actions


def _change_many(admin: Any, request: HttpRequest, queryset: QuerySet[Order]) -> Any:
    """Remember what was ticked; its page asks what is to be done."""
    try:
        job = draft_bulk(orders=queryset, user=request.user)
    except DomainError as error:
        admin.message_user(request, str(error), messages.ERROR)
        return None
    return redirect("admin:orders_bulkjob_change", job.pk)


def _exporter(file_format: str, rows: str) -> Callable[..., Any]:
    def export(
        admin: Any, request: HttpRequest, queryset: QuerySet[Order]
    ) -> HttpResponseBase | None:
        try:
            if file_format == "xlsx":
                refuse_too_many(queryset)
        except DomainError as error:
            admin.message_user(request, str(error), messages.ERROR)
            return None
        chosen = {"list": request.META.get("QUERY_STRING", "")[:1000]}
        record_export(rows=rows, file_format=file_format, filters=chosen, user=request.user)
        lines = export_file(queryset, rows=rows, file_format=file_format)
        return private_file(lines, f"{rows}.{file_format}", CONTENT_TYPES[file_format])

    return export
