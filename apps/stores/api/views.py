"""Stores and exchange rates, for staff and their systems."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet
from apps.stores.api.filters import ExchangeRateFilter
from apps.stores.api.serializers import ExchangeRateSerializer, StoreSerializer
from apps.stores.models import ExchangeRate, Store


class StoreViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    """`code` is what `X-Store` takes."""

    permission_classes = [Staff]
    required_permissions = {"list": "stores.view_store", "retrieve": "stores.view_store"}
    queryset = Store.objects.all()
    serializer_class = StoreSerializer
    lookup_field = "code"

    @extend_schema(summary="List stores", tags=["stores"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A store", tags=["stores"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)


class ExchangeRateViewSet(ListModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {"list": "stores.view_exchangerate"}
    queryset = ExchangeRate.objects.all()
    serializer_class = ExchangeRateSerializer
    filterset_class = ExchangeRateFilter
    ordering_fields = {"date": "date"}
    ordering = ("-date", "-pk")

    @extend_schema(summary="List exchange rates, the newest first", tags=["stores"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)
