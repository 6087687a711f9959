"""Where a gateway and our books differ: what there is to do, and how it was resolved."""

from __future__ import annotations

from django import forms
from django.contrib import admin
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin import ReadOnlyAdmin
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.payments import services
from apps.payments.models import ReconciliationDifference

_COLOURS = {"open": "danger", "resolved": "success", "equal": "info"}


class NoteForm(ActionForm):
    note = forms.CharField(
        label=_("Note"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("What you found, and what you did about it."),
    )


extend_actions(
    ReconciliationDifference,
    Action(
        name="adopt",
        label=_("Book what the provider says"),
        done=_("It is booked."),
        permission="payments.resolve_difference",
        run=lambda row, data: services.adopt_difference(difference=row),
        offered=lambda row: bool(row.is_open and row.payment_id),
        form=ActionForm,
        icon="sync",
    ),
    Action(
        name="resolve",
        label=_("Resolve"),
        done=_("The difference is resolved."),
        permission="payments.resolve_difference",
        run=lambda row, data: services.resolve_difference(difference=row, note=data["note"]),
        offered=lambda row: bool(row.is_open),
        form=NoteForm,
        icon="check",
    ),
)


@admin.register(ReconciliationDifference)
class ReconciliationDifferenceAdmin(ReadOnlyAdmin):
    list_display = (
        "public_id",
        "created_at",
        "order",
        "gateway",
        "kind",
        "ours",
        "theirs",
        "state",
    )
    list_select_related = ("payment__order", "payout")
    list_filter = ("status", "kind")
    search_fields = (
        "=payment__order__number",
        "=payment__provider_id",
        "=payout__provider_id",
    )
    ordering = ("-pk",)
    fields = (
        ("about", "kind"),
        ("ours", "theirs"),
        ("status", "closed_at"),
        ("note", "decided_by"),
        ("created_at", "updated_at"),
    )
    readonly_fields = ("about", "created_at", "updated_at", "closed_at")

    @admin.display(description=_("order"))
    def order(self, row: ReconciliationDifference) -> str:
        return row.payment.order.number if row.payment else ""

    @admin.display(description=_("gateway"))
    def gateway(self, row: ReconciliationDifference) -> str:
        return row.subject.gateway

    @admin.display(description=_("payment or payout"))
    def about(self, row: ReconciliationDifference) -> str:
        subject = row.subject
        url = reverse(f"admin:payments_{subject._meta.model_name}_change", args=[subject.pk])
        text = f"{subject.gateway} {subject.provider_id}"
        if row.payment:
            text = f"{row.payment.order.number}: {text}"
        return format_html('<a href="{}" class="text-link">{}</a>', url, text)

    @display(description=_("status"), ordering="status", label=_COLOURS)
    def state(self, row: ReconciliationDifference) -> tuple[str, str]:
        return row.status, row.get_status_display()
