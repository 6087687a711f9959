"""Prices, for staff and their systems."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, PlainViewSet, check_if_match, etag_of
from apps.core.scopes import scoped
from apps.pricing import services
from apps.pricing.api.filters import PriceFilter, PriceListFilter, PricePointFilter
from apps.pricing.api.serializers import (
    PriceChangeSerializer,
    PriceInputSerializer,
    PriceListChangeSerializer,
    PriceListInputSerializer,
    PriceListSerializer,
    PricePointSerializer,
    PriceSerializer,
    ProductPricesInputSerializer,
    ProductPricesSerializer,
    price_data,
)
from apps.pricing.models import Price, PriceList, PricePoint
from apps.products.models import Product


class PriceViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "pricing.view_price",
        "retrieve": "pricing.view_price",
        "create": "pricing.add_price",
        "partial_update": "pricing.change_price",
        "destroy": "pricing.delete_price",
    }
    queryset = Price.objects.select_related("variant", "store", "price_list")
    serializer_class = PriceSerializer
    filterset_class = PriceFilter
    ordering_fields = {"sku": "variant__sku", "price": "amount", "updated": "updated_at"}
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List prices", tags=["prices"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A price", tags=["prices"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return _detail(self.get_object())

    @extend_schema(
        summary="Add a price",
        description="Refused (`price_exists`) where the variant has one for the same store, list,"
        " currency, quantity and start.",
        request=PriceInputSerializer,
        responses={201: PriceSerializer},
        tags=["prices"],
    )
    def create(self, request: Any) -> Response:
        data = PriceInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return _detail(services.add_price(data=price_data(data.validated_data)), 201)

    @extend_schema(
        summary="Change a price",
        request=PriceChangeSerializer,
        responses={200: PriceSerializer},
        tags=["prices"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        price = self.get_object()
        check_if_match(request, price)
        context = {"currency": price.currency}
        data = PriceChangeSerializer(data=request.data, partial=True, context=context)
        data.is_valid(raise_exception=True)
        changes = dict(data.validated_data)
        for ours, theirs in (("amount", "price"), ("compare_at", "compare_at_price")):
            if theirs in changes:
                money = changes.pop(theirs)
                changes[ours] = money and money.amount
        wanted = replace(services.PriceData.of(price), **changes)
        return _detail(services.change_price(price=price, data=wanted))

    @extend_schema(
        summary="Remove a price",
        description="The history keeps that it ended.",
        responses={204: None},
        tags=["prices"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.remove_price(price=self.get_object())
        return Response(status=204)


def _detail(price: Price, status: int = 200) -> Response:
    return Response(PriceSerializer(price).data, status=status, headers={"ETag": etag_of(price)})


class ProductPricesView(PlainViewSet):
    """Every price of a product's variants."""

    permission_classes = [Staff]
    required_permissions = {"retrieve": "pricing.view_price", "update": "pricing.change_price"}

    @extend_schema(
        summary="A product's prices", responses={200: ProductPricesSerializer}, tags=["prices"]
    )
    def retrieve(self, request: Any, slug: str) -> Response:
        return self._answer(get_object_or_404(Product, slug=slug))

    @extend_schema(
        summary="Set prices of a product",
        description="A price is named by SKU, store, list, currency, quantity and start: the ones"
        " that exist change, the others are added, what isn't named stays. All or nothing.",
        request=ProductPricesInputSerializer,
        responses={200: ProductPricesSerializer},
        tags=["prices"],
    )
    def update(self, request: Any, slug: str) -> Response:
        product = get_object_or_404(Product, slug=slug)
        data = ProductPricesInputSerializer(data=request.data, context={"product": product})
        data.is_valid(raise_exception=True)
        services.set_prices(data.validated_data["prices"])
        return self._answer(product)

    def _answer(self, product: Product) -> Response:
        prices = (
            scoped(Price.objects.filter(variant__product=product))
            .select_related("variant", "store", "price_list")
            .order_by("variant__position", "variant_id", "currency", "min_quantity", "pk")
        )
        body = {"product": product.slug, "prices": prices}
        return Response(ProductPricesSerializer(body).data)


class PricePointViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "pricing.view_pricepoint"}
    queryset = PricePoint.objects.select_related("variant", "store", "price_list")
    serializer_class = PricePointSerializer
    filterset_class = PricePointFilter

    @extend_schema(summary="Every price there ever was, the latest first", tags=["prices"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class PriceListViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "pricing.view_pricelist",
        "retrieve": "pricing.view_pricelist",
        "create": "pricing.add_pricelist",
        "partial_update": "pricing.change_pricelist",
        "destroy": "pricing.delete_pricelist",
    }
    queryset = PriceList.objects.select_related("group")
    serializer_class = PriceListSerializer
    filterset_class = PriceListFilter
    search_fields = ("code", "name")
    lookup_field = "code"

    @extend_schema(summary="List price lists", tags=["prices"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A price list", tags=["prices"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a price list",
        request=PriceListInputSerializer,
        responses={201: PriceListSerializer},
        tags=["prices"],
    )
    def create(self, request: Any) -> Response:
        data = PriceListInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        price_list = services.save_price_list(price_list=PriceList(), changes=data.validated_data)
        return Response(PriceListSerializer(price_list).data, status=201)

    @extend_schema(
        summary="Change a price list",
        request=PriceListChangeSerializer,
        responses={200: PriceListSerializer},
        tags=["prices"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        price_list = self.get_object()
        data = PriceListChangeSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        services.save_price_list(price_list=price_list, changes=data.validated_data)
        return Response(PriceListSerializer(price_list).data)

    @extend_schema(
        summary="Delete a price list",
        description="Refused (`price_list_in_use`) once it priced anything.",
        responses={204: None},
        tags=["prices"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_price_list(price_list=self.get_object())
        return Response(status=204)
