"""Shapes of products, variants and images for merchants and their systems."""

from __future__ import annotations

from typing import Any

from django.core.files.storage import default_storage
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_serializer
from rest_framework import serializers

from apps.core.api.serializers import QuantityField, StrictSerializer
from apps.customers.models import CustomerGroup
from apps.products.api.fields import MAX_INTEGER, BySlug, JSONObjectField, ManyBySlug, SlugField
from apps.products.models import (
    Brand,
    Category,
    Product,
    ProductImage,
    ProductType,
    Publication,
    Variant,
)
from apps.stores.models import Seller, Store

MAX_VARIANTS = 500
MAX_RELATED = 24


@extend_schema_serializer(component_name="CatalogueSEO")
class SEOSerializer(StrictSerializer):
    title = serializers.CharField(max_length=200, allow_blank=True, required=False)
    description = serializers.CharField(max_length=400, allow_blank=True, required=False)


class PublicationSerializer(StrictSerializer):
    store = BySlug(Store, key="code", help_text="The store's code.")
    starts_at = serializers.DateTimeField(allow_null=True, default=None)
    ends_at = serializers.DateTimeField(allow_null=True, default=None)
    groups = ManyBySlug(
        CustomerGroup,
        key="code",
        allow_null=True,
        default=None,
        help_text="Codes of the customer groups that alone see and buy it; null: everybody does.",
    )


class OptionSerializer(StrictSerializer):
    name = serializers.CharField(max_length=100)
    values = serializers.ListField(
        child=serializers.CharField(max_length=200), allow_empty=False, max_length=200
    )


@extend_schema_serializer(component_name="CatalogueRendition")
class RenditionSerializer(serializers.Serializer[Any]):
    url = serializers.SerializerMethodField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()

    def get_url(self, rendition: dict[str, Any]) -> str:
        return default_storage.url(rendition["path"])


