"""Groups of customers, and the words that staff put on them."""

from __future__ import annotations

from django.contrib import admin
from django.http import HttpRequest

from apps.core.admin import ModelAdmin
from apps.customers.models import CustomerGroup, CustomerTag


@admin.register(CustomerGroup)
class CustomerGroupAdmin(ModelAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")

    def get_readonly_fields(
        self, request: HttpRequest, obj: CustomerGroup | None = None
    ) -> tuple[str, ...]:
        # Other systems know the group by its code.
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: CustomerGroup | None = None) -> bool:
        # Its customers would silently lose their prices.
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.customers.exists())


@admin.register(CustomerTag)
class CustomerTagAdmin(ModelAdmin):
    """Tags are made where they are put on customers; here they are taken away from all of them."""

    list_display = ("name", "created_at")
    search_fields = ("key__startswith",)
    readonly_fields = ("name",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: CustomerTag | None = None) -> bool:
        return False
