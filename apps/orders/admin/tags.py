"""The words that staff put on orders."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from apps.core.admin import ModelAdmin
from apps.orders.models import OrderTag


@admin.register(OrderTag)
class OrderTagAdmin(ModelAdmin):
    """Tags are made where they are put on orders; here they are taken away from all of them."""

    list_display = ("name", "created_at")
    search_fields = ("key__startswith",)
    readonly_fields = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: OrderTag | None = None) -> bool:
        return False
