"""What waits for another person of the staff, and from which amount on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.accounts.models import User
from apps.core.admin import ReadOnlyAdmin, TabularInline, extend
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.context import current_actor
from apps.orders import services
from apps.orders.models import Approval, ApprovalLimit
from apps.stores.models import Store

_Status = Approval.Status
COLOURS = {
    _Status.ASKED: "warning",
    _Status.DONE: "success",
    _Status.FAILED: "danger",
    _Status.REFUSED: "danger",
    _Status.EXPIRED: "info",
}


class RefusalForm(ActionForm):
    note = forms.CharField(
        label=_("Reason"), max_length=500, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


def _user() -> User:
    return User.objects.get(pk=current_actor().user_id)


def _approve(approval: Approval, data: Mapping[str, Any]) -> Approval:
    return services.approve(approval=approval, user=_user())


def _done(approval: Approval) -> Any:
    if approval.status == _Status.FAILED:
        return _("It was approved, but failed: %s") % approval.note
    return _("It is approved and done.")


def _waits(approval: Approval) -> bool:
    return approval.status == _Status.ASKED


extend_actions(
    Approval,
    Action(
        name="approve",
        label=_("Approve"),
        done=_done,
        permission="orders.decide_approval",
        run=_approve,
        offered=_waits,
        form=ActionForm,
        icon="check",
    ),
    Action(
        name="refuse",
        label=_("Refuse"),
        done=_("It is refused."),
        permission="orders.decide_approval",
        run=lambda approval, data: services.refuse(
            approval=approval, user=_user(), note=data["note"]
        ),
        offered=_waits,
        form=RefusalForm,
        icon="block",
        is_danger=True,
    ),
)


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "order", "what", "amount", "state", "asked_by", "decided_by")
    list_select_related = ("order", "asked_by", "decided_by")
    list_filter = ("status",)
    search_fields = ("=order__number",)
    search_help_text = _("The order's number")
    ordering = ("-pk",)
    fields = (
        ("order", "what", "amount"),
        ("status", "expires_at"),
        ("asked_by", "created_at", "reason"),
        ("decided_by", "decided_at", "note"),
    )
    readonly_fields = ("what", "created_at")

    @admin.display(description=_("what"))
    def what(self, approval: Approval) -> str:
        return services.verb_label(approval.verb)

    @display(description=_("status"), ordering="status", label=COLOURS)
    def state(self, approval: Approval) -> tuple[str, str]:
        return approval.status, approval.get_status_display()


class ApprovalLimitInline(TabularInline):
    model = ApprovalLimit
    fields = ("currency", "amount")


extend(Store, ApprovalLimitInline)
