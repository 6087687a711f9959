"""Every price that ever was, in the back office: to be looked at."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, extend
from apps.pricing.models import PricePoint
from apps.products.models import Variant


class PricePointInline(ReadOnlyTabularInline):
    model = PricePoint
    fields = (
        *("created_at", "amount", "compare_at", "currency", "store", "price_list"),
        *("min_quantity", "valid_from", "valid_to", "promotion", "actor"),
    )
    readonly_fields = ("created_at",)
    ordering = ("-pk",)
    # A price that follows a market changes every day.
    per_page = 20

    def get_queryset(self, request: HttpRequest) -> QuerySet[PricePoint]:
        return super().get_queryset(request).select_related("store", "price_list")


extend(Variant, PricePointInline)


@admin.register(PricePoint)
class PricePointAdmin(ReadOnlyAdmin):
    list_display = (
        "created_at",
        "variant",
        "amount",
        "currency",
        "store",
        "price_list",
        "min_quantity",
        "promotion",
        "actor",
    )
    list_filter = ("currency", "store", "price_list")
    list_select_related = ("variant", "store", "price_list")
    search_fields = ("variant__sku", "actor")
    ordering = ("-pk",)
