"""The shapes shoppers read. They document; the answers themselves are stored bytes."""

from __future__ import annotations

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from apps.core.api.serializers import MONEY_SCHEMA, AddressSerializer
from apps.products.models import Variant
from apps.storefront.selectors.availability import STATES


@extend_schema_field(MONEY_SCHEMA)
class _Money(serializers.JSONField):
    pass


@extend_schema_field({**MONEY_SCHEMA, "type": ["object", "null"]})
class _MoneyOrNull(serializers.JSONField):
    pass


_REFERENCE = (
    "Of a reduced price: the lowest of the 30 days before the reduction (Directive 98/6/EC, 6a);"
    " null if it isn't reduced, or had no price before."
)


class UnitPriceSerializer(serializers.Serializer):
    """What a kilogram, a litre, … costs (Directive 98/6/EC, 3)."""

    price = _Money()
    per = serializers.ChoiceField(Variant.UnitReference.choices)


class RenditionSerializer(serializers.Serializer):
    url = serializers.CharField(help_text="Absolute, or on this host.")
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ThumbnailSerializer(serializers.Serializer):
    url = serializers.CharField(help_text="Absolute, or on this host.")
    alt = serializers.CharField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class ImageSerializer(ThumbnailSerializer):
    renditions = RenditionSerializer(many=True)


class RatingSerializer(serializers.Serializer):
    average = serializers.FloatField(
        allow_null=True, help_text="Stars, to two decimals; null: nobody has reviewed it."
    )
    count = serializers.IntegerField()


