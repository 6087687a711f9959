"""Shapes of the inventory's API."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.core.api.serializers import AddressSerializer, QuantityField, RowField, StrictSerializer
from apps.core.scopes import scoped
from apps.inventory.models import Location, StockLevel, StockMovement
from apps.inventory.services import QUARANTINE_OUTCOMES
from apps.products.models import Variant
from apps.stores.models import Store


def variant_field() -> RowField:
    """A variant by its SKU."""
    return RowField(Variant.objects.all(), key="sku", source="variant")


def location_field() -> RowField:
    """A location by its code."""
    return RowField(Location.objects.all(), help_text="A location's code.")


class LocationSerializer(serializers.ModelSerializer[Location]):
    address = serializers.DictField(child=serializers.CharField(), read_only=True)
    stores = serializers.SlugRelatedField(slug_field="code", many=True, read_only=True)

    class Meta:
        model = Location
        fields = ("code", "name", "country", "address", "priority", "is_active", "stores")
        read_only_fields = fields


class LocationChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120)
    country = serializers.CharField(
        max_length=2, required=False, help_text="ISO 3166-1 alpha-2.", default="ES"
    )
    address = AddressSerializer(required=False)
    priority = QuantityField(
        min_value=0, required=False, help_text="Lower numbers ship first.", default=0
    )
    is_active = serializers.BooleanField(required=False, default=True)
    stores = serializers.ListField(
        child=RowField(Store.objects.all()),
        max_length=200,
        required=False,
        help_text="Codes of the stores that sell from here; empty means all.",
    )


class LocationInputSerializer(LocationChangeSerializer):
    code = serializers.SlugField(max_length=40)


class StockLevelSerializer(serializers.ModelSerializer[StockLevel]):
    """`available` is what may still be sold: on_hand + backorder_limit - held - committed."""

    sku = serializers.CharField(source="variant.sku", read_only=True)
    location = serializers.CharField(source="location.code", read_only=True)
    available = serializers.IntegerField(read_only=True)

    class Meta:
        model = StockLevel
        fields = (
            "sku",
            "location",
            "on_hand",
            "quarantined",
            "held",
            "committed",
            "available",
            "backorder_limit",
            "low_stock_threshold",
        )
        read_only_fields = fields


class AlertSerializer(StockLevelSerializer):
    product = serializers.CharField(source="variant.product.slug", read_only=True)
    low_since = serializers.DateTimeField(read_only=True, allow_null=True)

    class Meta(StockLevelSerializer.Meta):
        fields = ("product", *StockLevelSerializer.Meta.fields, "low_since")
        read_only_fields = fields


class InventorySerializer(serializers.Serializer[Any]):
    product = serializers.CharField(help_text="The product's slug.")
    levels = StockLevelSerializer(many=True)


class LevelInputSerializer(StrictSerializer):
    sku = serializers.CharField(max_length=100)
    location = serializers.CharField(max_length=40, help_text="A location's code.")
    on_hand = QuantityField(
        min_value=0, required=False, help_text="What was counted; a movement of the difference."
    )
    backorder_limit = QuantityField(min_value=0, required=False)
    low_stock_threshold = QuantityField(min_value=0, required=False)


class InventoryInputSerializer(StrictSerializer):
    """`validated_data["levels"]` has variants and locations instead of their names."""

    levels = LevelInputSerializer(many=True, allow_empty=False, max_length=500)
    note = serializers.CharField(required=False, max_length=300, allow_blank=True, default="")

    def validate_levels(self, levels: list[dict[str, Any]]) -> list[dict[str, Any]]:
        variants = {v.sku: v for v in self.context["product"].variants.all()}
        codes = {row["location"] for row in levels}
        locations = {place.code: place for place in scoped(Location.objects.filter(code__in=codes))}
        found: dict[tuple[str, str], dict[str, Any]] = {}
        for row in levels:
            sku, code = row.pop("sku"), row.pop("location")
            if sku not in variants:
                message = _("%s isn't a variant of this product.") % sku
                raise serializers.ValidationError(message, "does_not_exist")
            if code not in locations:
                message = _("There is no location %s.") % code
                raise serializers.ValidationError(message, "does_not_exist")
            if (sku, code) in found:
                message = _("A variant is set once at each location.")
                raise serializers.ValidationError(message, "duplicate")
            found[sku, code] = {"variant": variants[sku], "location": locations[code], **row}
        return list(found.values())


class MovementSerializer(serializers.ModelSerializer[StockMovement]):
    sku = serializers.CharField(source="level.variant.sku", read_only=True)
    location = serializers.CharField(source="level.location.code", read_only=True)
    quantity = serializers.IntegerField(
        source="delta", read_only=True, help_text="Pieces; negative ones left."
    )

    class Meta:
        model = StockMovement
        fields = (
            "sku",
            "location",
            "quantity",
            "on_hand_after",
            "quarantined_delta",
            "reason",
            "reference",
            "note",
            "actor",
            "created_at",
        )
        read_only_fields = fields


class _MoveSerializer(StrictSerializer):
    sku = variant_field()
    quantity = QuantityField()
    note = serializers.CharField(required=False, max_length=300, allow_blank=True, default="")


class ReceiveSerializer(_MoveSerializer):
    location = location_field()
    reference = serializers.CharField(
        required=False, max_length=120, allow_blank=True, default="", help_text="A delivery note."
    )


class AdjustSerializer(_MoveSerializer):
    location = location_field()
    quantity = QuantityField(min_value=-1_000_000, help_text="Negative takes pieces away.")

    def validate_quantity(self, quantity: int) -> int:
        if quantity == 0:
            raise serializers.ValidationError(_("Nothing to adjust."), "min_value")
        return quantity


class QuarantineSerializer(_MoveSerializer):
    location = location_field()


class SettleQuarantineSerializer(QuarantineSerializer):
    outcome = serializers.ChoiceField(
        QUARANTINE_OUTCOMES,
        help_text="`release` to stock, `scrap`, or back to the `supplier`.",
    )


class TransferSerializer(_MoveSerializer):
    source = location_field()
    target = location_field()


class TransferResultSerializer(serializers.Serializer[Any]):
    movements = MovementSerializer(many=True, help_text="Out of the source, into the target.")
