"""What waits for another person of the staff."""

from __future__ import annotations

from typing import Any

from django_filters.rest_framework import FilterSet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import MoneyField, StrictSerializer
from apps.core.api.views import BaseViewSet
from apps.orders import services
from apps.orders.models import Approval


class ApprovalSerializer(serializers.ModelSerializer[Approval]):
    id = serializers.UUIDField(source="public_id")
    order = serializers.CharField(source="order.number")
    amount = MoneyField(currency="order.currency")
    asked_by = serializers.EmailField(source="asked_by.email", allow_null=True)
    decided_by = serializers.EmailField(
        source="decided_by.email", default=None, allow_null=True, help_text="Another person."
    )

    class Meta:
        model = Approval
        fields = (
            *("id", "order", "verb", "arguments", "amount", "reason", "status", "asked_by"),
            *("created_at", "expires_at", "decided_by", "decided_at", "note"),
        )
        read_only_fields = fields


class RefusalInput(StrictSerializer):
    note = serializers.CharField(max_length=500, help_text="Why; shown to who asked.")


class ApprovalFilter(FilterSet):
    class Meta:
        model = Approval
        fields = ("status", "verb")


class ApprovalViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "orders.view_approval",
        "retrieve": "orders.view_approval",
        "approve": "orders.decide_approval",
        "refuse": "orders.decide_approval",
    }
    queryset = Approval.objects.select_related("order", "asked_by", "decided_by")
    serializer_class = ApprovalSerializer
    filterset_class = ApprovalFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(
        summary="List what waits, or waited, for approval",
        description="`?status=asked` is the queue. What is above a store's limit answers `202`"
        " with the id of its approval, and happens once another person approves it.",
        tags=["approvals"],
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="An approval", tags=["approvals"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Approve, and have it done",
        description="Once: `409 approval_closed` afterwards. `409 own_request` for who asked. What"
        " can't be done any more is `failed`, and its `note` says why.",
        request=None,
        responses={200: ApprovalSerializer},
        tags=["approvals"],
    )
    def approve(self, request: Any, **kwargs: Any) -> Response:
        services.approve(approval=self.get_object(), user=request.user)
        return self._shown()

    @extend_schema(
        summary="Refuse",
        description="`409 own_request` for who asked, `409 approval_closed` once it was decided.",
        request=RefusalInput,
        responses={200: ApprovalSerializer},
        tags=["approvals"],
    )
    def refuse(self, request: Any, **kwargs: Any) -> Response:
        approval = self.get_object()
        data = RefusalInput(data=request.data)
        data.is_valid(raise_exception=True)
        services.refuse(approval=approval, user=request.user, **data.validated_data)
        return self._shown()

    def _shown(self) -> Response:
        return Response(ApprovalSerializer(self.get_object()).data)
