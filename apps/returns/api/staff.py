"""Returns, for staff and API keys."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext_lazy as _
from django_filters import CharFilter
from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import WaitingDocument, waiting_response
from apps.core.api.views import BaseViewSet
from apps.orders.models import Approval
from apps.orders.selectors import order_for_staff
from apps.returns import services
from apps.returns.api.serializers import (
    STATES_TOLD,
    ApproveReturnInput,
    DeclineReturnInput,
    InspectReturnInput,
    ReceiveReturnInput,
    ReturnEstimateDocument,
    ReturnRefundInput,
    ReturnRequestInput,
    StaffReturnSerializer,
)
from apps.returns.api.views import wishes_of
from apps.returns.models import ReturnRequest
from apps.returns.selectors import estimate_json, return_json, returns_for_reading


class ReturnFilter(FilterSet):
    order = CharFilter(field_name="order__number")
    store = CharFilter(field_name="order__store__code")

    class Meta:
        model = ReturnRequest
        fields = ("status", "kind", "order", "store")


class StaffReturnViewSet(BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "returns.view_returnrequest",
        "retrieve": "returns.view_returnrequest",
        "proposal": "returns.view_returnrequest",
        "create": "returns.decide_return",
        "approve": "returns.decide_return",
        "decline": "returns.decide_return",
        "refund_instead": "returns.decide_return",
        "receive": "returns.receive_return",
        "inspect": "returns.receive_return",
        "refund": "returns.refund_return",
        "retry": "returns.refund_return",
    }
    idempotent = frozenset({"create", "receive", "inspect", "refund", "retry"})
    queryset = returns_for_reading()
    serializer_class = StaffReturnSerializer
    filterset_class = ReturnFilter
    search_fields = ("number", "order__number", "order__email")
    ordering_fields = {"created": "pk"}
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def _answer(self, status: int = 200) -> Response:
        return Response(return_json(self.get_object(), for_staff=True), status=status)

    def _form(self, kind: Any) -> dict[str, Any]:
        form = kind(data=self.request.data)
        form.is_valid(raise_exception=True)
        return dict(form.validated_data)

    @extend_schema(summary="List returns", tags=["returns"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        page = self.paginate_queryset(self.filter_queryset(self.get_queryset()))
        return self.get_paginated_response([return_json(one, for_staff=True) for one in page])

    @extend_schema(summary="A return", description=STATES_TOLD, tags=["returns"])
    def retrieve(self, request: Any, **kwargs: Any) -> Response:
        return self._answer()

    @extend_schema(
        summary="Ask for a return in the customer's name",
        description="The policy doesn't bind the staff.",
        request=ReturnRequestInput,
        responses={201: StaffReturnSerializer},
        tags=["returns"],
    )
    def create(self, request: Any, number: str) -> Response:
        order = order_for_staff(number)
        data = self._form(ReturnRequestInput)
        wishes = wishes_of(data.pop("lines"))
        made = services.request_return(order=order, wishes=wishes, by_staff=True, **data)
        found = returns_for_reading().get(pk=made.pk)
        return Response(return_json(found, for_staff=True), status=201)

    @extend_schema(
        summary="Approve a return",
        description="What it is exchanged for is kept until it is closed, or given up.",
        request=ApproveReturnInput,
        responses=StaffReturnSerializer,
        tags=["returns"],
    )
    def approve(self, request: Any, **kwargs: Any) -> Response:
        services.approve_return(request=self.get_object(), **self._form(ApproveReturnInput))
        return self._answer()

    @extend_schema(
        summary="Refund what was to be exchanged",
        request=None,
        responses=StaffReturnSerializer,
        tags=["returns"],
    )
    def refund_instead(self, request: Any, **kwargs: Any) -> Response:
        services.refund_instead(request=self.get_object())
        return self._answer()

    @extend_schema(
        summary="Decline a return",
        request=DeclineReturnInput,
        responses=StaffReturnSerializer,
        tags=["returns"],
    )
    def decline(self, request: Any, **kwargs: Any) -> Response:
        services.decline_return(request=self.get_object(), **self._form(DeclineReturnInput))
        return self._answer()

    @extend_schema(
        summary="Note what arrived",
        description="Without `lines` all of it; what isn't named didn't come, and stays with the"
        " customer.",
        request=ReceiveReturnInput,
        responses=StaffReturnSerializer,
        tags=["returns"],
    )
    def receive(self, request: Any, **kwargs: Any) -> Response:
        found, data = self.get_object(), self._form(ReceiveReturnInput)
        came = data.get("lines")
        quantities = None if came is None else {row["id"]: row["quantity"] for row in came}
        if came is not None and len(quantities or {}) != len(came):
            raise ValidationError({"lines": [_("Each line once.")]})
        services.receive_return(request=found, location=data["location"], quantities=quantities)
        return self._answer()

    @extend_schema(
        summary="Decide about every piece that arrived",
        description="`restock` puts them on hand at the location, `quarantine` sets them apart"
        " there; `refused` ones aren't refunded. Without `findings` all go back to stock.",
        request=InspectReturnInput,
        responses=StaffReturnSerializer,
        tags=["returns"],
    )
    def inspect(self, request: Any, **kwargs: Any) -> Response:
        found, data = self.get_object(), self._form(InspectReturnInput)
        rows = data.get("findings")
        findings = None
        if rows is not None:
            findings = [
                services.Finding(row["id"], row["outcome"], row["quantity"]) for row in rows
            ]
        services.inspect_return(request=found, findings=findings)
        return self._answer()

    @extend_schema(
        summary="What a return would give back now",
        responses=ReturnEstimateDocument,
        tags=["returns"],
    )
    def proposal(self, request: Any, **kwargs: Any) -> Response:
        found = self.get_object()
        lines = services.lines_to_settle(found)
        told, _quotation = services.propose(order=found.order, lines=lines, is_claim=found.is_claim)
        return Response(estimate_json(told, found.order.currency))

    @extend_schema(
        summary="Refund a return, and close it",
        description="Over the order's payments, the last first; or to store credit or a gift card."
        " What it is exchanged for is ordered, and paid by it first. `202`: it is above the store's"
        " limit, and waits for another person's approval.",
        request=ReturnRefundInput,
        responses={200: StaffReturnSerializer, 202: WaitingDocument},
        tags=["returns"],
    )
    def refund(self, request: Any, **kwargs: Any) -> Response:
        data = self._form(ReturnRefundInput)
        made = services.refund_or_ask(request=self.get_object(), **data)
        if isinstance(made, Approval):
            return waiting_response(made)
        return self._answer()

    @extend_schema(
        summary="Try refunds again that a provider refused",
        request=None,
        responses=StaffReturnSerializer,
        tags=["returns"],
    )
    def retry(self, request: Any, **kwargs: Any) -> Response:
        services.retry_refund(request=self.get_object())
        return self._answer()
