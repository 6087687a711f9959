"""Pick-up points: for anybody who chooses one, and for staff."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.filters import FlagFilter
from apps.core.api.permissions import Public, Staff
from apps.core.api.public import public_answer
from apps.core.api.renderers import dumps
from apps.core.api.serializers import AddressSerializer, StrictSerializer
from apps.core.api.views import BaseApi, BaseViewSet, check_if_match, etag_of
from apps.core.scopes import scoped
from apps.shipping import services
from apps.shipping.models import PickupPoint, ShippingMethod
from apps.shipping.selectors import points_for
from apps.stores.selectors import current_store


class PickupPointSerializer(serializers.ModelSerializer[PickupPoint]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    address = AddressSerializer(read_only=True)

    class Meta:
        model = PickupPoint
        fields = ("id", "name", "address", "opening_hours")
        read_only_fields = fields


class PickupPointListSerializer(serializers.Serializer):
    results = PickupPointSerializer(many=True)


class StaffPickupPointSerializer(PickupPointSerializer):
    store = serializers.CharField(source="method.store.code", read_only=True)
    method = serializers.CharField(source="method.code", read_only=True)
    location_code = serializers.CharField(read_only=True)

    class Meta(PickupPointSerializer.Meta):
        fields = (
            "id",
            "store",
            "method",
            "name",
            "address",
            "opening_hours",
            "location_code",
            "is_active",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class PickupPointChangeSerializer(StrictSerializer):
    name = serializers.CharField(max_length=200)
    address = AddressSerializer()
    opening_hours = serializers.CharField(max_length=1000, required=False, allow_blank=True)
    location_code = serializers.SlugField(max_length=40, required=False, allow_blank=True)
    is_active = serializers.BooleanField(required=False)


class PickupPointInputSerializer(PickupPointChangeSerializer):
    store = serializers.CharField(max_length=40, help_text="A store's code.")
    method = serializers.CharField(max_length=60, help_text="The code of a pick-up method of it.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        methods = scoped(ShippingMethod.objects.select_related("store"))
        method = methods.filter(store__code=attrs.pop("store"), code=attrs["method"]).first()
        if method is None:
            raise ValidationError({"method": [_("There is no such method.")]}, "does_not_exist")
        return {**attrs, "method": method}


class PickupPointsView(BaseApi):
    authentication_classes = ()
    permission_classes = (Public,)
    public_bytes = True
    query_params = frozenset({"method", "country", "postal_code"})

    @extend_schema(
        summary="List a method's pick-up points, nearest first",
        description="As near as postcodes tell: the more of its beginning a point's postcode"
        " shares, the nearer it is taken to be. At most 50.",
        parameters=[
            OpenApiParameter("method", OpenApiTypes.STR, required=True, description="Its code."),
            OpenApiParameter("country", OpenApiTypes.STR, required=True, description="ISO 3166-1."),
            OpenApiParameter("postal_code", OpenApiTypes.STR),
        ],
        responses=PickupPointListSerializer,
        tags=["shipping"],
    )
    def get(self, request: Any) -> HttpResponse:
        query = request.query_params
        for name in ("method", "country"):
            if not query.get(name):
                raise ValidationError({name: [_("This field is required.")]}, "required")
        method = get_object_or_404(
            ShippingMethod,
            store=current_store(request),
            code=query["method"],
            kind=ShippingMethod.Kind.PICKUP,
            is_active=True,
        )
        points = points_for(
            [method], {n: query.get(n, "")[:20] for n in ("country", "postal_code")}
        )
        body = dumps({"results": PickupPointSerializer(points, many=True).data})
        return public_answer(request, body, "pickup-points")


class PickupPointFilter(filters.FilterSet):
    store = filters.CharFilter(field_name="method__store__code")
    method = filters.CharFilter(field_name="method__code")
    is_active = FlagFilter()

    class Meta:
        model = PickupPoint
        fields: tuple[str, ...] = ()


class PickupPointViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "shipping.view_pickuppoint",
        "retrieve": "shipping.view_pickuppoint",
        "create": "shipping.add_pickuppoint",
        "partial_update": "shipping.change_pickuppoint",
        "destroy": "shipping.delete_pickuppoint",
    }
    queryset = PickupPoint.objects.select_related("method__store")
    serializer_class = StaffPickupPointSerializer
    filterset_class = PickupPointFilter
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List pick-up points", tags=["shipping"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A pick-up point", tags=["shipping"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return _detail(self.get_object())

    @extend_schema(
        summary="Make a pick-up point",
        request=PickupPointInputSerializer,
        responses={201: StaffPickupPointSerializer},
        tags=["shipping"],
    )
    def create(self, request: Any) -> Response:
        data = PickupPointInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        point = services.save_pickup_point(point=PickupPoint(), changes=data.validated_data)
        return _detail(point, 201)

    @extend_schema(
        summary="Change a pick-up point",
        description="`address`, where given, replaces the whole address.",
        request=PickupPointChangeSerializer,
        responses={200: StaffPickupPointSerializer},
        tags=["shipping"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        point = self.get_object()
        check_if_match(request, point)
        data = PickupPointChangeSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return _detail(services.save_pickup_point(point=point, changes=data.validated_data))

    @extend_schema(summary="Delete a pick-up point", responses={204: None}, tags=["shipping"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_pickup_point(point=self.get_object())
        return Response(status=204)


def _detail(point: PickupPoint, status: int = 200) -> Response:
    body = StaffPickupPointSerializer(point).data
    return Response(body, status=status, headers={"ETag": etag_of(point)})
