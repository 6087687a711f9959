"""Who used a promotion: to be looked at."""

from __future__ import annotations

from django.contrib import admin

from apps.core.admin import ReadOnlyAdmin
from apps.promotions.models import Redemption


@admin.register(Redemption)
class RedemptionAdmin(ReadOnlyAdmin):
    """The customer's digest is nobody's business."""

    list_display = ("created_at", "promotion", "coupon", "reference", "amount", "currency")
    list_filter = ("currency",)
    list_select_related = ("promotion", "coupon")
    search_fields = ("=reference", "=coupon__code", "=promotion__code")
    ordering = ("-pk",)
    fields = (("promotion", "coupon"), "reference", ("amount", "currency"), "created_at")
    readonly_fields = ("created_at",)
