"""Holidays, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.shipping import services
from apps.shipping.models import Holiday


class HolidaySerializer(serializers.ModelSerializer[Holiday]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = Holiday
        fields = ("id", "country", "region", "date", "name", "created_at", "updated_at")
        read_only_fields = fields


class HolidayInputSerializer(StrictSerializer):
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1 alpha-2.")
    region = serializers.CharField(
        max_length=3, required=False, allow_blank=True, help_text="Empty: the whole country."
    )
    date = serializers.DateField()
    name = serializers.CharField(max_length=120)


class HolidayFilter(filters.FilterSet):
    country = filters.CharFilter()
    region = filters.CharFilter()
    since = filters.DateFilter(field_name="date", lookup_expr="gte")

    class Meta:
        model = Holiday
        fields: tuple[str, ...] = ()


class HolidayViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "shipping.view_holiday",
        "retrieve": "shipping.view_holiday",
        "create": "shipping.add_holiday",
        "partial_update": "shipping.change_holiday",
        "destroy": "shipping.delete_holiday",
    }
    queryset = Holiday.objects.all()
    serializer_class = HolidaySerializer
    filterset_class = HolidayFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List holidays", tags=["shipping"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A holiday", tags=["shipping"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return _detail(self.get_object())

    @extend_schema(
        summary="Make a holiday",
        description="No parcel leaves or arrives on it.",
        request=HolidayInputSerializer,
        responses={201: HolidaySerializer},
        tags=["shipping"],
    )
    def create(self, request: Any) -> Response:
        data = HolidayInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        holiday = services.save_holiday(holiday=Holiday(), changes=data.validated_data)
        return _detail(holiday, 201)

    @extend_schema(
        summary="Change a holiday",
        request=HolidayInputSerializer,
        responses={200: HolidaySerializer},
        tags=["shipping"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        holiday = self.get_object()
        check_if_match(request, holiday)
        data = HolidayInputSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return _detail(services.save_holiday(holiday=holiday, changes=data.validated_data))

    @extend_schema(summary="Delete a holiday", responses={204: None}, tags=["shipping"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_holiday(holiday=self.get_object())
        return Response(status=204)


def _detail(holiday: Holiday, status: int = 200) -> Response:
    body = HolidaySerializer(holiday).data
    return Response(body, status=status, headers={"ETag": etag_of(holiday)})
