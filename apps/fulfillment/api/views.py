"""Shipments, for staff and for carriers' systems."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import PlainViewSet
from apps.core.errors import NotFound
from apps.fulfillment import services
from apps.fulfillment.api.serializers import FulfillmentSerializer, ShipInput, TrackingInput
from apps.fulfillment.models import Fulfillment
from apps.orders.models import Order


class FulfillmentView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "create": "fulfillment.ship_order",
        "retrieve": "fulfillment.view_fulfillment",
        "tracking": "fulfillment.ship_order",
        "delivered": "fulfillment.ship_order",
    }
    idempotent = frozenset({"create"})

    def _queryset(self) -> QuerySet[Fulfillment]:
        return Fulfillment.objects.select_related("order").prefetch_related("lines__order_line")

    def _shipment(self, fulfillment_id: Any) -> Fulfillment:
        shipment = self._queryset().filter(public_id=fulfillment_id).first()
        if shipment is None:
            raise NotFound()
        return shipment

    def _answer(self, fulfillment_id: Any, status: int = 200) -> Response:
        shipment = self._shipment(fulfillment_id)
        return Response(FulfillmentSerializer(shipment).data, status=status)

    @extend_schema(
        summary="Ship an order, or some of its pieces",
        request=ShipInput,
        responses={201: FulfillmentSerializer},
    )
    def create(self, request: Any, number: str) -> Response:
        form = ShipInput(data=request.data)
        form.is_valid(raise_exception=True)
        data = dict(form.validated_data)
        order = Order.objects.filter(number=number[:30]).first()
        if order is None:
            raise NotFound()
        lines = data.pop("lines", None)
        quantities = {str(line["id"]): line["quantity"] for line in lines or ()}
        if lines is not None and len(quantities) != len(lines):
            raise ValidationError({"lines": [_("Each line once.")]})
        shipment = services.fulfill(
            order=order, quantities=None if lines is None else quantities, **data
        )
        return self._answer(shipment.public_id, status=201)

    @extend_schema(summary="Get a shipment", responses=FulfillmentSerializer)
    def retrieve(self, request: Any, fulfillment_id: Any) -> Response:
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Set carrier and tracking", request=TrackingInput, responses=FulfillmentSerializer
    )
    def tracking(self, request: Any, fulfillment_id: Any) -> Response:
        form = TrackingInput(data=request.data)
        form.is_valid(raise_exception=True)
        services.set_tracking(shipment=self._shipment(fulfillment_id), **form.validated_data)
        return self._answer(fulfillment_id)

    @extend_schema(
        summary="Mark a shipment as delivered", request=None, responses=FulfillmentSerializer
    )
    def delivered(self, request: Any, fulfillment_id: Any) -> Response:
        services.mark_delivered(shipment=self._shipment(fulfillment_id))
        return self._answer(fulfillment_id)
