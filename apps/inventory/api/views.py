"""Stock, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.core.scopes import must_name
from apps.inventory import services
from apps.inventory.api.filters import LevelFilter, LocationFilter, MovementFilter
from apps.inventory.api.serializers import (
    AdjustSerializer,
    AlertSerializer,
    InventoryInputSerializer,
    InventorySerializer,
    LocationChangeSerializer,
    LocationInputSerializer,
    LocationSerializer,
    MovementSerializer,
    QuarantineSerializer,
    ReceiveSerializer,
    SettleQuarantineSerializer,
    TransferResultSerializer,
    TransferSerializer,
)
from apps.inventory.models import Location, StockMovement
from apps.inventory.selectors import low_levels, stock_of
from apps.products.models import Product


class ProductInventoryView(PlainViewSet):
    """The stock of a product's variants at each location."""

    permission_classes = [Staff]
    required_permissions = {
        "retrieve": "inventory.view_stocklevel",
        "update": "inventory.change_stocklevel",
    }

    @extend_schema(
        summary="A product's stock by variant and location",
        responses={200: InventorySerializer},
        tags=["inventory"],
    )
    def retrieve(self, request: Any, slug: str) -> Response:
        return self._answer(get_object_or_404(Product, slug=slug))

    @extend_schema(
        summary="Set a product's stock by variant and location",
        description="Counted quantities, backorder limits and low-stock thresholds; what isn't"
        " named stays. All or nothing: below what orders wait for it is refused"
        " (`stock_promised`).",
        request=InventoryInputSerializer,
        responses={200: InventorySerializer},
        tags=["inventory"],
    )
    def update(self, request: Any, slug: str) -> Response:
        product = get_object_or_404(Product, slug=slug)
        data = InventoryInputSerializer(data=request.data, context={"product": product})
        data.is_valid(raise_exception=True)
        note = data.validated_data["note"]
        changes = [services.LevelChange(**row, note=note) for row in data.validated_data["levels"]]
        services.set_levels(changes=changes)
        return self._answer(product)

    def _answer(self, product: Product) -> Response:
        body = {"product": product.slug, "levels": stock_of(product)}
        return Response(InventorySerializer(body).data)


class MoveView(PlainViewSet):
    """What moves stock. An Idempotency-Key makes a repeat move nothing."""

    permission_classes = [Staff]
    required_permissions = dict.fromkeys(
        ("receive", "adjust", "transfer", "set_apart", "settle"), "inventory.change_stocklevel"
    )
    idempotent = frozenset(required_permissions)

    def _input(self, serializer_class: Any) -> dict[str, Any]:
        data = serializer_class(data=self.request.data)
        data.is_valid(raise_exception=True)
        return {**data.validated_data, "key": self.idempotency_digest or ""}

    @extend_schema(
        summary="Receive goods",
        request=ReceiveSerializer,
        responses={201: MovementSerializer},
        tags=["inventory"],
    )
    def receive(self, request: Any) -> Response:
        movement = services.receive(**self._input(ReceiveSerializer))
        return Response(MovementSerializer(movement).data, status=201)

    @extend_schema(
        summary="Correct a shelf",
        description="Refused below what is there (`not_on_hand`) or promised (`stock_promised`).",
        request=AdjustSerializer,
        responses={201: MovementSerializer},
        tags=["inventory"],
    )
    def adjust(self, request: Any) -> Response:
        data = self._input(AdjustSerializer)
        movement = services.adjust(delta=data.pop("quantity"), **data)
        return Response(MovementSerializer(movement).data, status=201)

    @extend_schema(
        summary="Set pieces apart, in quarantine",
        description="They aren't sold until somebody decides about them; refused for what is"
        " promised (`stock_promised`).",
        request=QuarantineSerializer,
        responses={201: MovementSerializer},
        tags=["inventory"],
    )
    def set_apart(self, request: Any) -> Response:
        movement = services.set_apart(**self._input(QuarantineSerializer))
        return Response(MovementSerializer(movement).data, status=201)

    @extend_schema(
        summary="Decide about pieces in quarantine",
        description="Refused for more than lie there (`not_quarantined`).",
        request=SettleQuarantineSerializer,
        responses={201: MovementSerializer},
        tags=["inventory"],
    )
    def settle(self, request: Any) -> Response:
        movement = services.settle_quarantine(**self._input(SettleQuarantineSerializer))
        return Response(MovementSerializer(movement).data, status=201)

    @extend_schema(
        summary="Move stock between locations",
        request=TransferSerializer,
        responses={201: TransferResultSerializer},
        tags=["inventory"],
    )
    def transfer(self, request: Any) -> Response:
        movements = services.transfer(**self._input(TransferSerializer))
        return Response(TransferResultSerializer({"movements": movements}).data, status=201)


class AlertViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "inventory.view_stocklevel"}
    queryset = low_levels()
    serializer_class = AlertSerializer
    filterset_class = LevelFilter
    ordering = ("on_hand", "pk")

    @extend_schema(summary="Levels at or below their threshold", tags=["inventory"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class MovementViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "inventory.view_stockmovement"}
    queryset = StockMovement.objects.select_related("level__variant", "level__location")
    serializer_class = MovementSerializer
    filterset_class = MovementFilter

    @extend_schema(summary="Movements of stock, the latest first", tags=["inventory"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class LocationViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "inventory.view_location",
        "retrieve": "inventory.view_location",
        "create": "inventory.add_location",
        "partial_update": "inventory.change_location",
        "destroy": "inventory.delete_location",
    }
    queryset = Location.objects.prefetch_related("stores")
    serializer_class = LocationSerializer
    filterset_class = LocationFilter
    search_fields = ("code", "name")
    ordering = ("priority", "pk")
    lookup_field = "code"

    @extend_schema(summary="List locations", tags=["inventory"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A location", tags=["inventory"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a location",
        request=LocationInputSerializer,
        responses={201: LocationSerializer},
        tags=["inventory"],
    )
    def create(self, request: Any) -> Response:
        if must_name(Location):
            # They wouldn't see it.
            raise PermissionDenied()
        data = LocationInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        location = services.save_location(location=Location(), changes=data.validated_data)
        return Response(LocationSerializer(location).data, status=201)

    @extend_schema(
        summary="Change a location",
        request=LocationChangeSerializer,
        responses={200: LocationSerializer},
        tags=["inventory"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        location = self.get_object()
        data = LocationChangeSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        services.save_location(location=location, changes=data.validated_data)
        return Response(LocationSerializer(self.get_object()).data)

    @extend_schema(
        summary="Delete a location",
        description="Refused (`location_in_use`) once stock was kept there.",
        responses={204: None},
        tags=["inventory"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_location(location=self.get_object())
        return Response(status=204)
