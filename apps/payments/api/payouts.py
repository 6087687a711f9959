"""For staff: what the providers paid out, and where their books and ours differ."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet
from apps.core.scopes import scoped
from apps.payments import services
from apps.payments.api.filters import DifferenceFilter, PayoutFilter, PayoutLineFilter
from apps.payments.api.payout_serializers import (
    DifferenceSerializer,
    PayoutLineSerializer,
    PayoutSerializer,
    ResolveInput,
)
from apps.payments.models import Payout, PayoutLine, ReconciliationDifference


class PayoutViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "payments.view_payout",
        "retrieve": "payments.view_payout",
    }
    queryset = Payout.objects.all()
    serializer_class = PayoutSerializer
    filterset_class = PayoutFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    ordering = ("-arrives_on", "-pk")
    ordering_fields = {"arrives_on": "arrives_on", "created_at": "pk"}

    @extend_schema(summary="List payouts", tags=["payments"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Get a payout", tags=["payments"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)


class PayoutLineViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "payments.view_payout"}
    queryset = PayoutLine.objects.select_related("payout", "payment__order", "refund")
    serializer_class = PayoutLineSerializer
    filterset_class = PayoutLineFilter
    ordering = ("pk",)

    def get_queryset(self) -> QuerySet[PayoutLine]:
        payout = get_object_or_404(scoped(Payout.objects.all()), public_id=self.kwargs.get("id"))
        return super().get_queryset().filter(payout=payout)

    @extend_schema(summary="List what a payout is made of", tags=["payments"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class DifferenceViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "payments.view_reconciliationdifference",
        "retrieve": "payments.view_reconciliationdifference",
        "resolve": "payments.resolve_difference",
    }
    idempotent = frozenset({"resolve"})
    queryset = ReconciliationDifference.objects.select_related("payment__order", "payout")
    serializer_class = DifferenceSerializer
    filterset_class = DifferenceFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List differences with providers", tags=["payments"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="Get a difference with a provider", tags=["payments"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Resolve a difference with a provider",
        description="It isn't opened again while the sums stay as they are. `409"
        " difference_closed`: it is resolved already, or both say the same.",
        request=ResolveInput,
        responses={200: DifferenceSerializer},
        tags=["payments"],
    )
    def resolve(self, request: Any, **kwargs: Any) -> Response:
        data = ResolveInput(data=request.data)
        data.is_valid(raise_exception=True)
        difference = services.resolve_difference(
            difference=self.get_object(), note=data.validated_data["note"]
        )
        return Response(DifferenceSerializer(difference).data)
