"""Segments: a row for each condition, counted before they are saved."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Count, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.admin import ModelAdmin
from apps.core.admin_previews import Preview, PreviewsMixin, extend_previews
from apps.core.fields import AmountModelForm
from apps.customers.models import Segment
from apps.customers.selectors import MOST_CONDITIONS, InvalidSegment, check_conditions, matching
from apps.customers.services import segments

# By field and operator, with what is typed as the value.
KINDS = {
    "orders.at_least": _("orders, at least: 3"),
    "orders.at_most": _("orders, at most: 3"),
    "spent.at_least": _("spent, at least: 100.00 EUR"),
    "spent.at_most": _("spent, at most: 100.00 EUR"),
    "last_order.within_days": _("ordered in the last days: 90"),
    "last_order.before_days": _("ordered, but not in the last days: 90"),
    "country.in": _("address in a country: ES, PT"),
    "language.in": _("language: en, es"),
    "tag.in": _("one of the tags: VIP, press"),
    "group.in": _("one of the groups, by code: wholesale"),
    "registered.is": _("has an account: yes or no"),
    "accepts_marketing.is": _("accepts marketing: yes or no"),
}


class _SegmentForm(AmountModelForm):
    class Meta:
        model = Segment
        fields = ("code", "name", "match")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for number, condition in enumerate(self.instance.conditions):
            ((operator, value),) = ((k, v) for k, v in condition.items() if k != "field")
            self.initial[f"kind_{number}"] = f"{condition['field']}.{operator}"
            self.initial[f"value_{number}"] = _text(value)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        conditions = []
        for number in range(MOST_CONDITIONS):
            if not (kind := cleaned.get(f"kind_{number}")):
                continue
            field, _dot, operator = kind.partition(".")
            value = _value(operator, field, cleaned.get(f"value_{number}", "").strip())
            condition = {"field": field, operator: value}
            conditions.append(condition)
            try:
                check_conditions([condition])
            except InvalidSegment as error:
                self.add_error(f"value_{number}", str(error))
        if not conditions:
            raise ValidationError(_("A segment has at least one condition."))
        self.instance.conditions = conditions
        return cleaned


def _row(number: int) -> dict[str, forms.Field]:
    return {
        f"kind_{number}": forms.ChoiceField(
            label=_("Condition"),
            required=False,
            choices=[("", "–"), *KINDS.items()],
            widget=UnfoldAdminSelectWidget,
        ),
        f"value_{number}": forms.CharField(
            label=_("Value"), required=False, max_length=500, widget=UnfoldAdminTextInputWidget
        ),
    }


ROWS = [_row(number) for number in range(MOST_CONDITIONS)]
SegmentForm: Any = type(
    "SegmentForm", (_SegmentForm,), {name: field for row in ROWS for name, field in row.items()}
)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return f"{value['amount']} {value['currency']}"
    return ", ".join(value) if isinstance(value, list) else str(value)


def _value(operator: str, field: str, text: str) -> Any:
    """What was typed, as the condition has it; what it can't be is left for the check."""
    if operator == "in":
        return [word.strip() for word in text.split(",") if word.strip()]
    if operator == "is":
        return {"yes": True, "no": False}.get(text.lower(), text)
    if field == "spent":
        amount, _blank, currency = text.partition(" ")
        return {"amount": amount, "currency": currency.strip().upper()}
    return int(text) if text.isascii() and text.isdigit() else text


def _outlook(draft: Segment, data: Mapping[str, Any]) -> dict[str, Any]:
    found = matching(conditions=draft.conditions, match=draft.match)
    return {"count": found.count(), "some": found[:10]}


extend_previews(
    Segment,
    Preview(
        name="members",
        label=_("Who would be in it"),
        intro=_("By the conditions above, saved or not. Nothing is changed."),
        button=_("Count"),
        permission="customers.view_customer",
        form=forms.Form,
        run=_outlook,
        template="admin/customers/segment_preview.html",
    ),
)


@admin.register(Segment)
class SegmentAdmin(PreviewsMixin, ModelAdmin):
    form = SegmentForm
    list_display = ("name", "code", "size", "refreshed_at")
    search_fields = ("name", "code")

    def get_fieldsets(self, request: HttpRequest, obj: Segment | None = None) -> Any:
        may = self.has_change_permission(request, obj) if obj else True
        # Who may only look sees the conditions as they are stored.
        rows = tuple(tuple(row) for row in ROWS) if may else ("conditions",)
        return [
            (None, {"fields": (("name", "code"), "match")}),
            (_("Conditions"), {"fields": rows}),
        ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Segment]:
        return super().get_queryset(request).annotate(size=Count("members"))

    def get_readonly_fields(
        self, request: HttpRequest, obj: Segment | None = None
    ) -> tuple[str, ...]:
        # Promotions name it by its code.
        return ("code",) if obj else ()

    @admin.display(description=_("members"), ordering="size")
    def size(self, segment: Any) -> int:
        return int(segment.size)

    def save_model(self, request: HttpRequest, obj: Segment, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        segments.refresh_segment(segment=obj)
