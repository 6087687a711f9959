"""Papers of many shipments: asked for in the list of shipments, fetched here."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline
from apps.core.files import PDF, private_file
from apps.fulfillment.models import PrintJob, PrintRow


class PrintRowInline(ReadOnlyTabularInline):
    model = PrintRow
    fields = ("order", "result")
    readonly_fields = ("order",)

    def get_queryset(self, request: HttpRequest) -> Any:
        return super().get_queryset(request).select_related("fulfillment__order")

    @admin.display(description=_("order"))
    def order(self, row: PrintRow) -> str:
        return row.fulfillment.order.number


@admin.register(PrintJob)
class PrintJobAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "status", "progress", "pages", "requested_by", "paper")
    list_filter = ("status",)
    ordering = ("-pk",)
    fields = (("status", "progress"), ("pages", "paper"), ("requested_by", "finished_at"))
    readonly_fields = ("progress", "paper")
    inlines = (PrintRowInline,)

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.file_view)
        name = "fulfillment_printjob_file"
        return [path("<int:pk>/file/", view, name=name), *super().get_urls()]

    @admin.display(description=_("progress"))
    def progress(self, job: PrintJob) -> str:
        return f"{job.done} / {job.total}"

    @admin.display(description=_("file"))
    def paper(self, job: PrintJob) -> str:
        if not job.file:
            return "–"
        url = reverse("admin:fulfillment_printjob_file", args=[job.pk])
        return format_html('<a href="{}" class="text-link">PDF</a>', url)

    def file_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        if not request.user.has_perm("fulfillment.print_papers"):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request), pk=pk)
        if not job.file:
            raise Http404
        return private_file(job.file.open("rb"), f"papers-{job.pk}.pdf", PDF)
