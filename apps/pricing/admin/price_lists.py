"""Price lists in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from apps.core.admin import ModelAdmin
from apps.pricing.models import PriceList, PricePoint


@admin.register(PriceList)
class PriceListAdmin(ModelAdmin):
    list_display = ("name", "code", "group", "priority", "is_active")
    list_filter = ("is_active",)
    list_select_related = ("group",)
    search_fields = ("name", "code")
    autocomplete_fields = ("group",)
    fields = (("name", "code"), ("group", "priority"), "is_active")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Other systems know the list by its code.
        return [*super().get_readonly_fields(request, obj), *(["code"] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: PriceList | None = None) -> bool:
        # Without its list, a price for some would read as a price for everybody.
        allowed = super().has_delete_permission(request, obj)
        used = obj is not None and PricePoint.objects.filter(price_list=obj).exists()
        return allowed and not used
