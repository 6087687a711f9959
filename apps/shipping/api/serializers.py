"""Shapes of zones and methods."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from apps.core.api.serializers import MoneyField, QuantityField, RowField, StrictSerializer
from apps.core.money import Money
from apps.shipping.models import ShippingMethod, ShippingRate, ShippingSurcharge, Zone
from apps.shipping.services import RateData, SurchargeData
from apps.stores.models import Store

# A PositiveIntegerField of the smallest engine.
MAX_INTEGER = 2_147_483_647
_PLACES = (
    "Countries (ES), regions (ES-GC), postcodes (ES:35001, GB:BT*, ES:35000-35999), or * for"
    " everywhere else."
)


def _patterns(**kwargs: Any) -> serializers.ListField:
    return serializers.ListField(
        child=serializers.CharField(max_length=40), max_length=1000, **kwargs
    )


class ZoneSerializer(serializers.ModelSerializer[Zone]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    places = serializers.ListField(child=serializers.CharField(), read_only=True)
    exclusions = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Zone
        fields = ("id", "name", "places", "exclusions", "created_at", "updated_at")
        read_only_fields = fields


class ZoneInputSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120)
    places = _patterns(allow_empty=False, help_text=_PLACES)
    exclusions = _patterns(required=False, help_text="What doesn't belong to it: the same.")


class RateSerializer(serializers.ModelSerializer[ShippingRate]):
    price = MoneyField(read_only=True)
    per_kg = MoneyField(read_only=True)
    free_above = MoneyField(read_only=True, allow_null=True)
    min_value = MoneyField(read_only=True)
    max_value = MoneyField(read_only=True, allow_null=True)

    class Meta:
        model = ShippingRate
        fields = (
            "price",
            "per_kg",
            "free_above",
            "free_max_weight",
            "min_weight",
            "max_weight",
            "min_value",
            "max_value",
            "min_pieces",
            "max_pieces",
        )
        read_only_fields = fields


def _number(**kwargs: Any) -> QuantityField:
    return QuantityField(min_value=0, max_value=MAX_INTEGER, required=False, **kwargs)


class RateInputSerializer(StrictSerializer):
    """A price for parcels within bounds (min <= x < max) of grams, value and pieces."""

    price = MoneyField()
    per_kg = MoneyField(
        required=False, help_text="Added for each started kilogram beyond `min_weight`."
    )
    free_above = MoneyField(required=False, allow_null=True, help_text="Goods of this ship free.")
    free_max_weight = _number(allow_null=True, help_text="Heavier parcels aren't free.")
    min_weight = _number(default=0)
    max_weight = _number(allow_null=True)
    min_value = MoneyField(required=False)
    max_value = MoneyField(required=False, allow_null=True)
    min_pieces = _number(default=0)
    max_pieces = _number(allow_null=True)

    def validate(self, attrs: dict[str, Any]) -> RateData:
        # A PATCH may leave out members of the method; its rates are whole all the same.
        if "price" not in attrs:
            raise serializers.ValidationError({"price": [_("This field is required.")]}, "required")
        currency = attrs["price"].currency
        values: dict[str, Any] = {"currency": currency}
        for name, value in attrs.items():
            if isinstance(value, Money) and value.currency != currency:
                message = _("The amounts of a rate are in one currency.")
                raise serializers.ValidationError({name: [message]}, "mixed_currencies")
            values[name] = value.amount if isinstance(value, Money) else value
        return RateData(**values)


class SurchargeSerializer(serializers.ModelSerializer[ShippingSurcharge]):
    amount = MoneyField(read_only=True, allow_null=True)
    percent = serializers.DecimalField(max_digits=6, decimal_places=3, read_only=True)
    places = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = ShippingSurcharge
        fields = ("name", "amount", "percent", "places", "over_weight")
        read_only_fields = fields


class SurchargeInputSerializer(StrictSerializer):
    """Either an amount, due in its currency, or a percentage of the price."""

    name = serializers.CharField(max_length=120)
    amount = MoneyField(required=False, allow_null=True)
    percent = serializers.DecimalField(
        max_digits=6, decimal_places=3, min_value=0, max_value=100, required=False, allow_null=True
    )
    places = _patterns(required=False, help_text=f"Due there alone. {_PLACES}")
    over_weight = _number(allow_null=True, help_text="Due for more grams alone.")

    def validate(self, attrs: dict[str, Any]) -> SurchargeData:
        if "name" not in attrs:
            raise serializers.ValidationError({"name": [_("This field is required.")]}, "required")
        amount = attrs.get("amount")
        return SurchargeData(
            name=attrs["name"],
            currency=amount.currency if amount else "",
            amount=amount.amount if amount else None,
            percent=attrs.get("percent"),
            places=tuple(attrs.get("places", ())),
            over_weight=attrs.get("over_weight"),
        )


class MethodSerializer(serializers.ModelSerializer[ShippingMethod]):
    store = serializers.CharField(source="store.code", read_only=True)
    zone = serializers.UUIDField(source="zone.public_id", read_only=True)
    weekdays = serializers.ListField(child=serializers.IntegerField(), read_only=True)
    rates = RateSerializer(many=True, read_only=True)
    surcharges = SurchargeSerializer(many=True, read_only=True)

    class Meta:
        model = ShippingMethod
        fields = (
            "store",
            "code",
            "name",
            "kind",
            "zone",
            "min_days",
            "max_days",
            "cutoff_time",
            "processing_days",
            "weekdays",
            "volume_divisor",
            "weight_step",
            "carrier",
            "service",
            "per_location",
            "duties_paid",
            "position",
            "is_active",
            "rates",
            "surcharges",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class ZoneField(RowField):
    """A zone by its id."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        if data is not serializers.empty:
            data = str(serializers.UUIDField().run_validation(data))
        return super().run_validation(data)


class MethodChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(ShippingMethod.Kind.choices, required=False)
    zone = ZoneField(Zone.objects.all(), key="public_id", help_text="A zone's id.")
    min_days = QuantityField(min_value=0, max_value=1000, required=False)
    max_days = QuantityField(min_value=0, max_value=1000, required=False)
    cutoff_time = serializers.TimeField(
        required=False, allow_null=True, help_text="In the store's time zone."
    )
    processing_days = QuantityField(min_value=0, max_value=365, required=False)
    weekdays = serializers.ListField(
        child=QuantityField(max_value=7),
        allow_empty=False,
        max_length=7,
        required=False,
        help_text="ISO 8601: Monday is 1.",
    )
    volume_divisor = _number(help_text="Cubic centimetres for a kilogram; 0: none.")
    weight_step = _number(help_text="Grams; 0: none.")
    carrier = serializers.SlugField(max_length=40, required=False)
    service = serializers.CharField(max_length=60, required=False, allow_blank=True)
    per_location = serializers.BooleanField(
        required=False, help_text="Price what each location sends as a parcel of its own."
    )
    duties_paid = serializers.BooleanField(
        required=False, help_text="The shop bears the duties (DDP), not the recipient (DAP)."
    )
    position = QuantityField(min_value=0, required=False)
    is_active = serializers.BooleanField(required=False)
    rates = RateInputSerializer(
        many=True, required=False, max_length=500, help_text="All of them: they replace the rates."
    )
    surcharges = SurchargeInputSerializer(
        many=True, required=False, max_length=100, help_text="All of them: they replace the others."
    )


class MethodInputSerializer(MethodChangeSerializer):
    store = RowField(Store.objects.all())
    code = serializers.SlugField(max_length=60)
