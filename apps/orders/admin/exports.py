"""Exports that run by themselves, and who had which: their files are fetched here."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponseBase
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ModelAdmin, ReadOnlyAdmin, ReadOnlyTabularInline
from apps.core.errors import DomainError, NotFound
from apps.core.fields import AmountModelForm
from apps.core.files import private_file
from apps.orders.models import ExportRun, SavedExport
from apps.orders.services.export_runs import PERMISSION, fetch_run, read_filters
from apps.orders.services.exports import CONTENT_TYPES

_COLOURS = {
    ExportRun.Status.QUEUED: "info",
    ExportRun.Status.RUNNING: "info",
    ExportRun.Status.DONE: "success",
    ExportRun.Status.FAILED: "danger",
}


def _link(run: ExportRun) -> str:
    if not run.is_kept:
        return "–"
    url = reverse("admin:orders_exportrun_file", args=[run.public_id])
    return format_html('<a href="{}" class="text-link">{}</a>', url, _("Download"))


class SavedExportForm(AmountModelForm):
    def clean_filters(self) -> str:
        text: str = self.cleaned_data["filters"]
        try:
            read_filters(text)
        except DomainError as error:
            raise forms.ValidationError(str(error)) from error
        return text.strip().lstrip("?")


class RunInline(ReadOnlyTabularInline):
    model = ExportRun
    verbose_name_plural = _("runs")
    fields = ("period", "status", "count", "error", "finished_at", "expires_at", "download")
    readonly_fields = ("download",)
    ordering = ("-pk",)
    per_page = 20

    @admin.display(description=_("file"))
    def download(self, run: ExportRun) -> str:
        return _link(run)


@admin.register(SavedExport)
class SavedExportAdmin(ModelAdmin):
    form = SavedExportForm
    list_display = ("name", "rows", "format", "frequency", "is_active", "created_by")
    list_filter = ("frequency", "is_active")
    list_select_related = ("created_by",)
    search_fields = ("name__startswith",)
    inlines = (RunInline,)

    def save_model(self, request: HttpRequest, obj: SavedExport, form: Any, change: bool) -> None:
        if not change:
            obj.created_by = request.user
        super().save_model(request, obj, form, change)


@admin.register(ExportRun)
class ExportRunAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "export", "period", "rows", "format", "state", "count", "who")
    list_filter = ("status", "format")
    list_select_related = ("export", "created_by")
    ordering = ("-pk",)
    readonly_fields = ("created_at", "download")
    fields = (
        *("created_at", "export", "period", "rows", "format", "filters", "status", "count"),
        *("error", "created_by", "finished_at", "expires_at", "download"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ExportRun]:
        return super().get_queryset(request).select_related("export", "created_by")

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        return [
            path("<uuid:public_id>/file/", view, name="orders_exportrun_file"),
            *super().get_urls(),
        ]

    def file_view(self, request: HttpRequest, public_id: UUID) -> HttpResponseBase:
        """The file, for signed-in staff who may export; gone when its time is over."""
        if not request.user.has_perm(PERMISSION):
            raise PermissionDenied
        try:
            run = fetch_run(public_id=public_id, user=request.user)
        except NotFound as error:
            raise Http404 from error
        return private_file(run.file.open("rb"), run.file_name, CONTENT_TYPES[run.format])

    @display(description=_("status"), ordering="status", label=_COLOURS)
    def state(self, run: ExportRun) -> tuple[str, str]:
        return run.status, run.get_status_display()

    @admin.display(description=_("created by"))
    def who(self, run: ExportRun) -> str:
        return str(run.created_by or "–")

    @admin.display(description=_("file"))
    def download(self, run: ExportRun) -> str:
        return _link(run)
