"""Many orders at once: what is to be done, how far it is, what became of each."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.core.admin import ReadOnlyAdmin
from apps.core.errors import DomainError
from apps.orders.admin.buttons import assignee_field
from apps.orders.models import BulkItem, BulkJob
from apps.orders.services.bulk import Ask, cancel_bulk, progress, start_bulk, verbs

# How often a page with running work looks again.
REFRESH_SECONDS = 3
# Refused orders that a page shows.
MOST_SHOWN = 200
_COLOURS = {
    BulkJob.Status.DRAFT: "warning",
    BulkJob.Status.QUEUED: "info",
    BulkJob.Status.RUNNING: "info",
    BulkJob.Status.DONE: "success",
    BulkJob.Status.CANCELLED: "warning",
    BulkJob.Status.FAILED: "danger",
}


class ChangeManyForm(forms.Form):
    """One form for all actions, so that it needs no script; each takes what is named as its own."""

    action = forms.ChoiceField(label=_("Action"), widget=UnfoldAdminSelectWidget)
    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=1000,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("To add or remove tags; separated by commas."),
    )
    assignee = assignee_field(_("To assign."))
    text = forms.CharField(
        label=_("Text"),
        required=False,
        max_length=5000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Of a note, or the reason why orders are cancelled."),
    )
    is_public = forms.BooleanField(
        label=_("Show the note to the customer"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, request: HttpRequest, *args: Any) -> None:
        super().__init__(*args)
        offered = [verb for verb in verbs() if verb.allowed(request.user.has_perm)]
        choices = [(verb.name, verb.label) for verb in offered]
        self.fields["action"].choices = choices  # type: ignore[attr-defined]
        self.asks = {verb.name: verb.asks for verb in offered if verb.asks}
        for verb in offered:
            for ask in verb.asks:
                self.fields[ask.name] = _field(ask, verb.label)

    def verb_data(self) -> dict[str, Any]:
        """What the chosen action takes of the form."""
        data = self.cleaned_data
        names = [name.strip() for name in data["tags"].split(",") if name.strip()]
        who = data["assignee"]
        return {
            "cancel": {"reason": data["text"]},
            "tag": {"tags": names},
            "untag": {"tags": names},
            "assign": {"assignee": who and who.email},
            "note": {"message": data["text"], "is_public": data["is_public"]},
        }.get(data["action"]) or {
            ask.name: data[ask.name] for ask in self.asks.get(data["action"], ())
        }


def _field(ask: Ask, used_for: Any) -> forms.Field:
    if ask.choices is None:
        return forms.CharField(
            label=ask.label,
            help_text=used_for,
            required=False,
            max_length=200,
            widget=UnfoldAdminTextInputWidget,
        )
    choices = [("", "–"), *((choice, choice) for choice in ask.choices())]
    return forms.ChoiceField(
        label=ask.label,
        help_text=used_for,
        required=False,
        choices=choices,
        widget=UnfoldAdminSelectWidget,
    )


@admin.register(BulkJob)
class BulkJobAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "verb", "state", "created_by", "finished_at")
    list_filter = ("status",)
    list_select_related = ("created_by",)
    ordering = ("-pk",)

    @display(description=_("status"), ordering="status", label=_COLOURS)
    def state(self, job: BulkJob) -> tuple[str, str]:
        return job.status, job.get_status_display()

    def get_urls(self) -> list[URLPattern]:
        wrap = self.admin_site.admin_view
        return [
            path(
                "<int:pk>/cancel/",
                wrap(require_POST(self.cancel_view)),
                name="orders_bulkjob_cancel",
            ),
            *super().get_urls(),
        ]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The question what to do while it is being prepared; then its progress."""
        job = self.get_object(request, object_id)
        if job is None:
            raise Http404
        if not self.has_view_permission(request, job):
            raise PermissionDenied
        is_draft = job.status == BulkJob.Status.DRAFT
        may = request.user.has_perm("orders.add_bulkjob")
        form = ChangeManyForm(request, request.POST or None) if is_draft and may else None
        if form is not None and form.is_valid() and self._start(request, job, form):
            return redirect(self._page(job))
        counts = progress(job)
        refused = job.items.filter(status=BulkItem.Status.REFUSED).select_related("order")
        context = {
            **self.admin_site.each_context(request),
            "title": str(job),
            "opts": self.opts,
            "job": job,
            "label": {verb.name: verb.label for verb in verbs()}.get(job.verb, job.verb),
            "form": form,
            "counts": counts,
            "handled": counts["done"] + counts["refused"],
            "refresh": REFRESH_SECONDS if job.is_waiting else None,
            "may_cancel": may and (is_draft or job.is_waiting),
            "refused": refused.order_by("order_id")[:MOST_SHOWN],
        }
        return TemplateResponse(request, "admin/orders/bulk_job.html", context)

    def _start(self, request: HttpRequest, job: BulkJob, form: ChangeManyForm) -> bool:
        try:
            start_bulk(
                job=job,
                verb=form.cleaned_data["action"],
                data=form.verb_data(),
                user=request.user,
            )
        except DomainError as error:
            form.add_error(None, str(error))
            return False
        return True

    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        if not request.user.has_perm("orders.add_bulkjob"):
            raise PermissionDenied
        job = get_object_or_404(self.get_queryset(request), pk=pk)
        try:
            cancel_bulk(job=job)
        except DomainError as error:
            messages.error(request, str(error))
        return redirect(self._page(job))

    def _page(self, job: BulkJob) -> str:
        return reverse("admin:orders_bulkjob_change", args=[job.pk])
