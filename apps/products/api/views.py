"""Products, variants and images, for staff and API keys."""

from __future__ import annotations

from typing import Any

from django.db import models
from django.db.models import Count, OuterRef, Prefetch, QuerySet, Subquery
from django.db.models.functions import Coalesce
from drf_spectacular.utils import extend_schema
from rest_framework.generics import get_object_or_404
from rest_framework.mixins import ListModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.response import Response

from apps.core.api.parsers import JSONParser
from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.products.api.filters import ProductFilter
from apps.products.api.serializers import (
    ImageChangeSerializer,
    ImageInputSerializer,
    ImageSerializer,
    ProductChangeSerializer,
    ProductInputSerializer,
    ProductSerializer,
    ProductSummarySerializer,
    VariantChangeSerializer,
    VariantInputSerializer,
    VariantSerializer,
)
from apps.products.models import Product, ProductImage, Variant
from apps.products.services import images, product, variants
from apps.stores.selectors import current_store

_READY_IMAGES = Prefetch(
    "images", ProductImage.objects.filter(status=ProductImage.Status.READY).order_by("position")
)


def _parsed(serializer: Any) -> dict[str, Any]:
    serializer.is_valid(raise_exception=True)
    return serializer.validated_data


def whole_products() -> QuerySet[Product]:
    """Products with everything their page of the API shows, in constant statements."""
    return Product.objects.select_related("brand", "product_type", "seller").prefetch_related(
        "categories",
        "tags",
        "publications__store",
        "publications__groups",
        "options__values",
        "images",
        "relations__related",
        Prefetch("variants", Variant.objects.select_related("product", "image")),
        "variants__option_values__option",
    )


class ProductViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "products.view_product",
        "retrieve": "products.view_product",
        "create": "products.add_product",
        "partial_update": "products.change_product",
        "destroy": "products.delete_product",
    }
    queryset = Product.objects.all()
    serializer_class = ProductSummarySerializer
    filterset_class = ProductFilter
    ordering_fields = {"name": "name", "created": "pk", "updated": "updated_at"}
    lookup_field = "slug"

    def get_queryset(self) -> QuerySet[Product]:
        if self.action != "list":
            return whole_products()
        counts = Variant.objects.filter(product=OuterRef("pk")).order_by().values("product")
        count = Subquery(counts.annotate(n=Count("pk")).values("n"))
        return (
            Product.objects.defer("description", "metadata", "attributes")
            .select_related("brand")
            .prefetch_related(_READY_IMAGES)
            .annotate(variant_count=Coalesce(count, 0, output_field=models.IntegerField()))
        )

    def _answer(self, pk: int, status: int = 200) -> Response:
        found = whole_products().get(pk=pk)
        headers = {"ETag": etag_of(found)}
        return Response(ProductSerializer(found).data, status=status, headers=headers)

    @extend_schema(summary="List products")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Show a product", responses=ProductSerializer)
    def retrieve(self, request: Any, slug: str) -> Response:
        found = self.get_object()
        return Response(ProductSerializer(found).data, headers={"ETag": etag_of(found)})

    @extend_schema(
        summary="Create a product with its variants",
        description="A draft unless told otherwise; published in the store of the request unless"
        " `publications` are given.",
        request=ProductInputSerializer,
        responses={201: ProductSerializer},
    )
    def create(self, request: Any) -> Response:
        data = _parsed(ProductInputSerializer(data=request.data))
        wanted = data.pop("variants", [])
        made = variants.create_product_with_variants(
            fields=data, variants=wanted, store=current_store(request)
        )
        return self._answer(made.pk, 201)

    @extend_schema(
        summary="Change a product",
        description="With `If-Match`, refused if somebody changed it meanwhile.",
        request=ProductChangeSerializer,
        responses=ProductSerializer,
    )
    def partial_update(self, request: Any, slug: str) -> Response:
        found = self.get_object()
        check_if_match(request, found)
        product.update_product(
            product=found,
            fields=_parsed(ProductChangeSerializer(data=request.data)),
            if_unchanged="If-Match" in request.headers,
        )
        return self._answer(found.pk)

    @extend_schema(
        summary="Delete or archive a product",
        description="204 if it is gone; 200 with the archived product if orders or stock hold it.",
        responses={204: None, 200: ProductSerializer},
    )
    def destroy(self, request: Any, slug: str) -> Response:
        found = self.get_object()
        check_if_match(request, found)
        pk = found.pk
        if product.delete_product(product=found):
            return Response(status=204)
        return self._answer(pk)


