"""Fraud in the back office: the review queue, the rules, and whether they are worth having."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.admin import ModelAdmin, ReadOnlyAdmin, ReadOnlyTabularInline
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.fields import AmountModelForm
from apps.fraud import services
from apps.fraud.models import Assessment, FraudRule, FraudSettings, Hit
from apps.fraud.selectors import rule_report

VERDICT_COLOURS = {"allow": "success", "review": "warning", "refuse": "danger"}
DECISION_COLOURS = {"open": "info", "released": "success", "fraud": "danger"}
REPORT_DAYS = 90


def _waits(row: Assessment) -> bool:
    is_open = row.decision == Assessment.Decision.OPEN
    return is_open and row.verdict == Assessment.Verdict.REVIEW


class FraudForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=200,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("For staff; customers aren't told."),
    )


extend_actions(
    Assessment,
    Action(
        name="release",
        label=_("Release"),
        done=_("The order may be shipped."),
        permission="fraud.decide_assessment",
        run=lambda row, data: services.release(assessment=row),
        offered=_waits,
        icon="check",
        in_list=True,
    ),
    Action(
        name="fraud",
        label=_("Cancel as fraud"),
        done=_("The order is cancelled, its money goes back."),
        permission="fraud.decide_assessment",
        run=lambda row, data: services.call_fraud(assessment=row, reason=data["reason"]),
        offered=_waits,
        form=FraudForm,
        icon="block",
        is_danger=True,
    ),
)


class HitInline(ReadOnlyTabularInline):
    model = Hit
    fields = ("kind", "points", "reason", "rule")


class QueueFilter(admin.SimpleListFilter):
    title = _("to do")
    parameter_name = "todo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("review", _("To review"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.waiting() if self.value() == "review" else queryset


@admin.register(Assessment)
class AssessmentAdmin(ReadOnlyAdmin):
    list_display = (
        *("created_at", "email", "order", "total", "score"),
        *("shown_verdict", "shown_decision", "ip", "store"),
    )
    list_select_related = ("order", "store")
    list_filter = (QueueFilter, "verdict", "decision", "store")
    search_fields = ("=email", "=ip", "=order__number")
    search_help_text = _("E-mail, IP address, the order's number")
    ordering = ("-pk",)
    inlines = (HitInline,)
    list_before_template = "admin/fraud/report.html"
    fieldsets = (
        (None, {"fields": (("email", "ip"), ("order", "total"), ("score", "verdict"))}),
        (_("Decision"), {"fields": (("decision", "decided_by", "decided_at"), "decision_reason")}),
        (_("More"), {"fields": (("store", "created_at"),)}),
    )
    readonly_fields = ("created_at",)
    export_fields = (
        *("created_at", "store__code", "email", "ip", "order__number", "currency", "total"),
        *("score", "verdict", "decision", "decided_by", "decided_at"),
        "decision_reason",
    )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        kinds = dict(FraudRule.Kind.choices)
        since = timezone.now() - timedelta(days=REPORT_DAYS)
        report = [(kinds.get(row.kind, row.kind), row) for row in rule_report(since=since)]
        context = {"report": report, "report_days": REPORT_DAYS}
        return super().changelist_view(request, {**(extra_context or {}), **context})

    @display(description=_("verdict"), ordering="verdict", label=VERDICT_COLOURS)
    def shown_verdict(self, row: Assessment) -> tuple[str, str]:
        return row.verdict, row.get_verdict_display()

    @display(description=_("decision"), ordering="decision", label=DECISION_COLOURS)
    def shown_decision(self, row: Assessment) -> tuple[str, str] | str:
        if row.verdict != Assessment.Verdict.REVIEW:
            return "–"
        return row.decision, row.get_decision_display()


class ValuesField(forms.CharField):
    """A list, one value a line."""

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> list[str]:
        return str(super().clean(value)).splitlines()


class RuleForm(AmountModelForm):
    values = ValuesField(
        label=_("Values"),
        required=False,
        max_length=20_000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=_("One a line: countries (ES); or mailboxes, their domains and IP addresses."),
    )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if "values" in cleaned:
            cleaned["values"] = services.listed_values(cleaned.get("kind", ""), cleaned["values"])
        return cleaned


@admin.register(FraudRule)
class FraudRuleAdmin(ModelAdmin):
    form = RuleForm
    list_display = ("__str__", "store", "points", "is_active")
    list_filter = ("store", "kind", "is_active")
    list_select_related = ("store",)
    fieldsets = (
        (None, {"fields": (("store", "is_active"), ("kind", "points"))}),
        (_("Velocity"), {"fields": (("times", "hours"),)}),
        (_("Amount"), {"fields": (("amount", "currency"),)}),
        (_("Lists"), {"fields": ("values",)}),
    )


class SettingsForm(AmountModelForm):
    engine = forms.ChoiceField(
        label=_("Engine"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text=_("Who is asked beside the rules. One that doesn't answer means a review."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields.get("engine")
        if field is not None:
            field.choices = [("", "–"), *((code, code) for code in settings.FRAUD_ENGINES)]


@admin.register(FraudSettings)
class FraudSettingsAdmin(ModelAdmin):
    form = SettingsForm
    list_display = ("store", "review_from", "refuse_from", "engine")
    list_select_related = ("store",)
    fields = ("store", ("review_from", "refuse_from"), "engine")
