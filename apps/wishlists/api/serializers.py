"""Shapes of wishlists, alerts and recently viewed products."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.core.api.serializers import MoneyField, StrictSerializer
from apps.wishlists.models import Alert, WantedVariant, Wishlist

_NULL = {"type": "null"}


@extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/ProductItem"}, _NULL]})
class _ItemOrNull(serializers.JSONField):
    """The item as `/products/` lists it; null of what isn't for sale here."""


@extend_schema_field({"oneOf": [{"$ref": "#/components/schemas/ProductVariant"}, _NULL]})
class _VariantOrNull(serializers.JSONField):
    pass


@extend_schema_field(
    {"type": "array", "items": {"$ref": "#/components/schemas/ProductItem"}, "maxItems": 30}
)
class _Items(serializers.JSONField):
    pass


class WishlistInput(StrictSerializer):
    name = serializers.CharField(max_length=100)


class WishlistChange(StrictSerializer):
    name = serializers.CharField(max_length=100, required=False)
    is_shared = serializers.BooleanField(
        required=False, help_text="True makes a new `token`; false takes it away."
    )


class WishlistSerializer(serializers.ModelSerializer[Wishlist]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    is_default = serializers.BooleanField(
        read_only=True, help_text="The oldest: where wishes go that name no list."
    )
    is_shared = serializers.BooleanField(read_only=True)
    item_count = serializers.IntegerField(read_only=True)

    class Meta:
        model = Wishlist
        fields = (
            "id",
            "name",
            "is_default",
            "is_shared",
            "token",
            "item_count",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class WishInput(StrictSerializer):
    """A variant by its `sku`, or a whole product by its `slug`."""

    sku = serializers.CharField(max_length=100, required=False)
    slug = serializers.CharField(max_length=200, required=False)
    note = serializers.CharField(max_length=300, required=False, allow_blank=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("sku" in attrs) == ("slug" in attrs):
            raise serializers.ValidationError({"sku": [_("Either a sku or a slug.")]})
        return attrs


class WishChange(StrictSerializer):
    note = serializers.CharField(max_length=300, allow_blank=True)


class SharedWishSerializer(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    sku = serializers.CharField(allow_null=True, help_text="Null: the whole product.")
    name = serializers.CharField()
    product = _ItemOrNull(help_text="As `/products/` lists it; null if it isn't for sale here.")
    variant = _VariantOrNull(help_text="As the product page shows it.")


class WishSerializer(SharedWishSerializer):
    note = serializers.CharField()
    added_at = serializers.DateTimeField()


class SharedWishlistSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()


class MoveInput(StrictSerializer):
    cart_id = serializers.CharField(
        max_length=40, required=False, help_text="The open cart of the customer, or a new one."
    )
    sku = serializers.CharField(
        max_length=100, required=False, help_text="Of a whole product with several variants."
    )


class MovedSerializer(serializers.Serializer[Any]):
    cart_id = serializers.CharField(source="public_id")


class SlugInput(StrictSerializer):
    slug = serializers.CharField(max_length=200)


class ViewedSerializer(serializers.Serializer[Any]):
    """One page: the last thirty at most."""

    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)
    results = _Items()


class AlertInput(StrictSerializer):
    kind = serializers.ChoiceField(Alert.Kind.choices)
    sku = serializers.CharField(max_length=100)
    currency = serializers.RegexField(r"^[A-Z]{3}\Z", required=False)
    target_price = MoneyField(
        required=False,
        help_text="Of a price alert: told when it costs that or less. Without it: less than now.",
    )


class GuestAlertInput(AlertInput):
    email = serializers.EmailField(max_length=254)


class GuestAlertSerializer(serializers.Serializer[Any]):
    """The same for every mailbox."""

    detail = serializers.CharField()


class ShopperAlertSerializer(serializers.ModelSerializer[Alert]):
    sku = serializers.CharField(source="variant.sku", read_only=True)
    slug = serializers.CharField(source="variant.product.slug", read_only=True)
    name = serializers.CharField(source="variant.product.name", read_only=True)
    seen_price = MoneyField(read_only=True, allow_null=True)
    threshold = MoneyField(
        read_only=True, allow_null=True, help_text="Told when it costs that or less."
    )

    class Meta:
        model = Alert
        fields = (
            "kind",
            "status",
            "sku",
            "slug",
            "name",
            "seen_price",
            "threshold",
            "created_at",
            "told_at",
        )
        read_only_fields = fields


class MyAlertSerializer(ShopperAlertSerializer):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta(ShopperAlertSerializer.Meta):
        fields = ("id", *ShopperAlertSerializer.Meta.fields)
        read_only_fields = fields


class WantedSerializer(serializers.ModelSerializer[WantedVariant]):
    slug = serializers.CharField(source="product.slug", read_only=True)
    product = serializers.CharField(source="product.name", read_only=True)
    waiting = serializers.IntegerField(
        read_only=True, help_text="Shoppers who wait for it to be back in stock."
    )
    cheaper = serializers.IntegerField(
        read_only=True, help_text="Shoppers who wait for it to cost less."
    )
    since = serializers.DateTimeField(read_only=True, help_text="When the first of them asked.")

    class Meta:
        model = WantedVariant
        fields = ("sku", "slug", "product", "name", "waiting", "cheaper", "since")
        read_only_fields = fields
