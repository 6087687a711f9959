"""Orders, for their customers and for the merchant."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import PermissionDenied
from rest_framework.response import Response

from apps.core.api.permissions import Public, SignedIn, Staff, holds, may_only
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.core.errors import NotFound
from apps.orders import services, states
from apps.orders.api.serializers import (
    CancelInput,
    NoteInput,
    OrderSerializer,
    OrderSummarySerializer,
    StaffOrderSerializer,
    StaffOrderSummarySerializer,
    StatusInput,
)
from apps.orders.models import Order
from apps.orders.selectors import (
    order_for_shopper,
    order_json,
    orders_for_staff,
    summary_json,
)
from apps.orders.selectors.documents import staff_summary_json
from apps.orders.selectors.finding import OrderFilter

TOKEN = OpenApiParameter("token", str, description="A guest's key to the order.")


def _customer_id(request: Any) -> int | None:
    """The signed-in shopper's; a machine shops for nobody, whoever its key belongs to."""
    customer = None if may_only(request) is not None else getattr(request.user, "customer", None)
    return customer.pk if customer else None


class MyOrdersView(BaseViewSet):
    """The history of the signed-in customer."""

    permission_classes = [SignedIn]
    serializer_class = OrderSummarySerializer

    def get_queryset(self) -> QuerySet[Order]:
        return Order.objects.for_customer(_customer_id(self.request))

    @extend_schema(summary="List my orders")
    def list(self, request: Any) -> Response:
        page = self.paginate_queryset(self.get_queryset())
        return self.get_paginated_response([summary_json(order) for order in page])


class MyOrderView(PlainViewSet):
    """One order: a customer's own, or a guest's by `?token=`."""

    permission_classes = [Public]
    query_params = frozenset({"token"})

    def _order(self, number: str) -> Order:
        return order_for_shopper(
            number=number[:30],
            customer_id=_customer_id(self.request),
            token=self.request.query_params.get("token", "")[:100],
        )

    @extend_schema(summary="Get an order", parameters=[TOKEN], responses=OrderSerializer)
    def retrieve(self, request: Any, number: str) -> Response:
        return Response(order_json(self._order(number)))

    @extend_schema(
        summary="Cancel an order that isn't being packed yet",
        parameters=[TOKEN],
        request=CancelInput,
        responses=OrderSerializer,
    )
    def cancel(self, request: Any, number: str) -> Response:
        data = CancelInput(data=request.data)
        data.is_valid(raise_exception=True)
        order = self._order(number)
        services.cancel_by_customer(order=order, reason=data.validated_data.get("reason", ""))
        return Response(order_json(self._order(number)))


class OrderListView(BaseViewSet):
    """All orders, for staff."""

    permission_classes = [Staff]
    required_permissions = {"list": "orders.view_order"}
    queryset = Order.objects.select_related("assignee").prefetch_related("tags")
    serializer_class = StaffOrderSummarySerializer
    filterset_class = OrderFilter
    ordering_fields = {"created": "created_at", "total": "total"}

    @extend_schema(summary="List orders")
    def list(self, request: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([staff_summary_json(order) for order in page])


class OrderView(PlainViewSet):
    """One order, for staff."""

    permission_classes = [Staff]
    required_permissions = {
        "retrieve": "orders.view_order",
        "status": "orders.transition_order",
        "cancel": "orders.cancel_order",
        "note": "orders.note_order",
    }

    def _order(self, number: str) -> Order:
        order = orders_for_staff().filter(number=number[:30]).first()
        if order is None:
            raise NotFound()
        return order

    def _answer(self, number: str, status: int = 200) -> Response:
        return Response(order_json(self._order(number), for_staff=True), status=status)

    @extend_schema(summary="Get an order", responses=StaffOrderSerializer)
    def retrieve(self, request: Any, number: str) -> Response:
        return self._answer(number)

    @extend_schema(
        summary="Move an order to another state",
        description="The transition table decides: "
        + "; ".join(
            f"{source} → {target} ({event})"
            for (source, event), target in states.TRANSITIONS.items()
            if event in states.BY_HAND
        ),
        request=StatusInput,
        responses=StaffOrderSerializer,
    )
    def status(self, request: Any, number: str) -> Response:
        data = StatusInput(data=request.data)
        data.is_valid(raise_exception=True)
        if data.validated_data["status"] == states.CANCELLED and not holds(
            request, "orders.cancel_order"
        ):
            raise PermissionDenied()
        status = data.validated_data["status"]
        if status == states.CANCELLED and not holds(request, "orders.cancel_order"):
            # Cancelling gives the money back: a right of its own.
            raise PermissionDenied()
        services.move_by_staff(
            order=self._order(number), status=status, note=data.validated_data.get("note", "")
        )
        return self._answer(number)

    @extend_schema(
        summary="Cancel an order that hasn't shipped",
        description="Its stock is free again, its money goes back.",
        request=CancelInput,
        responses=StaffOrderSerializer,
    )
    def cancel(self, request: Any, number: str) -> Response:
        data = CancelInput(data=request.data)
        data.is_valid(raise_exception=True)
        reason = data.validated_data.get("reason", "")
        services.move_by_staff(order=self._order(number), status=states.CANCELLED, note=reason)
        return self._answer(number)

    @extend_schema(
        summary="Add a note to the timeline",
        request=NoteInput,
        responses={201: StaffOrderSerializer},
    )
    def note(self, request: Any, number: str) -> Response:
        data = NoteInput(data=request.data)
        data.is_valid(raise_exception=True)
        services.add_note(order=self._order(number), **data.validated_data)
        return self._answer(number, status=201)
