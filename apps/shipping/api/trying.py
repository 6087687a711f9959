"""What shipping would cost, for those who set it up."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import (
    MoneyDocument,
    RowField,
    StrictSerializer,
)
from apps.core.api.views import PlainViewSet
from apps.core.money import CURRENCIES, MoneyError, money_json, to_minor
from apps.shipping.api.serializers import MAX_INTEGER
from apps.shipping.engines.tables import Parcel
from apps.shipping.models import Zone
from apps.shipping.selectors import belongs, tried
from apps.stores.models import Store


class PlaceSerializer(StrictSerializer):
    country = serializers.CharField(max_length=2, help_text="ISO 3166-1 alpha-2.")
    region = serializers.CharField(max_length=6, required=False, allow_blank=True)
    postal_code = serializers.CharField(max_length=20, required=False, allow_blank=True)


class TrySerializer(PlaceSerializer):
    store = RowField(Store.objects.all(), help_text="A store's code.")
    currency = serializers.ChoiceField(CURRENCIES, help_text="That of the prices.")
    value = serializers.DecimalField(
        max_digits=14,
        decimal_places=4,
        min_value=0,
        required=False,
        default=0,
        help_text="The worth of the goods.",
    )
    weight = serializers.IntegerField(
        min_value=0, max_value=MAX_INTEGER, default=0, help_text="Grams."
    )
    pieces = serializers.IntegerField(min_value=1, max_value=1_000_000, default=1)
    volume = serializers.IntegerField(
        min_value=0, max_value=10**15, default=0, help_text="Cubic millimetres."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        try:
            goods = to_minor(attrs["value"], attrs["currency"])
        except MoneyError as error:
            raise serializers.ValidationError({"value": [str(error)]}, "invalid") from error
        return {**attrs, "goods": goods}


class TriedEstimateSerializer(serializers.Serializer):
    earliest = serializers.DateField()
    latest = serializers.DateField()


class TriedSerializer(serializers.Serializer):
    code = serializers.CharField()
    name = serializers.CharField()
    price = MoneyDocument(allow_null=True)
    reason = serializers.CharField(help_text="Why there is no price: not_here, no_rate.")
    estimate = TriedEstimateSerializer(allow_null=True)
    steps = serializers.ListField(
        child=serializers.DictField(), help_text="Amounts in minor units; they add up to the price."
    )


class TriedListSerializer(serializers.Serializer):
    results = TriedSerializer(many=True)


class ZoneCheckSerializer(serializers.Serializer):
    level = serializers.ChoiceField(["nowhere", "everywhere", "country", "region", "postcode"])


class TryView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"retrieve": "shipping.view_shippingmethod"}
    query_params = frozenset(TrySerializer().fields)

    @extend_schema(
        summary="Try what shipping costs",
        description="Every active method of a store with its price before taxes and promotions,"
        " and how it comes about. Changes nothing, and asks no carrier.",
        parameters=[TrySerializer],
        responses={200: TriedListSerializer},
        tags=["shipping"],
    )
    def retrieve(self, request: Any) -> Response:
        data = TrySerializer(data=request.query_params.dict())
        data.is_valid(raise_exception=True)
        asked = data.validated_data
        found = tried(
            store=asked["store"],
            currency=asked["currency"],
            address=asked,
            parcel=Parcel(asked["weight"], asked["goods"], asked["pieces"], asked["volume"]),
            at=timezone.now(),
        )
        results = [
            {
                "code": one.method.code,
                "name": one.method.name,
                "price": None if one.price is None else money_json(one.price, asked["currency"]),
                "reason": one.reason,
                "estimate": one.estimate,
                "steps": one.steps,
            }
            for one in found
        ]
        return Response(TriedListSerializer({"results": results}).data)


class ZoneCheckView(PlainViewSet):
    permission_classes = [Staff]
    required_permissions = {"retrieve": "shipping.view_zone"}
    query_params = frozenset(PlaceSerializer().fields)

    @extend_schema(
        summary="Does an address belong to a zone?",
        parameters=[PlaceSerializer],
        responses={200: ZoneCheckSerializer},
        tags=["shipping"],
    )
    def retrieve(self, request: Any, **kwargs: Any) -> Response:
        zone = get_object_or_404(Zone, public_id=kwargs["id"])
        data = PlaceSerializer(data=request.query_params.dict())
        data.is_valid(raise_exception=True)
        return Response({"level": belongs(zone, data.validated_data)})
