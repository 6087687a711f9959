"""Categories, collections, brands, tags, product types and attributes, for staff and API keys."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery, Value
from django.db.models.functions import Coalesce, Length, Substr
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet
from apps.products.api import label_serializers as shapes
from apps.products.models import Attribute, Brand, Category, Collection, ProductType, Tag
from apps.products.services import attributes, categories, collections, labels


def permissions_for(model: str) -> dict[str, str]:
    """The Django permission of each action on a model of the catalogue."""
    return {
        "list": f"products.view_{model}",
        "retrieve": f"products.view_{model}",
        "create": f"products.add_{model}",
        "partial_update": f"products.change_{model}",
        "destroy": f"products.delete_{model}",
    }


class _LabelViewSet(ListModelMixin, BaseViewSet):
    """Reading is the same for all; how they are written is each one's service."""

    permission_classes = [Staff]
    search_fields = ("name",)
    ordering = ("name", "pk")
    lookup_field = "slug"
    input_class: ClassVar[type[Any]]
    change_class: ClassVar[type[Any]]

    def _data(self) -> dict[str, Any]:
        wanted = self.input_class if self.action == "create" else self.change_class
        data = wanted(data=self.request.data)
        data.is_valid(raise_exception=True)
        return data.validated_data

    def _answer(self, pk: Any, status: int = 200) -> Response:
        row = self.get_queryset().get(pk=pk)
        return Response(self.get_serializer(row).data, status=status)

    def _show(self) -> Response:
        return Response(self.get_serializer(self.get_object()).data)


class BrandViewSet(_LabelViewSet):
    required_permissions = permissions_for("brand")
    queryset = Brand.objects.all()
    serializer_class = shapes.BrandSerializer
    input_class, change_class = shapes.BrandInputSerializer, shapes.BrandChangeSerializer

    @extend_schema(summary="List brands")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show a brand")
    def retrieve(self, request: Any, slug: str) -> Response:
        return self._show()

    @extend_schema(
        summary="Create a brand",
        request=shapes.BrandInputSerializer,
        responses={201: shapes.BrandSerializer},
    )
    def create(self, request: Any) -> Response:
        return self._answer(labels.save_brand(brand=Brand(**self._data())).pk, 201)

    @extend_schema(summary="Change a brand", request=shapes.BrandChangeSerializer)
    def partial_update(self, request: Any, slug: str) -> Response:
        brand = self.get_object()
        for name, value in self._data().items():
            setattr(brand, name, value)
        return self._answer(labels.save_brand(brand=brand).pk)

    @extend_schema(summary="Delete a brand", responses={204: None})
    def destroy(self, request: Any, slug: str) -> Response:
        labels.delete_label(label=self.get_object())
        return Response(status=204)


class TagViewSet(_LabelViewSet):
    required_permissions = permissions_for("tag")
    queryset = Tag.objects.all()
    serializer_class = shapes.TagSerializer
    input_class, change_class = shapes.TagInputSerializer, shapes.TagChangeSerializer

    @extend_schema(summary="List tags")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show a tag")
    def retrieve(self, request: Any, slug: str) -> Response:
        return self._show()

    @extend_schema(
        summary="Create a tag",
        request=shapes.TagInputSerializer,
        responses={201: shapes.TagSerializer},
    )
    def create(self, request: Any) -> Response:
        return self._answer(labels.save_tag(tag=Tag(**self._data())).pk, 201)

    @extend_schema(summary="Change a tag", request=shapes.TagChangeSerializer)
    def partial_update(self, request: Any, slug: str) -> Response:
        tag = self.get_object()
        for name, value in self._data().items():
            setattr(tag, name, value)
        return self._answer(labels.save_tag(tag=tag).pk)

    @extend_schema(summary="Delete a tag", responses={204: None})
    def destroy(self, request: Any, slug: str) -> Response:
        labels.delete_label(label=self.get_object())
        return Response(status=204)


class CategoryViewSet(_LabelViewSet):
    required_permissions = permissions_for("category")
    queryset = Category.objects.all()
    serializer_class = shapes.CategorySerializer
    # The order of the tree: each below its parent.
    ordering = ("path", "pk")
    input_class, change_class = shapes.CategoryInputSerializer, shapes.CategoryChangeSerializer

    def get_queryset(self) -> QuerySet[Category]:
        above = Length(OuterRef("path")) - Value(Category.steplen)
        parent = Category.objects.order_by().filter(path=Substr(OuterRef("path"), 1, above))
        return Category.objects.annotate(parent_slug=Subquery(parent.values("slug")[:1]))

    @extend_schema(summary="List categories in the order of the tree")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show a category")
    def retrieve(self, request: Any, slug: str) -> Response:
        return self._show()

    @extend_schema(
        summary="Create a category",
        request=shapes.CategoryInputSerializer,
        responses={201: shapes.CategorySerializer},
    )
    def create(self, request: Any) -> Response:
        data = self._data()
        parent = data.pop("parent", None)
        return self._answer(categories.create_category(fields=data, parent=parent).pk, 201)

    @extend_schema(summary="Change or move a category", request=shapes.CategoryChangeSerializer)
    def partial_update(self, request: Any, slug: str) -> Response:
        category = self.get_object()
        categories.change_category(category=category, fields=self._data())
        return self._answer(category.pk)

    @extend_schema(summary="Delete a category without subcategories", responses={204: None})
    def destroy(self, request: Any, slug: str) -> Response:
        categories.delete_category(category=self.get_object())
        return Response(status=204)