@extend_schema_serializer(component_name="CatalogueImage")
class ImageSerializer(serializers.ModelSerializer[ProductImage]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    renditions = RenditionSerializer(many=True, read_only=True)

    class Meta:
        model = ProductImage
        fields = (
            "id",
            "alt",
            "position",
            "status",
            "error",
            "source_url",
            "width",
            "height",
            "renditions",
        )
        read_only_fields = fields


class ImageInputSerializer(StrictSerializer):
    """Either a file (multipart) or the address of one."""

    file = serializers.FileField(required=False, max_length=200)
    source_url = serializers.CharField(required=False, max_length=1000)
    alt = serializers.CharField(required=False, allow_blank=True, max_length=300)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("file" in attrs) == ("source_url" in attrs):
            raise serializers.ValidationError({"file": [_("Either a file or a source_url.")]})
        return attrs


class ImageChangeSerializer(StrictSerializer):
    alt = serializers.CharField(required=False, allow_blank=True, max_length=300)
    position = serializers.IntegerField(required=False, min_value=0, max_value=MAX_INTEGER)


class VariantSerializer(serializers.ModelSerializer[Variant]):
    product = serializers.CharField(source="product.slug", read_only=True)
    options = serializers.SerializerMethodField()
    unit = serializers.ChoiceField(Variant.Unit.choices, allow_blank=True, read_only=True)
    unit_reference = serializers.ChoiceField(
        Variant.UnitReference.choices, allow_blank=True, read_only=True
    )
    image = serializers.UUIDField(
        source="image.public_id", read_only=True, allow_null=True, default=None
    )

    class Meta:
        model = Variant
        fields = (
            "sku",
            "product",
            "name",
            "position",
            "is_active",
            "options",
            "gtin",
            "weight",
            "length",
            "width",
            "height",
            "requires_shipping",
            "track_inventory",
            "hs_code",
            "origin_country",
            "unit_quantity",
            "unit",
            "unit_reference",
            "min_quantity",
            "max_quantity",
            "quantity_step",
            "image",
            "metadata",
        )
        read_only_fields = fields

    def get_options(self, variant: Variant) -> dict[str, str]:
        values = sorted(variant.option_values.all(), key=lambda value: value.option.position)
        return {value.option.name: value.value for value in values}


def _number(least: int = 0, **kwargs: Any) -> serializers.IntegerField:
    return serializers.IntegerField(
        required=False, min_value=least, max_value=MAX_INTEGER, **kwargs
    )


class VariantInputSerializer(StrictSerializer):
    """Weight in grams, lengths in millimetres. Options map names to values ("Size": "M")."""

    sku = serializers.CharField(max_length=100)
    name = serializers.CharField(required=False, allow_blank=True, max_length=300)
    position = _number()
    is_active = serializers.BooleanField(required=False)
    options = serializers.DictField(
        child=serializers.CharField(max_length=200), required=False, allow_empty=True
    )
    gtin = serializers.CharField(required=False, allow_blank=True, max_length=50)
    weight = _number()
    length = _number()
    width = _number()
    height = _number()
    requires_shipping = serializers.BooleanField(required=False)
    track_inventory = serializers.BooleanField(required=False)
    hs_code = serializers.CharField(required=False, allow_blank=True, max_length=14)
    origin_country = serializers.RegexField(
        r"^[A-Z]{2}\Z", required=False, allow_blank=True, help_text="ISO 3166-1 alpha-2."
    )
    unit_quantity = _number(1, allow_null=True, help_text="The contents, in `unit`.")
    unit = serializers.ChoiceField(Variant.Unit.choices, required=False, allow_blank=True)
    unit_reference = serializers.ChoiceField(
        Variant.UnitReference.choices,
        required=False,
        allow_blank=True,
        help_text="What the unit price is told per; empty: kg, l, m, m2 or piece.",
    )
    min_quantity = QuantityField(required=False)
    max_quantity = QuantityField(
        required=False, allow_null=True, help_text="Null: no limit but the stock."
    )
    quantity_step = QuantityField(required=False, help_text="Counted from `min_quantity`.")
    metadata = JSONObjectField(required=False)

    def validate_options(self, value: dict[str, str]) -> dict[str, str]:
        names = serializers.ListField(child=serializers.CharField(max_length=100), max_length=10)
        return dict(zip(names.run_validation(list(value)), value.values(), strict=True))


class VariantChangeSerializer(VariantInputSerializer):
    sku = serializers.CharField(max_length=100, required=False)
    image = serializers.UUIDField(
        required=False, allow_null=True, help_text="The id of an image of the product."
    )


class _PublicationOutSerializer(serializers.ModelSerializer[Publication]):
    store = serializers.CharField(source="store.code", read_only=True)
    groups = serializers.ListField(
        source="audience", child=serializers.CharField(), allow_null=True, read_only=True
    )

    class Meta:
        model = Publication
        fields = ("store", "starts_at", "ends_at", "groups")
        read_only_fields = fields


class _OptionOutSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    values = serializers.SerializerMethodField()

    def get_values(self, option: Any) -> list[str]:
        return [value.value for value in option.values.all()]


class ProductSummarySerializer(serializers.ModelSerializer[Product]):
    """A row of the list."""

    id = serializers.UUIDField(source="public_id", read_only=True)
    brand = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)
    variant_count = serializers.IntegerField(read_only=True)
    thumbnail = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = (
            "id",
            "slug",
            "name",
            "status",
            "brand",
            "variant_count",
            "thumbnail",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_thumbnail(self, product: Product) -> str | None:
        images = product.images.all()
        return default_storage.url(images[0].renditions[0]["path"]) if images else None


class ProductSerializer(ProductSummarySerializer):
    product_type = serializers.SlugRelatedField(slug_field="code", read_only=True, allow_null=True)
    seller = serializers.SlugRelatedField(slug_field="slug", read_only=True, allow_null=True)
    categories = serializers.SlugRelatedField(slug_field="slug", many=True, read_only=True)
    tags = serializers.SlugRelatedField(slug_field="name", many=True, read_only=True)
    seo = serializers.SerializerMethodField()
    attributes = JSONObjectField(read_only=True)
    metadata = JSONObjectField(read_only=True)
    publications = _PublicationOutSerializer(many=True, read_only=True)
    options = _OptionOutSerializer(many=True, read_only=True)
    variants = VariantSerializer(many=True, read_only=True)
    images = ImageSerializer(many=True, read_only=True)
    related = serializers.SerializerMethodField()

    class Meta:
        model = Product
        fields = (
            "id",
            "slug",
            "name",
            "description",
            "status",
            "brand",
            "product_type",
            "seller",
            "tax_class",
            "is_gift_card",
            "attributes",
            "metadata",
            "categories",
            "tags",
            "seo",
            "publications",
            "options",
            "variants",
            "images",
            "related",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields

    def get_seo(self, product: Product) -> SEOSerializer:
        return {"title": product.seo_title, "description": product.seo_description}  # type: ignore[return-value]

    def get_related(self, product: Product) -> list[str]:
        return [relation.related.slug for relation in product.relations.all()]


class ProductChangeSerializer(StrictSerializer):
    """What is left out stays as it is; a list that is given replaces the old one."""

    slug = SlugField(required=False)
    name = serializers.CharField(required=False, max_length=300)
    description = serializers.CharField(
        required=False, allow_blank=True, max_length=500_000, help_text="HTML, sanitised."
    )
    status = serializers.ChoiceField(Product.Status.choices, required=False)
    brand = BySlug(Brand, required=False, allow_null=True)
    product_type = BySlug(ProductType, key="code", required=False, allow_null=True)
    seller = BySlug(Seller, required=False, allow_null=True)
    tax_class = SlugField(required=False, max_length=50)
    is_gift_card = serializers.BooleanField(
        required=False, help_text="Each piece sold is a gift card; never shipped, taxed when spent."
    )
    attributes = JSONObjectField(required=False)
    metadata = JSONObjectField(required=False)
    categories = ManyBySlug(Category, required=False)
    tags = serializers.ListField(
        child=serializers.CharField(max_length=100), required=False, max_length=250
    )
    seo = SEOSerializer(required=False)
    publications = PublicationSerializer(many=True, required=False)
    options = OptionSerializer(many=True, required=False)
    related = ManyBySlug(
        Product,
        required=False,
        max_length=MAX_RELATED,
        help_text="Slugs of what is shown beside it first, in this order.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name, value in attrs.pop("seo", {}).items():
            attrs[f"seo_{name}"] = value
        names = [option["name"] for option in attrs.get("options", ())]
        if len(set(names)) != len(names):
            raise serializers.ValidationError(
                {"options": [_("Each option has a name of its own.")]}
            )
        return attrs


class ProductInputSerializer(ProductChangeSerializer):
    name = serializers.CharField(max_length=300)
    variants = VariantInputSerializer(many=True, required=False, max_length=MAX_VARIANTS)
