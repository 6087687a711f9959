"""What shoppers wait for, in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ReadOnlyAdmin
from apps.wishlists.models import Alert, WantedVariant
from apps.wishlists.selectors.alerts import wanted_variants
from apps.wishlists.services import alerts


@admin.register(WantedVariant)
class WantedVariantAdmin(ReadOnlyAdmin):
    """By how many wait: what is worth ordering, or reducing."""

    list_display = ("sku", "shown_product", "waiting", "cheaper", "since")
    list_display_links = None
    search_fields = ("sku", "product__name")
    ordering = ("-pk",)
    export_fields = ("sku", "product__name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[WantedVariant]:
        return wanted_variants()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-waiting", "-pk")

    @display(description=_("product"))
    def shown_product(self, variant: Any) -> str:
        return str(variant.product)

    @display(description=_("wait for stock"), ordering="waiting")
    def waiting(self, variant: Any) -> int:
        return variant.waiting

    @display(description=_("wait for a lower price"), ordering="cheaper")
    def cheaper(self, variant: Any) -> int:
        return variant.cheaper

    @display(description=_("since"), ordering="since")
    def since(self, variant: Any) -> Any:
        return variant.since


@admin.register(Alert)
class AlertAdmin(ReadOnlyAdmin):
    """Who asked for what; may be deleted for somebody who no longer wants it."""

    list_display = ("email", "kind", "status", "variant", "store", "created_at", "told_at")
    list_filter = ("kind", "status", "store")
    list_select_related = ("variant", "store")
    search_fields = ("email", "variant__sku")
    ordering = ("-pk",)
    exclude = ("customer",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("wishlists.delete_alert")

    def delete_model(self, request: HttpRequest, obj: Alert) -> None:
        alerts.give_up_alert(alert=obj)