class _OfProduct(BaseViewSet):
    """Lists of what belongs to the product in the path."""

    permission_classes = [Staff]

    def _product(self) -> Product:
        return get_object_or_404(Product, slug=self.kwargs["slug"])


class ProductVariantViewSet(ListModelMixin, _OfProduct):
    required_permissions = {
        "list": "products.view_variant",
        "create": "products.add_variant",
    }
    queryset = Variant.objects.none()
    serializer_class = VariantSerializer
    ordering = ("position", "pk")

    def get_queryset(self) -> QuerySet[Variant]:
        if "slug" not in self.kwargs:
            return super().get_queryset()
        return (
            self._product()
            .variants.select_related("product", "image")
            .prefetch_related("option_values__option")
        )

    @extend_schema(summary="List a product's variants")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Add a variant to a product",
        request=VariantInputSerializer,
        responses={201: VariantSerializer},
    )
    def create(self, request: Any, slug: str) -> Response:
        data = _parsed(VariantInputSerializer(data=request.data))
        made = variants.create_variant(product=self._product(), fields=data)
        return Response(VariantSerializer(made).data, status=201)


class VariantViewSet(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "retrieve": "products.view_variant",
        "partial_update": "products.change_variant",
        "destroy": "products.delete_variant",
    }
    queryset = Variant.objects.select_related("product", "image").prefetch_related(
        "option_values__option"
    )
    serializer_class = VariantSerializer
    lookup_field = "sku"

    @extend_schema(summary="Show a variant")
    def retrieve(self, request: Any, sku: str) -> Response:
        found = self.get_object()
        return Response(VariantSerializer(found).data, headers={"ETag": etag_of(found)})

    @extend_schema(
        summary="Change a variant", request=VariantChangeSerializer, responses=VariantSerializer
    )
    def partial_update(self, request: Any, sku: str) -> Response:
        found = self.get_object()
        check_if_match(request, found)
        data = _parsed(VariantChangeSerializer(data=request.data))
        if data.get("image") is not None:
            data["image"] = get_object_or_404(found.product.images, public_id=data["image"])
        variants.update_variant(variant=found, fields=data)
        fresh = self.get_queryset().get(pk=found.pk)
        return Response(VariantSerializer(fresh).data, headers={"ETag": etag_of(fresh)})

    @extend_schema(
        summary="Delete a variant or take it off sale",
        description="204 if it is gone; 200 with the inactive variant if stock or orders hold it.",
        responses={204: None, 200: VariantSerializer},
    )
    def destroy(self, request: Any, sku: str) -> Response:
        found = self.get_object()
        if variants.delete_variant(variant=found):
            return Response(status=204)
        return Response(VariantSerializer(found).data)


class ProductImageViewSet(ListModelMixin, _OfProduct):
    required_permissions = {
        "list": "products.view_productimage",
        "create": "products.add_productimage",
    }
    queryset = ProductImage.objects.none()
    serializer_class = ImageSerializer
    parser_classes = [JSONParser, MultiPartParser]
    ordering = ("position", "pk")

    def get_queryset(self) -> QuerySet[ProductImage]:
        if "slug" not in self.kwargs:
            return super().get_queryset()
        return self._product().images.all()

    @extend_schema(summary="List a product's images")
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Add an image to a product",
        description="A file is ready at once; what is behind a `source_url` is fetched later.",
        request={
            "multipart/form-data": ImageInputSerializer,
            "application/json": ImageInputSerializer,
        },
        responses={201: ImageSerializer},
    )
    def create(self, request: Any, slug: str) -> Response:
        data = _parsed(ImageInputSerializer(data=request.data))
        found, alt = self._product(), data.get("alt", "")
        if "file" in data:
            image = images.add_image(product=found, upload=data["file"], alt=alt)
        else:
            image = images.add_image_from(product=found, source_url=data["source_url"], alt=alt)
        return Response(ImageSerializer(image).data, status=201)


class ImageViewSet(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "retrieve": "products.view_productimage",
        "partial_update": "products.change_productimage",
        "destroy": "products.delete_productimage",
    }
    queryset = ProductImage.objects.select_related("product")
    serializer_class = ImageSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="Show an image")
    def retrieve(self, request: Any, **kwargs: Any) -> Response:
        return Response(ImageSerializer(self.get_object()).data)

    @extend_schema(
        summary="Change an image's text or position",
        request=ImageChangeSerializer,
        responses=ImageSerializer,
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        data = _parsed(ImageChangeSerializer(data=request.data))
        image = images.update_image(image=self.get_object(), fields=data)
        return Response(ImageSerializer(image).data)

    @extend_schema(summary="Delete an image", responses={204: None})
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        images.delete_image(image=self.get_object())
        return Response(status=204)