class CollectionViewSet(_LabelViewSet):
    required_permissions = permissions_for("collection")
    queryset = Collection.objects.all()
    serializer_class = shapes.CollectionSerializer
    input_class = shapes.CollectionInputSerializer
    change_class = shapes.CollectionChangeSerializer

    def get_queryset(self) -> QuerySet[Collection]:
        members = Collection.products.through.objects.filter(collection=OuterRef("pk"))
        counts = members.order_by().values("collection").annotate(n=Count("pk")).values("n")
        count = Coalesce(Subquery(counts), 0, output_field=IntegerField())
        return Collection.objects.annotate(product_count=count)

    @extend_schema(summary="List collections")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show a collection")
    def retrieve(self, request: Any, slug: str) -> Response:
        return self._show()

    @extend_schema(
        summary="Create a collection",
        request=shapes.CollectionInputSerializer,
        responses={201: shapes.CollectionSerializer},
    )
    def create(self, request: Any) -> Response:
        saved = collections.save_collection(collection=Collection(), fields=self._data())
        return self._answer(saved.pk, 201)

    @extend_schema(summary="Change a collection", request=shapes.CollectionChangeSerializer)
    def partial_update(self, request: Any, slug: str) -> Response:
        saved = collections.save_collection(collection=self.get_object(), fields=self._data())
        return self._answer(saved.pk)

    @extend_schema(summary="Delete a collection", responses={204: None})
    def destroy(self, request: Any, slug: str) -> Response:
        collections.delete_collection(collection=self.get_object())
        return Response(status=204)


class AttributeViewSet(_LabelViewSet):
    required_permissions = permissions_for("attribute")
    queryset = Attribute.objects.all()
    serializer_class = shapes.AttributeSerializer
    lookup_field = "code"
    input_class, change_class = shapes.AttributeInputSerializer, shapes.AttributeChangeSerializer

    @extend_schema(summary="List attributes")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show an attribute")
    def retrieve(self, request: Any, code: str) -> Response:
        return self._show()

    @extend_schema(
        summary="Define an attribute",
        request=shapes.AttributeInputSerializer,
        responses={201: shapes.AttributeSerializer},
    )
    def create(self, request: Any) -> Response:
        saved = attributes.save_attribute(attribute=Attribute(**self._data()))
        return self._answer(saved.pk, 201)

    @extend_schema(summary="Change an attribute", request=shapes.AttributeChangeSerializer)
    def partial_update(self, request: Any, code: str) -> Response:
        attribute = self.get_object()
        for name, value in self._data().items():
            setattr(attribute, name, value)
        return self._answer(attributes.save_attribute(attribute=attribute).pk)

    @extend_schema(summary="Delete an attribute that no product has", responses={204: None})
    def destroy(self, request: Any, code: str) -> Response:
        attributes.delete_attribute(attribute=self.get_object())
        return Response(status=204)


class ProductTypeViewSet(_LabelViewSet):
    required_permissions = permissions_for("producttype")
    queryset = ProductType.objects.prefetch_related("attributes")
    serializer_class = shapes.ProductTypeSerializer
    lookup_field = "code"
    input_class = shapes.ProductTypeInputSerializer
    change_class = shapes.ProductTypeChangeSerializer

    @extend_schema(summary="List product types")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show a product type")
    def retrieve(self, request: Any, code: str) -> Response:
        return self._show()

    @extend_schema(
        summary="Create a product type",
        request=shapes.ProductTypeInputSerializer,
        responses={201: shapes.ProductTypeSerializer},
    )
    def create(self, request: Any) -> Response:
        return self._save(ProductType(), 201)

    @extend_schema(summary="Change a product type", request=shapes.ProductTypeChangeSerializer)
    def partial_update(self, request: Any, code: str) -> Response:
        return self._save(self.get_object(), 200)

    def _save(self, product_type: ProductType, status: int) -> Response:
        data = self._data()
        wanted = data.pop("attributes", None)
        for name, value in data.items():
            setattr(product_type, name, value)
        saved = attributes.save_product_type(product_type=product_type, attributes=wanted)
        return self._answer(saved.pk, status)

    @extend_schema(summary="Delete a product type that no product is of", responses={204: None})
    def destroy(self, request: Any, code: str) -> Response:
        attributes.delete_product_type(product_type=self.get_object())
        return Response(status=204)