@extend_schema_serializer(component_name="ProductItem")
class ProductItemSerializer(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()
    brand = serializers.CharField(allow_null=True, help_text="The brand's name.")
    price = _Money(help_text="Of the cheapest variant.")
    compare_at_price = _MoneyOrNull(allow_null=True)
    reference_price = _MoneyOrNull(allow_null=True, help_text=_REFERENCE)
    unit_price = UnitPriceSerializer(allow_null=True)
    currency = serializers.CharField()
    in_stock = serializers.BooleanField()
    thumbnail = ThumbnailSerializer(allow_null=True)
    rating = RatingSerializer()
    variant_count = serializers.IntegerField()


class ProductOptionSerializer(serializers.Serializer):
    name = serializers.CharField()
    values = serializers.ListField(child=serializers.CharField())


class ProductVariantSerializer(serializers.Serializer):
    sku = serializers.CharField()
    name = serializers.CharField()
    gtin = serializers.CharField(allow_null=True, help_text="Null: its barcode isn't a GTIN.")
    options = serializers.DictField(child=serializers.CharField())
    price = _Money()
    compare_at_price = _MoneyOrNull(allow_null=True)
    reference_price = _MoneyOrNull(allow_null=True, help_text=_REFERENCE)
    unit_price = UnitPriceSerializer(allow_null=True)
    in_stock = serializers.BooleanField()
    available_quantity = serializers.IntegerField(
        allow_null=True, help_text="Null: its stock isn't counted."
    )
    min_quantity = serializers.IntegerField(help_text="The fewest pieces in one order.")
    max_quantity = serializers.IntegerField(allow_null=True, help_text="Null: no limit.")
    quantity_step = serializers.IntegerField(help_text="Counted from `min_quantity`.")
    weight = serializers.IntegerField(help_text="Grams.")
    image = ThumbnailSerializer(allow_null=True)


class ProductAttributeSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    value = serializers.JSONField(help_text="Text, number, yes or no, date, or several texts.")
    unit = serializers.CharField()


class LabelSerializer(serializers.Serializer):
    slug = serializers.CharField()
    name = serializers.CharField()


class SEOSerializer(serializers.Serializer):
    title = serializers.CharField()
    description = serializers.CharField()


class ProductSEOSerializer(SEOSerializer):
    canonical_path = serializers.CharField(help_text="Of the storefront's page.")
    open_graph = serializers.DictField(
        child=serializers.CharField(), help_text="Property and content: `og:title`, …"
    )
    json_ld = serializers.DictField(
        help_text="https://schema.org/Product with its offers. Escape `<` inside a script element."
    )


@extend_schema_serializer(component_name="ProductPage")
class ProductPageSerializer(ProductItemSerializer):
    description = serializers.CharField(help_text="Safe HTML.")
    images = ImageSerializer(many=True)
    options = ProductOptionSerializer(many=True)
    variants = ProductVariantSerializer(many=True)
    attributes = ProductAttributeSerializer(many=True)
    categories = LabelSerializer(many=True)
    seo = ProductSEOSerializer()
    related = ProductItemSerializer(many=True)


class ProductItemListSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ProductItemSerializer(many=True)
    count = serializers.IntegerField(
        required=False, help_text="Only with ?count=true; at most 5,000 are counted."
    )
    count_exact = serializers.BooleanField(
        required=False, help_text="Beside `count`; false: there are more."
    )
    redirect = serializers.CharField(
        required=False, help_text="Only of a search that leads elsewhere: the path to go to."
    )
    did_you_mean = serializers.CharField(
        required=False,
        allow_null=True,
        help_text="Only of a search that found nothing: the nearest one that finds something.",
    )


class SuggestionsSerializer(serializers.Serializer):
    terms = serializers.ListField(
        child=serializers.CharField(), help_text="Whole searches that begin so."
    )
    categories = LabelSerializer(many=True)
    products = ProductItemSerializer(many=True)


class LabelCountSerializer(LabelSerializer):
    count = serializers.IntegerField()


class ValueCountSerializer(serializers.Serializer):
    value = serializers.CharField()
    count = serializers.IntegerField()


class AttributeFacetSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    count = serializers.IntegerField(required=False, help_text="Of a number.")
    min = serializers.FloatField(required=False, help_text="Of a number.")
    max = serializers.FloatField(required=False, help_text="Of a number.")
    values = ValueCountSerializer(many=True, required=False)


class PriceBandSerializer(serializers.Serializer):
    min = _Money()
    max = _MoneyOrNull(allow_null=True, help_text="The last price in the band.")
    count = serializers.IntegerField()


class RatingStepSerializer(serializers.Serializer):
    min = serializers.IntegerField(help_text="So many stars or more: for `rating_min`.")
    count = serializers.IntegerField()


class AvailabilitySerializer(serializers.Serializer):
    in_stock = serializers.BooleanField()
    count = serializers.IntegerField()


class FacetsSerializer(serializers.Serializer):
    count = serializers.IntegerField()
    exact = serializers.BooleanField(
        help_text=(
            "False for more than 5,000 products: counts are estimates from a sample of 5,000, or in"
            " a search of 5,000 of its products."
        )
    )
    availability = AvailabilitySerializer(many=True)
    categories = LabelCountSerializer(many=True)
    brands = LabelCountSerializer(many=True)
    attributes = AttributeFacetSerializer(many=True)
    prices = PriceBandSerializer(many=True)
    ratings = RatingStepSerializer(many=True)


@extend_schema_field({"type": "array", "items": {"$ref": "#/components/schemas/CategoryNode"}})
class _Children(serializers.ListField):
    pass


@extend_schema_serializer(component_name="CategoryNode")
class CategoryNodeSerializer(LabelSerializer):
    children = _Children()


class CategoryTreeSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CategoryNodeSerializer(many=True)


@extend_schema_serializer(component_name="CategoryPage")
class CategoryPageSerializer(CategoryNodeSerializer):
    description = serializers.CharField(help_text="Safe HTML.")
    seo = SEOSerializer()
    ancestors = LabelSerializer(many=True, help_text="From the root.")


@extend_schema_serializer(component_name="CollectionItem")
class CollectionItemSerializer(LabelSerializer):
    pass


class CollectionListSerializer(serializers.Serializer):
    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = CollectionItemSerializer(many=True)


@extend_schema_serializer(component_name="CollectionPage")
class CollectionPageSerializer(LabelSerializer):
    description = serializers.CharField(help_text="Safe HTML.")
    seo = SEOSerializer()


class AvailabilityPointSerializer(serializers.Serializer):
    id = serializers.UUIDField()
    method = serializers.CharField(help_text="The code of its shipping method.")
    name = serializers.CharField()
    address = AddressSerializer()
    opening_hours = serializers.CharField()


class VariantDeliverySerializer(serializers.Serializer):
    method = serializers.CharField(help_text="Its code, for the checkout.")
    name = serializers.CharField()
    earliest = serializers.DateField()
    latest = serializers.DateField()


class VariantPickupSerializer(serializers.Serializer):
    point = serializers.UUIDField(help_text="Of `pickup_points`.")
    availability = serializers.ChoiceField(STATES, help_text="At that point.")
    ready = serializers.DateField(allow_null=True, help_text="Null: it doesn't lie there.")


class VariantAvailabilitySerializer(serializers.Serializer):
    sku = serializers.CharField()
    availability = serializers.ChoiceField(
        STATES, help_text="`limited`: little is left; `backorder`: sold, but lies nowhere yet."
    )
    delivery = VariantDeliverySerializer(allow_null=True, help_text="The quickest one.")
    pickup = VariantPickupSerializer(many=True)


@extend_schema_serializer(component_name="ProductAvailability")
class ProductAvailabilitySerializer(serializers.Serializer):
    country = serializers.CharField()
    postal_code = serializers.CharField()
    pickup_points = AvailabilityPointSerializer(many=True, help_text="Nearest first, at most 50.")
    variants = VariantAvailabilitySerializer(many=True)
