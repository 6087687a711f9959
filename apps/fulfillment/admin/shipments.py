"""Shipments in the back office: how they are shown."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, extend
from apps.core.errors import DomainError
from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment, FulfillmentLine
from apps.orders.models import Order

_MOST = services.MAX_SHIPMENTS
STATUS_COLOURS = {
    Fulfillment.Status.PLANNED: "warning",
    Fulfillment.Status.LABELLED: "warning",
    Fulfillment.Status.SHIPPED: "info",
    Fulfillment.Status.DELIVERED: "success",
    Fulfillment.Status.FAILED: "danger",
    Fulfillment.Status.RETURNED: "danger",
}


def _tracking_link(shipment: Fulfillment) -> str:
    text = shipment.tracking_number or shipment.tracking_url
    if not shipment.tracking_url.startswith(("https://", "http://")):
        return text
    return format_html(
        '<a href="{}" class="text-link" target="_blank" rel="noopener noreferrer">{}</a>',
        shipment.tracking_url,
        text,
    )


class ShipmentInline(ReadOnlyTabularInline):
    model = Fulfillment
    fields = ("shipped_at", "state", "carrier", "tracking", "contents", "buttons")
    readonly_fields = ("shipped_at", "state", "tracking", "contents", "buttons")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fulfillment]:
        return super().get_queryset(request).prefetch_related("lines__order_line").order_by("pk")

    @admin.display(description=_("status"))
    def state(self, shipment: Fulfillment) -> str:
        return shipment.get_status_display()

    @admin.display(description=_("tracking"))
    def tracking(self, shipment: Fulfillment) -> str:
        return _tracking_link(shipment)

    @admin.display(description=_("contents"))
    def contents(self, shipment: Fulfillment) -> str:
        return ", ".join(
            f"{line.quantity} × {line.order_line.sku}" for line in shipment.lines.all()
        )


extend(Order, ShipmentInline)


class ShipmentLineInline(ReadOnlyTabularInline):
    model = FulfillmentLine
    fields = ("sku", "name", "quantity")
    readonly_fields = ("sku", "name")

    def get_queryset(self, request: HttpRequest) -> QuerySet[FulfillmentLine]:
        return super().get_queryset(request).select_related("order_line")

    @admin.display(description=_("SKU"))
    def sku(self, line: FulfillmentLine) -> str:
        return line.order_line.sku

    @admin.display(description=_("name"))
    def name(self, line: FulfillmentLine) -> str:
        return line.order_line.name


@admin.register(Fulfillment)
class FulfillmentAdmin(ReadOnlyAdmin):
    list_display = (
        "number",
        "location",
        "shipped_at",
        "carrier",
        "tracking",
        "state",
        "delivered_at",
    )
    list_select_related = ("order", "location")
    list_filter = ("status", "location")
    search_fields = ("=tracking_number", "=order__number")
    search_help_text = _("Tracking number, or the order's number")
    ordering = ("-pk",)
    fields = (
        ("order_link", "status", "location"),
        ("carrier", "tracking"),
        ("shipped_at", "delivered_at"),
        "public_id",
    )
    readonly_fields = ("order_link", "tracking", "shipped_at", "public_id")
    inlines = (ShipmentLineInline,)
    export_fields = (
        *("order__number", "shipped_at", "carrier", "tracking_number", "status"),
        "delivered_at",
    )

    actions = ("print_papers",)

    @admin.action(description=_("Print packing slips and labels"), permissions=["print"])
    def print_papers(self, request: HttpRequest, queryset: QuerySet[Fulfillment]) -> None:
        try:
            services.print_papers(shipments=list(queryset.order_by("pk")[: _MOST + 1]))
        except DomainError as error:
            messages.error(request, str(error))
        else:
            messages.success(request, _("The file is being made: look at the print jobs."))

    def has_print_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("fulfillment.print_papers")

    @admin.display(description=_("order"), ordering="order")
    def number(self, shipment: Fulfillment) -> str:
        return shipment.order.number

    @admin.display(description=_("order"))
    def order_link(self, shipment: Fulfillment) -> str:
        url = reverse("admin:orders_order_change", args=[shipment.order_id])
        return format_html('<a href="{}" class="text-link">{}</a>', url, shipment.order.number)

    @admin.display(description=_("tracking"))
    def tracking(self, shipment: Fulfillment) -> str:
        return _tracking_link(shipment)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, shipment: Fulfillment) -> tuple[str, str]:
        return shipment.status, shipment.get_status_display()
