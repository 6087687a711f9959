"""Duty rates, and what is let in without duties."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ModelAdmin
from apps.core.fields import AmountModelForm
from apps.shipping.models import DutyRate, DutyThreshold
from apps.shipping.services import InvalidDuty, check_duty

_CODES = ("country", "region", "origin")


class DutyForm(AmountModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        for name in _CODES:
            if name in cleaned:
                cleaned[name] = cleaned[name].upper()
        model: Any = self._meta.model
        try:
            check_duty(row=model(**cleaned))
        except InvalidDuty as error:
            self.add_error(error.field, str(error))
        return cleaned


@admin.register(DutyRate)
class DutyRateAdmin(ModelAdmin):
    form = DutyForm
    list_display = ("country", "region", "hs_prefix", "origin", "percent")
    list_filter = ("country",)
    search_fields = ("=country", "^hs_prefix")
    fields = (("country", "region"), ("hs_prefix", "origin"), "basis_points")
    export_fields = ("country", "region", "hs_prefix", "origin", "basis_points")

    @display(description=_("percent"), ordering="basis_points")
    def percent(self, row: DutyRate) -> str:
        return f"{row.basis_points / 100:.2f} %"


@admin.register(DutyThreshold)
class DutyThresholdAdmin(ModelAdmin):
    form = DutyForm
    list_display = ("country", "region", "amount", "currency")
    fields = (("country", "region"), ("currency", "amount"))
