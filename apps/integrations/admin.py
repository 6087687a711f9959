"""Imports in the back office: upload, preview, import, progress, error file."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.core.admin import ModelAdmin
from apps.core.admin_fields import ScopedChoiceField
from apps.core.errors import DomainError, NotFound
from apps.core.files import CSV, private_file
from apps.integrations.channels.registry import channels, export_formats
from apps.integrations.models import ImportJob
from apps.integrations.selectors import refused_rows, rights_of
from apps.integrations.services import (
    COUNTS,
    ImportOptions,
    create_job,
    delete_job,
    export_customers,
    export_products,
    start_import,
)
from apps.inventory.models import Location
from apps.stores.models import Store
from apps.stores.selectors import default_store

# How often a page with running work looks again.
REFRESH_SECONDS = 3


class UploadForm(forms.Form):
    """A file, and how to read it. The first run is a dry run: its page shows what would change."""

    file = forms.FileField(label=_("File"), widget=UnfoldAdminFileFieldWidget, max_length=255)
    format = forms.ChoiceField(label=_("Format"), widget=UnfoldAdminSelectWidget)
    store = ScopedChoiceField(
        Store.objects.all(), label=_("Publish in"), widget=UnfoldAdminSelectWidget, empty_label=None
    )
    location = ScopedChoiceField(
        Location.objects.all(),
        label=_("Stock lies at"),
        widget=UnfoldAdminSelectWidget,
        required=False,
        empty_label=_("The store's first location"),
    )
    update = forms.BooleanField(
        label=_("Update what exists"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Otherwise what is here already is left alone."),
    )

    def __init__(self, *args: Any, user: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [
            (code, channel.label)
            for code, channel in channels().items()
            if user.has_perms(rights_of(code))
        ]
        self.fields["format"].choices = choices  # type: ignore[attr-defined]

    def options(self) -> ImportOptions:
        data = self.cleaned_data
        return ImportOptions(
            format=data["format"],
            store=data["store"],
            location=data["location"],
            update=data["update"],
            dry_run=True,
        )


@admin.register(ImportJob)
class ImportJobAdmin(ModelAdmin):
    list_display = (
        *("original_name", "format", "store", "dry_run", "status", "progress"),
        *("created_by", "created_at"),
    )
    list_filter = ("status", "format", "dry_run")
    search_fields = ("original_name",)
    list_select_related = ("store", "created_by")
    ordering = ("-pk",)
    change_list_template = "admin/integrations/import_list.html"

    @admin.display(description=_("progress"))
    def progress(self, job: ImportJob) -> str:
        return f"{job.percent} %"

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "integrations_importjob"
        return [
            path("export/<slug:code>/", wrap(self.export_view), name=f"{name}_export"),
            path("<int:pk>/run/", wrap(self.run_view), name=f"{name}_run"),
            path("<int:pk>/refused/", wrap(self.refused_view), name=f"{name}_refused"),
            *super().get_urls(),
        ]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        formats = export_formats() if request.user.has_perm("products.export_product") else []
        shown = [(code, channels()[code].label) for code in formats]
        return super().changelist_view(request, {**(extra_context or {}), "export_formats": shown})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(
            request.POST or None,
            request.FILES or None,
            initial=_initial(),
            user=request.user,
        )
        if request.method == "POST" and form.is_valid():
            upload = form.cleaned_data["file"]
            try:
                job = create_job(
                    upload=upload, name=upload.name, options=form.options(), user=request.user
                )
            except DomainError as error:
                form.add_error("file", str(error))
            else:
                return redirect(self._page(job))
        context = {"title": _("Import a file"), "form": form}
        return self._render(request, "admin/integrations/import_upload.html", context)

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        if job is None:
            raise Http404
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        self._check(request, job)
        context = {
            "title": job.original_name,
            "job": job,
            "counts": [(_(name), job.counts.get(name, 0)) for name in _counted(job)],
            "refresh": REFRESH_SECONDS if job.is_waiting else None,
            "may_run": self.has_add_permission(request) and _may_run(job),
            "changes": _table(
                [_("Line"), _("Name"), _("What"), _("Variants")],
                [[c["line"], c["name"], _what(c), c["variants"]] for c in job.preview],
            ),
            "refusals": _table(
                [_("Line"), _("Column"), _("Reason")],
                [[r["line"], r["column"], r["reason"]] for r in job.refusals],
            ),
        }
        return self._render(request, "admin/integrations/import_job.html", context)

    def run_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The import itself, after its preview."""
        if request.method != "POST" or not self.has_add_permission(request):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request), pk=pk)
        self._check(request, job)
        try:
            start_import(job=job)
        except DomainError as error:
            messages.error(request, str(error))
        return redirect(self._page(job))

    def _check(self, request: HttpRequest, job: ImportJob) -> None:
        """A job of customers is for who may have them."""
        if not request.user.has_perms(rights_of(job.format)):
            raise PermissionDenied

    def refused_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """The error file."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request), pk=pk)
        self._check(request, job)
        try:
            return private_file(*refused_rows(job), CSV)
        except NotFound as error:
            raise Http404 from error

    def export_view(self, request: HttpRequest, code: str) -> HttpResponseBase:
        """All products, or all customers, as a file."""
        if code == "customers":
            if not request.user.has_perm("customers.export_customer"):
                raise PermissionDenied
            return private_file(export_customers(), "customers.csv", CSV)
        if not request.user.has_perm("products.export_product"):
            raise PermissionDenied
        try:
            lines = export_products(format=code, store=default_store())
        except DomainError as error:
            raise Http404 from error
        return private_file(lines, f"products-{code}.csv", CSV)

    def delete_model(self, request: HttpRequest, obj: ImportJob) -> None:
        delete_job(job=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ImportJob]) -> None:
        for job in queryset:
            try:
                delete_job(job=job)
            except DomainError as error:
                messages.error(request, f"{job}: {error}")

    def _page(self, job: ImportJob) -> str:
        return reverse("admin:integrations_importjob_change", args=[job.pk])

    def _render(
        self, request: HttpRequest, template: str, context: dict[str, Any]
    ) -> TemplateResponse:
        shared = {**self.admin_site.each_context(request), "opts": self.opts}
        return TemplateResponse(request, template, {**shared, **context})


def _initial() -> dict[str, Any]:
    try:
        return {"store": default_store()}
    except DomainError:
        return {}


def _counted(job: ImportJob) -> tuple[str, ...]:
    """What the job counts; of a format that is gone, what products do."""
    channel = channels().get(job.format)
    return COUNTS[channel.subject if channel else "products"]


def _may_run(job: ImportJob) -> bool:
    if job.status == ImportJob.Status.FAILED:
        return True
    return job.status == ImportJob.Status.DONE and job.dry_run


def _what(change: dict[str, Any]) -> str:
    if change["action"] == "create":
        return str(_("new"))
    return ", ".join(change["changes"])


def _table(headers: list[Any], rows: list[list[Any]]) -> dict[str, Any]:
    return {"headers": headers, "rows": rows}
