"""Shipments in the back office: on the order's page, where they are made, and by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, extend
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment, FulfillmentLine
from apps.orders import states
from apps.orders.models import Order

STATUS_COLOURS = {
    Fulfillment.Status.SHIPPED: "info",
    Fulfillment.Status.DELIVERED: "success",
}
_TRACKING = ("carrier", "tracking_number", "tracking_url")


class TrackingForm(ActionForm):
    carrier = forms.CharField(
        label=_("Carrier"), required=False, max_length=60, widget=UnfoldAdminTextInputWidget
    )
    tracking_number = forms.CharField(
        label=_("Tracking number"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget,
    )
    tracking_url = forms.URLField(
        label=_("Tracking address"),
        required=False,
        max_length=500,
        assume_scheme="https",
        widget=UnfoldAdminURLInputWidget,
    )

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        if isinstance(obj, Fulfillment):
            for name in _TRACKING:
                self.fields[name].initial = getattr(obj, name)


class ShipForm(TrackingForm):
    """Starts with everything that is left. Each line has a field, named by its public id."""

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(order, *args, **kwargs)
        self.lines = {}
        tracking, self.fields = self.fields, {}
        for line in order.lines.all():
            if left := line.quantity - line.fulfilled_quantity:
                self.lines[str(line.public_id)] = left
                self.fields[str(line.public_id)] = forms.IntegerField(
                    label=f"{line.name} ({line.sku})",
                    help_text=_("%(left)d of %(quantity)d left to ship")
                    % {"left": left, "quantity": line.quantity},
                    initial=left,
                    min_value=0,
                    max_value=left,
                    widget=UnfoldAdminIntegerFieldWidget,
                )
        self.fields |= tracking

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        quantities = {name: cleaned[name] for name in self.lines if cleaned.get(name)}
        if not quantities and not self.errors:
            raise ValidationError(_("Choose at least one piece."))
        names = ("once", *_TRACKING)
        return {**{n: cleaned.get(n, "") for n in names}, "quantities": quantities}


def _can_ship(order: Order) -> bool:
    return order.status in (states.CONFIRMED, states.PROCESSING)


def _ship(order: Order, data: Mapping[str, Any]) -> Fulfillment:
    return services.fulfill(order=order, **data)


SHIP: dict[str, Any] = {
    "done": _("The parcel is on its way."),
    "permission": "fulfillment.ship_order",
    "icon": "local_shipping",
}
extend_actions(
    Order,
    Action(name="ship", label=_("Ship"), run=_ship, offered=_can_ship, form=ShipForm, **SHIP),
    Action(
        name="ship-whole",
        label=_("Ship all that is left"),
        run=_ship,
        on_page=False,
        in_list=True,
        **SHIP,
    ),
)
extend_actions(
    Fulfillment,
    Action(
        name="tracking",
        label=_("Set tracking"),
        done=_("The tracking is set."),
        permission="fulfillment.ship_order",
        run=lambda shipment, data: services.set_tracking(shipment=shipment, **data),
        form=TrackingForm,
        icon="barcode_scanner",
    ),
    Action(
        name="deliver",
        label=_("Mark delivered"),
        done=_("The parcel has arrived."),
        permission="fulfillment.ship_order",
        run=lambda shipment, data: services.mark_delivered(shipment=shipment),
        offered=lambda shipment: shipment.status == Fulfillment.Status.SHIPPED,
        icon="where_to_vote",
        in_list=True,
    ),
)


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
    list_display = ("number", "shipped_at", "carrier", "tracking", "state", "delivered_at")
    list_select_related = ("order",)
    list_filter = ("status",)
    search_fields = ("=tracking_number", "=order__number")
    search_help_text = _("Tracking number, or the order's number")
    ordering = ("-pk",)
    fields = (
        ("order_link", "status"),
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
