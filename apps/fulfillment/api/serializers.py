"""Input and output of the shipments' API."""

from __future__ import annotations

from rest_framework import serializers

from apps.core.api.serializers import QuantityField, StrictSerializer
from apps.fulfillment.models import Fulfillment, FulfillmentLine


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


class ShipInput(TrackingInput):
    lines = ShipLineInput(many=True, required=False, max_length=200)


class FulfillmentLineSerializer(serializers.ModelSerializer[FulfillmentLine]):
    sku = serializers.CharField(source="order_line.sku")

    class Meta:
        model = FulfillmentLine
        fields = ["sku", "quantity"]


class FulfillmentSerializer(serializers.ModelSerializer[Fulfillment]):
    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="order.number")
    lines = FulfillmentLineSerializer(many=True)

    class Meta:
        model = Fulfillment
        fields = [
            "id",
            "order",
            "status",
            "carrier",
            "tracking_number",
            "tracking_url",
            "shipped_at",
            "delivered_at",
            "lines",
        ]
