"""Shipping zones and methods, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.filters import FlagFilter
from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.core.scopes import scoped
from apps.shipping import services
from apps.shipping.api.serializers import (
    MethodChangeSerializer,
    MethodInputSerializer,
    MethodSerializer,
    ZoneInputSerializer,
    ZoneSerializer,
)
from apps.shipping.models import ShippingMethod, Zone


class MethodFilter(filters.FilterSet):
    store = filters.CharFilter(field_name="store__code")
    zone = filters.UUIDFilter(field_name="zone__public_id")
    is_active = FlagFilter()

    class Meta:
        model = ShippingMethod
        fields: tuple[str, ...] = ()


class ZoneViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "shipping.view_zone",
        "retrieve": "shipping.view_zone",
        "create": "shipping.add_zone",
        "partial_update": "shipping.change_zone",
        "destroy": "shipping.delete_zone",
    }
    queryset = Zone.objects.all()
    serializer_class = ZoneSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List shipping zones", tags=["shipping"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A shipping zone", tags=["shipping"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return self._detail(self.get_object())

    @extend_schema(
        summary="Make a shipping zone",
        request=ZoneInputSerializer,
        responses={201: ZoneSerializer},
        tags=["shipping"],
    )
    def create(self, request: Any) -> Response:
        data = ZoneInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return self._detail(services.save_zone(zone=Zone(), changes=data.validated_data), 201)

    @extend_schema(
        summary="Change a shipping zone",
        request=ZoneInputSerializer,
        responses={200: ZoneSerializer},
        tags=["shipping"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        zone = self.get_object()
        check_if_match(request, zone)
        data = ZoneInputSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return self._detail(services.save_zone(zone=zone, changes=data.validated_data))

    @extend_schema(
        summary="Delete a shipping zone",
        description="Refused (`zone_in_use`) while methods use it.",
        responses={204: None},
        tags=["shipping"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_zone(zone=self.get_object())
        return Response(status=204)

    def _detail(self, zone: Zone, status: int = 200) -> Response:
        return Response(ZoneSerializer(zone).data, status=status, headers={"ETag": etag_of(zone)})


class MethodViewSet(ListModelMixin, BaseViewSet):
    """Methods with their rates; named by store and code."""

    permission_classes = [Staff]
    required_permissions = {
        "list": "shipping.view_shippingmethod",
        "retrieve": "shipping.view_shippingmethod",
        "create": "shipping.add_shippingmethod",
        "partial_update": "shipping.change_shippingmethod",
        "destroy": "shipping.delete_shippingmethod",
    }
    queryset = ShippingMethod.objects.select_related("store", "zone").prefetch_related(
        "rates", "surcharges"
    )
    serializer_class = MethodSerializer
    filterset_class = MethodFilter
    ordering = ("position", "pk")

    def get_object(self) -> ShippingMethod:
        return get_object_or_404(
            scoped(self.get_queryset()), store__code=self.kwargs["store"], code=self.kwargs["code"]
        )

    @extend_schema(summary="List shipping methods", tags=["shipping"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="A shipping method", responses={200: MethodSerializer}, tags=["shipping"]
    )
    def retrieve(self, request: Any, **kwargs: Any) -> Response:
        return self._detail(self.get_object())

    @extend_schema(
        summary="Make a shipping method with its rates",
        request=MethodInputSerializer,
        responses={201: MethodSerializer},
        tags=["shipping"],
    )
    def create(self, request: Any) -> Response:
        data = MethodInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        method = _save(ShippingMethod(), data.validated_data)
        # As the database has it: decimals with its own digits.
        return self._detail(self.get_queryset().get(pk=method.pk), 201)

    @extend_schema(
        summary="Change a shipping method",
        description="`rates` and `surcharges`, where given, replace all that it has.",
        request=MethodChangeSerializer,
        responses={200: MethodSerializer},
        tags=["shipping"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        method = self.get_object()
        check_if_match(request, method)
        data = MethodChangeSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        _save(method, data.validated_data)
        return self._detail(self.get_object())

    @extend_schema(summary="Delete a shipping method", responses={204: None}, tags=["shipping"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_method(method=self.get_object())
        return Response(status=204)

    def _detail(self, method: ShippingMethod, status: int = 200) -> Response:
        body = MethodSerializer(method).data
        return Response(body, status=status, headers={"ETag": etag_of(method)})


def _save(method: ShippingMethod, values: dict[str, Any]) -> ShippingMethod:
    changes = dict(values)
    rates, surcharges = changes.pop("rates", None), changes.pop("surcharges", None)
    return services.save_method(method=method, changes=changes, rates=rates, surcharges=surcharges)
