"""Duty rates and thresholds, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema, extend_schema_field, extend_schema_view
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.serializers import MoneyDocument, StrictSerializer
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.core.money import CURRENCIES, MoneyError, money_json, to_minor
from apps.shipping import services
from apps.shipping.models import DutyRate, DutyThreshold

_PLACE = "ISO 3166-1 alpha-2, or EU for the customs union."
_REGION = "ISO 3166-2 without the country; empty: the whole country."


class DutyRateSerializer(serializers.ModelSerializer[DutyRate]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = DutyRate
        fields = (
            *("id", "country", "region", "hs_prefix", "origin", "basis_points"),
            *("created_at", "updated_at"),
        )
        read_only_fields = fields


class _PlaceInput(StrictSerializer):
    country = serializers.CharField(max_length=2, help_text=_PLACE)
    region = serializers.CharField(
        max_length=3, required=False, allow_blank=True, help_text=_REGION
    )


class DutyRateInputSerializer(_PlaceInput):
    hs_prefix = serializers.CharField(
        max_length=10,
        required=False,
        allow_blank=True,
        help_text="Digits with which HS codes begin; empty: all goods.",
    )
    origin = serializers.CharField(
        max_length=2, required=False, allow_blank=True, help_text="Where they were made."
    )
    basis_points = serializers.IntegerField(
        min_value=0, max_value=services.MAX_BASIS_POINTS, help_text="1250 is 12.5 %."
    )


class DutyThresholdSerializer(serializers.ModelSerializer[DutyThreshold]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    amount = serializers.SerializerMethodField()

    class Meta:
        model = DutyThreshold
        fields = ("id", "country", "region", "amount", "created_at", "updated_at")
        read_only_fields = fields

    @extend_schema_field(MoneyDocument)
    def get_amount(self, row: DutyThreshold) -> Any:
        return money_json(row.amount, row.currency)


class DutyThresholdInputSerializer(_PlaceInput):
    currency = serializers.ChoiceField(CURRENCIES)
    amount = serializers.DecimalField(
        max_digits=14, decimal_places=4, min_value=0, help_text="Free of duties up to this."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "amount" in attrs:
            currency = attrs.get("currency") or self.context["currency"]
            try:
                attrs["amount"] = to_minor(attrs["amount"], currency)
            except MoneyError as error:
                raise serializers.ValidationError({"amount": [str(error)]}, "invalid") from error
        elif "currency" in attrs:
            raise serializers.ValidationError({"amount": ["Give both."]}, "required")
        return attrs


class DutyFilter(filters.FilterSet):
    country = filters.CharFilter()
    region = filters.CharFilter()


class _DutyViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    filterset_class = DutyFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    input_class: type[StrictSerializer]

    def _detail(self, row: Any, status: int = 200) -> Response:
        body = self.get_serializer(row).data
        return Response(body, status=status, headers={"ETag": etag_of(row)})

    def _input(self, request: Any, row: Any = None) -> dict[str, Any]:
        currency = getattr(row, "currency", "")
        data = self.input_class(
            data=request.data, partial=row is not None, context={"currency": currency}
        )
        data.is_valid(raise_exception=True)
        return dict(data.validated_data)

    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return self._detail(self.get_object())

    def create(self, request: Any) -> Response:
        model: Any = self.get_queryset().model
        return self._detail(services.save_duty(row=model(), changes=self._input(request)), 201)

    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        row = self.get_object()
        check_if_match(request, row)
        return self._detail(services.save_duty(row=row, changes=self._input(request, row)))

    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_duty(row=self.get_object())
        return Response(status=204)


def _described(what: str, shown: Any, asked: Any) -> Any:
    return extend_schema_view(
        list=extend_schema(summary=f"List {what}s", tags=["shipping"]),
        retrieve=extend_schema(summary=f"A {what}", responses=shown, tags=["shipping"]),
        create=extend_schema(
            summary=f"Make a {what}", request=asked, responses={201: shown}, tags=["shipping"]
        ),
        partial_update=extend_schema(
            summary=f"Change a {what}", request=asked, responses={200: shown}, tags=["shipping"]
        ),
        destroy=extend_schema(summary=f"Delete a {what}", responses={204: None}, tags=["shipping"]),
    )


@_described("duty rate", DutyRateSerializer, DutyRateInputSerializer)
class DutyRateViewSet(_DutyViewSet):
    required_permissions = {
        "list": "shipping.view_dutyrate",
        "retrieve": "shipping.view_dutyrate",
        "create": "shipping.add_dutyrate",
        "partial_update": "shipping.change_dutyrate",
        "destroy": "shipping.delete_dutyrate",
    }
    queryset = DutyRate.objects.order_by("pk")
    serializer_class = DutyRateSerializer
    input_class = DutyRateInputSerializer


@_described("duty threshold", DutyThresholdSerializer, DutyThresholdInputSerializer)
class DutyThresholdViewSet(_DutyViewSet):
    required_permissions = {
        "list": "shipping.view_dutythreshold",
        "retrieve": "shipping.view_dutythreshold",
        "create": "shipping.add_dutythreshold",
        "partial_update": "shipping.change_dutythreshold",
        "destroy": "shipping.delete_dutythreshold",
    }
    queryset = DutyThreshold.objects.order_by("pk")
    serializer_class = DutyThresholdSerializer
    input_class = DutyThresholdInputSerializer
