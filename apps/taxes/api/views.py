"""Tax classes and rates, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.taxes import services
from apps.taxes.api.serializers import (
    TaxClassChangeSerializer,
    TaxClassInputSerializer,
    TaxClassSerializer,
    TaxRateInputSerializer,
    TaxRateSerializer,
)
from apps.taxes.models import TaxClass, TaxRate


class TaxRateFilter(filters.FilterSet):
    tax_class = filters.CharFilter(field_name="tax_class__code")
    country = filters.CharFilter()
    region = filters.CharFilter()

    class Meta:
        model = TaxRate
        fields: tuple[str, ...] = ()


class TaxClassViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "taxes.view_taxclass",
        "retrieve": "taxes.view_taxclass",
        "create": "taxes.add_taxclass",
        "partial_update": "taxes.change_taxclass",
        "destroy": "taxes.delete_taxclass",
    }
    queryset = TaxClass.objects.all()
    serializer_class = TaxClassSerializer
    lookup_field = "code"

    @extend_schema(summary="List tax classes", tags=["taxes"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A tax class", tags=["taxes"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Make a tax class",
        request=TaxClassInputSerializer,
        responses={201: TaxClassSerializer},
        tags=["taxes"],
    )
    def create(self, request: Any) -> Response:
        data = TaxClassInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        tax_class = services.save_class(tax_class=TaxClass(), changes=data.validated_data)
        return Response(TaxClassSerializer(tax_class).data, status=201)

    @extend_schema(
        summary="Rename a tax class",
        request=TaxClassChangeSerializer,
        responses={200: TaxClassSerializer},
        tags=["taxes"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        tax_class = self.get_object()
        data = TaxClassChangeSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        services.save_class(tax_class=tax_class, changes=data.validated_data)
        return Response(TaxClassSerializer(tax_class).data)

    @extend_schema(
        summary="Delete a tax class",
        description="Refused (`tax_class_in_use`) while rates, products or stores use it.",
        responses={204: None},
        tags=["taxes"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_class(tax_class=self.get_object())
        return Response(status=204)


class TaxRateViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "taxes.view_taxrate",
        "retrieve": "taxes.view_taxrate",
        "create": "taxes.add_taxrate",
        "partial_update": "taxes.change_taxrate",
        "destroy": "taxes.delete_taxrate",
    }
    queryset = TaxRate.objects.select_related("tax_class")
    serializer_class = TaxRateSerializer
    filterset_class = TaxRateFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List tax rates", tags=["taxes"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A tax rate", tags=["taxes"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return self._detail(self.get_object())

    @extend_schema(
        summary="Make a tax rate",
        request=TaxRateInputSerializer,
        responses={201: TaxRateSerializer},
        tags=["taxes"],
    )
    def create(self, request: Any) -> Response:
        data = TaxRateInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return self._detail(services.save_rate(rate=TaxRate(), changes=data.validated_data), 201)

    @extend_schema(
        summary="Change a tax rate",
        request=TaxRateInputSerializer,
        responses={200: TaxRateSerializer},
        tags=["taxes"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        rate = self.get_object()
        check_if_match(request, rate)
        data = TaxRateInputSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return self._detail(services.save_rate(rate=rate, changes=data.validated_data))

    @extend_schema(summary="Delete a tax rate", responses={204: None}, tags=["taxes"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_rate(rate=self.get_object())
        return Response(status=204)

    def _detail(self, rate: TaxRate, status: int = 200) -> Response:
        body = TaxRateSerializer(rate).data
        return Response(body, status=status, headers={"ETag": etag_of(rate)})
