"""Shapes of what products are sorted by."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from apps.core.api.serializers import StrictSerializer
from apps.products.api.fields import BySlug, JSONObjectField, ManyBySlug, SlugField
from apps.products.api.serializers import SEOSerializer
from apps.products.models import (
    Attribute,
    Brand,
    Category,
    Collection,
    Product,
    ProductType,
    Tag,
)


class BrandSerializer(serializers.ModelSerializer[Brand]):
    class Meta:
        model = Brand
        fields = ("slug", "name")
        read_only_fields = fields


class TagSerializer(serializers.ModelSerializer[Tag]):
    class Meta:
        model = Tag
        fields = ("slug", "name")
        read_only_fields = fields


class BrandChangeSerializer(StrictSerializer):
    slug = SlugField(required=False)
    name = serializers.CharField(max_length=200, required=False)


class BrandInputSerializer(BrandChangeSerializer):
    name = serializers.CharField(max_length=200)


class TagChangeSerializer(StrictSerializer):
    slug = SlugField(required=False, max_length=100)
    name = serializers.CharField(max_length=100, required=False)


class TagInputSerializer(TagChangeSerializer):
    name = serializers.CharField(max_length=100)


class _WithSEO(StrictSerializer):
    seo = SEOSerializer(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        for name, value in attrs.pop("seo", {}).items():
            attrs[f"seo_{name}"] = value
        return attrs


class _SEOOut(serializers.Serializer[Any]):
    title = serializers.CharField(source="seo_title")
    description = serializers.CharField(source="seo_description")


class CategorySerializer(serializers.ModelSerializer[Category]):
    parent = serializers.CharField(
        source="parent_slug", read_only=True, allow_null=True, help_text="The parent's slug."
    )
    seo = _SEOOut(source="*", read_only=True)

    class Meta:
        model = Category
        fields = ("slug", "name", "parent", "depth", "description", "is_active", "seo")
        read_only_fields = fields


class CategoryChangeSerializer(_WithSEO):
    """A `parent` that is given moves the category, with all below it; null makes it a root."""

    slug = SlugField(required=False)
    name = serializers.CharField(max_length=200, required=False)
    parent = BySlug(Category, required=False, allow_null=True)
    description = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    is_active = serializers.BooleanField(required=False)


class CategoryInputSerializer(CategoryChangeSerializer):
    name = serializers.CharField(max_length=200)


class CollectionSerializer(serializers.ModelSerializer[Collection]):
    product_count = serializers.IntegerField(read_only=True)
    rule = JSONObjectField(read_only=True)
    seo = _SEOOut(source="*", read_only=True)

    class Meta:
        model = Collection
        fields = (
            "slug",
            "name",
            "kind",
            "rule",
            "description",
            "is_active",
            "product_count",
            "seo",
        )
        read_only_fields = fields


class CollectionChangeSerializer(_WithSEO):
    """`products` replaces the products of a collection chosen by hand, in this order."""

    slug = SlugField(required=False)
    name = serializers.CharField(max_length=200, required=False)
    kind = serializers.ChoiceField(Collection.Kind.choices, required=False)
    rule = JSONObjectField(
        required=False, help_text='{"all": [{"field": "tag", "value": "summer"}]}'
    )
    products = ManyBySlug(Product, required=False)
    description = serializers.CharField(required=False, allow_blank=True, max_length=100_000)
    is_active = serializers.BooleanField(required=False)


class CollectionInputSerializer(CollectionChangeSerializer):
    name = serializers.CharField(max_length=200)


class AttributeSerializer(serializers.ModelSerializer[Attribute]):
    choices = serializers.ListField(child=serializers.CharField(), read_only=True)

    class Meta:
        model = Attribute
        fields = ("code", "name", "kind", "choices", "unit", "is_filterable")
        read_only_fields = fields


class AttributeChangeSerializer(StrictSerializer):
    """The code and the kind of an attribute stay what they are."""

    name = serializers.CharField(max_length=120, required=False)
    choices = serializers.ListField(
        child=serializers.CharField(max_length=200), required=False, max_length=500
    )
    unit = serializers.CharField(max_length=20, required=False, allow_blank=True)
    is_filterable = serializers.BooleanField(required=False)


class AttributeInputSerializer(AttributeChangeSerializer):
    code = SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
    kind = serializers.ChoiceField(Attribute.Kind.choices)


class ProductTypeSerializer(serializers.ModelSerializer[ProductType]):
    attributes = serializers.SlugRelatedField(slug_field="code", many=True, read_only=True)

    class Meta:
        model = ProductType
        fields = ("code", "name", "attributes")
        read_only_fields = fields


class ProductTypeChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=120, required=False)
    attributes = ManyBySlug(Attribute, key="code", required=False, help_text="Their codes.")


class ProductTypeInputSerializer(ProductTypeChangeSerializer):
    code = SlugField(max_length=60)
    name = serializers.CharField(max_length=120)
