"""Input and output of the shipments' API."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.serializers import MoneyDocument, QuantityField, RowField, StrictSerializer
from apps.core.money import money_json
from apps.fulfillment.models import (
    Fulfillment,
    FulfillmentLine,
    Parcel,
    ShippingLabel,
    TrackingEvent,
)
from apps.fulfillment.services import MAX_PARCELS, MAX_TOGETHER
from apps.inventory.models import Location

# 10 tonnes, 100 metres.
_MOST_GRAMS, _MOST_MM = 10_000_000, 100_000


class ShipLineInput(StrictSerializer):
    id = serializers.UUIDField(help_text="The order line.")
    quantity = QuantityField()


class TrackingInput(StrictSerializer):
    carrier = serializers.CharField(required=False, allow_blank=True, max_length=60, default="")
    tracking_number = serializers.CharField(
        required=False, allow_blank=True, max_length=100, default=""
    )
    tracking_url = serializers.URLField(
        required=False, allow_blank=True, max_length=500, default=""
    )


class LocationField(RowField):
    """A location by its code."""


def _location() -> LocationField:
    return LocationField(
        Location.objects.filter(is_active=True),
        key="code",
        required=False,
        help_text="Code of the location whose pieces leave; without it, wherever they are.",
    )


class ShipInput(TrackingInput):
    lines = ShipLineInput(many=True, required=False, max_length=200)
    location = _location()


class ParcelInput(StrictSerializer):
    weight = QuantityField(min_value=0, max_value=_MOST_GRAMS, help_text="Grams.")
    length = QuantityField(min_value=0, max_value=_MOST_MM, required=False, help_text="mm")
    width = QuantityField(min_value=0, max_value=_MOST_MM, required=False, help_text="mm")
    height = QuantityField(min_value=0, max_value=_MOST_MM, required=False, help_text="mm")


class ParcelsInput(StrictSerializer):
    parcels = ParcelInput(many=True, allow_empty=False, max_length=MAX_PARCELS)


class PlanInput(StrictSerializer):
    lines = ShipLineInput(many=True, required=False, max_length=200)
    location = _location()
    parcels = ParcelInput(many=True, required=False, max_length=MAX_PARCELS)


class LabelInput(StrictSerializer):
    carrier = serializers.SlugField(max_length=40, help_text="A code of SHIPPING_CARRIERS.")
    service = serializers.CharField(max_length=60, help_text="The carrier's code of its service.")


class OutcomeInput(StrictSerializer):
    outcome = serializers.ChoiceField(["delivered", "failed", "returned"])


class FulfillmentLineSerializer(serializers.ModelSerializer[FulfillmentLine]):
    sku = serializers.CharField(source="order_line.sku")

    class Meta:
        model = FulfillmentLine
        fields = ["sku", "quantity"]


class TrackingEventSerializer(serializers.ModelSerializer[TrackingEvent]):
    class Meta:
        model = TrackingEvent
        fields = ["at", "status", "message", "location"]


class ParcelLabelSerializer(serializers.ModelSerializer[ShippingLabel]):
    id = serializers.UUIDField(source="public_id")
    status = serializers.CharField(help_text="pending, bought or voiding.")
    price = serializers.SerializerMethodField()

    class Meta:
        model = ShippingLabel
        fields = ["id", "status", "carrier", "service", "tracking_number", "price", "error"]

    @extend_schema_field(MoneyDocument(allow_null=True))
    def get_price(self, label: Any) -> Any:
        return money_json(label.amount, label.currency) if label.currency else None


class ParcelSerializer(serializers.ModelSerializer[Parcel]):
    status = serializers.CharField(help_text="As the carrier says; empty: not known yet.")
    label = serializers.SerializerMethodField()
    events = TrackingEventSerializer(many=True)

    class Meta:
        model = Parcel
        fields = [
            "weight",
            "length",
            "width",
            "height",
            "carrier",
            "tracking_number",
            "status",
            "label",
            "events",
        ]

    @extend_schema_field(ParcelLabelSerializer(allow_null=True))
    def get_label(self, parcel: Any) -> Any:
        return ParcelLabelSerializer(parcel.living[0]).data if parcel.living else None


class TogetherInput(StrictSerializer):
    orders = serializers.ListField(
        child=serializers.CharField(max_length=30),
        min_length=2,
        max_length=MAX_TOGETHER,
        help_text="Numbers of orders.",
    )


class FulfillmentSerializer(serializers.ModelSerializer[Fulfillment]):
    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="order.number")
    location = serializers.CharField(source="location.code", default=None, allow_null=True)
    lines = FulfillmentLineSerializer(many=True)
    parcels = ParcelSerializer(source="lead.parcels", many=True)
    together = serializers.SerializerMethodField()

    class Meta:
        model = Fulfillment
        fields = [
            "id",
            "order",
            "location",
            "status",
            "carrier",
            "tracking_number",
            "tracking_url",
            "shipped_at",
            "delivered_at",
            "lines",
            "parcels",
            "together",
        ]

    @extend_schema_field(
        serializers.ListField(
            child=serializers.CharField(), help_text="Numbers of the other orders in its parcels."
        )
    )
    def get_together(self, shipment: Any) -> Any:
        numbers = {each.order.number for each in shipment.together}
        return sorted(numbers - {shipment.order.number})


class PlannedSerializer(serializers.Serializer[Any]):
    results = FulfillmentSerializer(many=True)


class ShipmentDutiesDocument(serializers.Serializer[Any]):
    terms = serializers.ChoiceField(["DDP", "DAP"], help_text="DDP: the shop bears the duties.")
    is_estimate = serializers.BooleanField(help_text="Always true: customs decide.")
    amount = MoneyDocument()
    is_free = serializers.BooleanField(help_text="Worth too little to pay any.")
    unknown = serializers.ListField(
        child=serializers.CharField(), help_text="SKUs without a rate; not in the amount."
    )


class ShipmentDutiesSerializer(serializers.Serializer[Any]):
    duties = ShipmentDutiesDocument(allow_null=True)
