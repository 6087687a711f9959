"""What gateways keep for customers: their own to look at and remove, for staff to charge."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import SignedIn, Staff
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.orders.selectors import order_for_staff
from apps.payments import services
from apps.payments.api.serializers import (
    PaymentSerializer,
    SavedMethodInput,
    SavedMethodSerializer,
)
from apps.payments.models import SavedMethod
from apps.payments.selectors import payments_for_reading


class MyPaymentMethodViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    """What is kept for the person who asks."""

    permission_classes = [SignedIn]
    serializer_class = SavedMethodSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    # For the schema alone; who isn't signed in gets no rows.
    queryset = SavedMethod.objects.none()

    def get_queryset(self) -> QuerySet[SavedMethod]:
        if not self.request.user.is_authenticated:
            return super().get_queryset()
        mine = SavedMethod.objects.filter(customer__user=self.request.user)
        return mine.select_related("account")

    @extend_schema(summary="My saved payment methods", tags=["account"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="One of my saved payment methods", tags=["account"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a saved payment method my default, or not",
        request=SavedMethodInput,
        responses={200: SavedMethodSerializer},
        tags=["account"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        method = self.get_object()
        data = SavedMethodInput(data=request.data)
        data.is_valid(raise_exception=True)
        method = services.set_default_method(method=method, **data.validated_data)
        return Response(SavedMethodSerializer(method).data)

    @extend_schema(
        summary="Remove a saved payment method",
        description="Also at the payment provider. 503 `gateway_unreachable` if it doesn't answer:"
        " then it is kept; try again.",
        responses={204: None},
        tags=["account"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.remove_method(method=self.get_object())
        return Response(status=204)


class ChargeSavedView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"create": "payments.capture_payment"}
    idempotent = frozenset({"create"})

    @extend_schema(
        summary="Charge what an order still owes to the customer's saved payment method",
        description="The default one, else the newest. 409 `nothing_outstanding`,"
        " `payment_pending` or `no_saved_method`. 402 `payment_declined` with its `decline_code`"
        " (`authentication_required`: the customer has to be there): they are mailed a pay link.",
        request=None,
        responses={201: PaymentSerializer},
    )
    def create(self, request: Any, number: str) -> Response:
        order = order_for_staff(number)
        payment = services.charge_saved(order=order)
        fresh = payments_for_reading().get(pk=payment.pk)
        return Response(PaymentSerializer(fresh).data, status=201)
