"""Shipments in the back office: how they are shown."""

from __future__ import annotations

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import (
    Column,
    ReadOnlyAdmin,
    ReadOnlyTabularInline,
    extend,
    extend_list,
    money_text,
)
from apps.core.errors import DomainError
from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment, FulfillmentLine
from apps.fulfillment.selectors import companions, duties_paid, shipment_duties
from apps.orders.models import Order

_MOST = services.MAX_SHIPMENTS
# Orders that the list of orders names beside one.
_NAMED = 3
WITH_OTHERS = ("carries__order", "carried_by__carries__order")
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


def _others(shipment: Fulfillment) -> str:
    """Numbers of the other orders in its parcel."""
    numbers = {each.order.number for each in shipment.together} - {shipment.order.number}
    return ", ".join(sorted(numbers))


def _duties(shipment: Fulfillment) -> str:
    """What customs will probably take of its parcels, and who bears it."""
    duties = shipment_duties(shipment, timezone.now().date())
    if duties is None:
        return "–"
    terms = "DDP" if duties_paid(shipment) else "DAP"
    text = f"{money_text(duties.amount, duties.currency)} {terms}"
    if duties.unknown:
        text += " " + _("(no rate for %s)") % ", ".join(duties.unknown)
    return text


class ShipmentInline(ReadOnlyTabularInline):
    model = Fulfillment
    fields = (
        *("shipped_at", "state", "carrier", "tracking", "contents", "together", "duties"),
        "buttons",
    )
    readonly_fields = (
        *("shipped_at", "state", "tracking", "contents", "together", "duties", "buttons"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fulfillment]:
        shipments = (
            super()
            .get_queryset(request)
            .select_related("carried_by__order", "order__store", "location")
        )
        return shipments.prefetch_related("lines__order_line__variant", *WITH_OTHERS).order_by("pk")

    @admin.display(description=_("duties (estimate)"))
    def duties(self, shipment: Fulfillment) -> str:
        return _duties(shipment)

    @admin.display(description=_("in one parcel with"))
    def together(self, shipment: Fulfillment) -> str:
        return _others(shipment)

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


def _ready_with(orders: list[Order]) -> dict[int, str]:
    return {
        pk: ", ".join([*numbers[:_NAMED], *(["…"] if len(numbers) > _NAMED else [])])
        for pk, numbers in companions(orders).items()
    }


extend_list(Order, Column(name="ready_with", label=_("ready to ship with"), read=_ready_with))


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
        "together",
        "location",
        "shipped_at",
        "carrier",
        "tracking",
        "state",
        "delivered_at",
    )
    list_select_related = ("order", "location", "carried_by__order")
    list_filter = ("status", "location")
    search_fields = ("=tracking_number", "=order__number")
    search_help_text = _("Tracking number, or the order's number")
    ordering = ("-pk",)
    fields = (
        ("order_link", "status", "location"),
        "together",
        ("carrier", "tracking"),
        "duties",
        ("shipped_at", "delivered_at"),
        "public_id",
    )
    readonly_fields = ("order_link", "together", "tracking", "duties", "shipped_at", "public_id")
    inlines = (ShipmentLineInline,)
    export_fields = (
        *("order__number", "shipped_at", "carrier", "tracking_number", "status"),
        "delivered_at",
    )

    actions = ("print_papers",)

    @admin.display(description=_("duties (estimate)"))
    def duties(self, shipment: Fulfillment) -> str:
        return _duties(shipment)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Fulfillment]:
        return super().get_queryset(request).prefetch_related(*WITH_OTHERS)

    @admin.display(description=_("in one parcel with"))
    def together(self, shipment: Fulfillment) -> str:
        return _others(shipment)

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
