"""Holidays."""

from __future__ import annotations

from typing import Any

from django.contrib import admin

from apps.core.admin import ModelAdmin
from apps.core.fields import AmountModelForm
from apps.shipping.models import Holiday
from apps.shipping.services import InvalidHoliday, check_holiday


class HolidayForm(AmountModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        for name in ("country", "region"):
            cleaned[name] = cleaned[name].upper()
        try:
            check_holiday(holiday=Holiday(country=cleaned["country"], region=cleaned["region"]))
        except InvalidHoliday as error:
            self.add_error(error.field, str(error))
        return cleaned


@admin.register(Holiday)
class HolidayAdmin(ModelAdmin):
    form = HolidayForm
    list_display = ("date", "name", "country", "region")
    list_filter = ("country",)
    search_fields = ("name", "=country")
    date_hierarchy = "date"
    fields = (("country", "region"), ("date", "name"))
    export_fields = ("date", "name", "region", "country")
