"""Shipments in the back office: on the order's page, where they are made, and by themselves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldAdminURLInputWidget,
)

from apps.core.admin_actions import Action, ActionForm, extend_actions, pieces_field
from apps.fulfillment import services, states
from apps.fulfillment.models import Fulfillment
from apps.fulfillment.selectors import companions, set_aside
from apps.orders import states as order_states
from apps.orders.models import Order
from apps.shipping.carriers import label_carriers

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
        aside = set_aside(order)
        for line in order.lines.all():
            if left := line.quantity - line.fulfilled_quantity - aside.get(line.pk, 0):
                self.lines[str(line.public_id)] = left
                self.fields[str(line.public_id)] = pieces_field(
                    f"{line.name} ({line.sku})",
                    initial=left,
                    most=left,
                    help_text=_("%(left)d of %(quantity)d left to ship")
                    % {"left": left, "quantity": line.quantity},
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
    return order.status in (order_states.CONFIRMED, order_states.PROCESSING)


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
    Action(
        name="plan",
        label=_("Plan shipments"),
        done=_("The shipments are planned."),
        permission="fulfillment.ship_order",
        run=lambda order, data: services.plan_whole(order=order),
        offered=_can_ship,
        icon="inventory",
        in_list=True,
    ),
)


class TogetherForm(ActionForm):
    """With which of the customer's other orders, all of them at first."""

    orders = forms.MultipleChoiceField(
        label=_("Together with"), widget=UnfoldAdminCheckboxSelectMultipleWidget
    )

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(order, *args, **kwargs)
        numbers = companions([order]).get(order.pk, [])
        field: Any = self.fields["orders"]
        field.choices = [(number, number) for number in numbers]
        field.initial = numbers


def _together(order: Order, data: Mapping[str, Any]) -> Any:
    others = Order.objects.filter(number__in=data.get("orders", ()))
    return services.ship_together(orders=[order, *others])


extend_actions(
    Order,
    Action(
        name="together",
        label=_("Ship together"),
        done=_("They share a parcel."),
        permission="fulfillment.ship_order",
        run=_together,
        run_all=lambda orders: services.ship_together(orders=orders),
        offered=lambda order: bool(companions([order])),
        form=TogetherForm,
        icon="deployed_code",
        in_list=True,
    ),
)


class LabelForm(ActionForm):
    carrier = forms.ChoiceField(label=_("Carrier"), widget=UnfoldAdminSelectWidget)
    service = forms.CharField(
        label=_("Service"),
        max_length=60,
        help_text=_("The carrier's code of its service."),
        widget=UnfoldAdminTextInputWidget,
    )

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        codes: Any = self.fields["carrier"]
        codes.choices = [(code, code) for code in label_carriers()]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        return {name: cleaned.get(name, "") for name in ("once", "carrier", "service")}


def _waits(shipment: Fulfillment) -> bool:
    return shipment.status in states.WAITING


def _may(event: str) -> Callable[[Fulfillment], bool]:
    return lambda shipment: states.target(shipment.status, event) is not None


def _marking(name: str, event: str, label: Any, icon: str) -> Action:
    return Action(
        name=name,
        label=label,
        permission="fulfillment.ship_order",
        run=lambda shipment, data: services.mark(shipment=shipment, event=event),
        offered=_may(event),
        icon=icon,
        is_danger=event != "deliver",
        in_list=event == "deliver",
        done=_("Noted."),
    )


extend_actions(
    Fulfillment,
    Action(
        name="send",
        label=_("Ship"),
        run=lambda shipment, data: services.ship(shipment=shipment, **data),
        offered=_waits,
        form=TrackingForm,
        in_list=True,
        **SHIP,
    ),
    Action(
        name="label",
        label=_("Buy labels"),
        done=_("The labels are bought."),
        permission="fulfillment.ship_order",
        run=lambda shipment, data: services.buy_labels(shipment=shipment, **data),
        offered=lambda shipment: shipment.status == states.PLANNED,
        form=LabelForm,
        icon="label",
    ),
    Action(
        name="void",
        label=_("Give labels back"),
        done=_("The labels are given back."),
        permission="fulfillment.ship_order",
        run=lambda shipment, data: services.void_labels(shipment=shipment),
        offered=_may("void"),
        icon="label_off",
        is_danger=True,
    ),
    Action(
        name="give-up",
        label=_("Give up"),
        done=_("The shipment is given up."),
        permission="fulfillment.ship_order",
        run=lambda shipment, data: services.cancel_shipment(shipment=shipment),
        offered=_may("cancel"),
        icon="cancel",
        is_danger=True,
    ),
    Action(
        name="separate",
        label=_("Give it its own parcel"),
        done=_("It has its own parcel."),
        permission="fulfillment.ship_order",
        run=lambda shipment, data: services.separate(shipment=shipment),
        offered=lambda shipment: _waits(shipment) and len(shipment.together) > 1,
        icon="call_split",
    ),
    Action(
        name="tracking",
        label=_("Set tracking"),
        done=_("The tracking is set."),
        permission="fulfillment.ship_order",
        run=lambda shipment, data: services.set_tracking(shipment=shipment, **data),
        form=TrackingForm,
        icon="barcode_scanner",
    ),
    _marking("deliver", "deliver", _("Mark delivered"), "where_to_vote"),
    _marking("failed", "fail", _("Delivery failed"), "wrong_location"),
    _marking("returned", "return", _("Returned to sender"), "assignment_return"),
)
