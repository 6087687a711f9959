"""Promotions and their codes, for staff and their systems."""

from __future__ import annotations

from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet, check_if_match, etag_of
from apps.promotions import services
from apps.promotions.api.filters import CouponFilter, PromotionFilter, RedemptionFilter
from apps.promotions.api.serializers import (
    BatchInputSerializer,
    BatchSerializer,
    CouponChangeSerializer,
    CouponInputSerializer,
    CouponSerializer,
    PromotionDraftSerializer,
    PromotionInputSerializer,
    PromotionSerializer,
    RedemptionSerializer,
)
from apps.promotions.models import Coupon, Promotion, Redemption

TAGS = ["promotions"]


def _promotions() -> QuerySet[Promotion]:
    redeemed = Redemption.objects.filter(promotion=OuterRef("pk")).order_by().values("promotion")
    count = Subquery(redeemed.annotate(n=Count("pk")).values("n"))
    return Promotion.objects.annotate(redeemed=Coalesce(count, 0)).prefetch_related("stores")


def _detail(promotion: Promotion, status: int = 200) -> Response:
    fresh = _promotions().get(pk=promotion.pk)
    headers = {"ETag": etag_of(fresh)}
    return Response(PromotionSerializer(fresh).data, status=status, headers=headers)


def _save(promotion: Promotion, values: dict[str, Any]) -> Promotion:
    stores = values.pop("stores", None)
    for name, value in values.items():
        setattr(promotion, name, value)
    return services.save_promotion(promotion=promotion, stores=stores)


class PromotionViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "promotions.view_promotion",
        "retrieve": "promotions.view_promotion",
        "create": "promotions.add_promotion",
        "partial_update": "promotions.change_promotion",
        "destroy": "promotions.delete_promotion",
        "end": "promotions.change_promotion",
    }
    queryset = Promotion.objects.none()
    serializer_class = PromotionSerializer
    filterset_class = PromotionFilter
    ordering_fields = {"code": "code", "priority": "priority", "updated": "updated_at"}
    search_fields = ("code", "name")
    lookup_field = "code"

    def get_queryset(self) -> QuerySet[Promotion]:
        return _promotions()

    @extend_schema(summary="List promotions", tags=TAGS)
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A promotion", tags=TAGS)
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return _detail(self.get_object())

    @extend_schema(
        summary="Make a promotion",
        description="`invalid_promotion` names the member at fault: `effect.percent`. Inactive"
        " unless `is_active` says otherwise.",
        request=PromotionInputSerializer,
        responses={201: PromotionSerializer},
        tags=TAGS,
    )
    def create(self, request: Any) -> Response:
        data = PromotionInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        try:
            with transaction.atomic():
                promotion = _save(Promotion(), dict(data.validated_data))
        except IntegrityError as error:
            raise services.CodeTaken(field="code") from error
        return _detail(promotion, 201)

    @extend_schema(
        summary="Change a promotion",
        description="`effect` and `conditions` are replaced as a whole.",
        request=PromotionDraftSerializer,
        responses={200: PromotionSerializer},
        tags=TAGS,
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        promotion = self.get_object()
        check_if_match(request, promotion)
        data = PromotionDraftSerializer(data=request.data, partial=True)
        data.is_valid(raise_exception=True)
        return _detail(_save(promotion, dict(data.validated_data)))

    @extend_schema(
        summary="Delete a promotion",
        description="Refused (`promotion_in_use`) once orders use it: end it instead.",
        responses={204: None},
        tags=TAGS,
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_promotion(promotion=self.get_object())
        return Response(status=204)

    @extend_schema(
        summary="End a promotion now", request=None, responses={200: PromotionSerializer}, tags=TAGS
    )
    def end(self, request: Any, **kwargs: Any) -> Response:
        return _detail(services.end_promotion(promotion=self.get_object()))


class _OfPromotion(BaseViewSet):
    """Rows of the promotion that the address names."""

    permission_classes = [Staff]

    @property
    def promotion(self) -> Promotion:
        return get_object_or_404(Promotion, code=self.kwargs["code"])


class CouponViewSet(ListModelMixin, _OfPromotion):
    required_permissions = {
        "list": "promotions.view_coupon",
        "create": "promotions.add_coupon",
        "batch": "promotions.add_coupon",
        "partial_update": "promotions.change_coupon",
    }
    queryset = Coupon.objects.none()
    serializer_class = CouponSerializer
    filterset_class = CouponFilter

    def get_queryset(self) -> QuerySet[Coupon]:
        if getattr(self, "swagger_fake_view", False):
            return Coupon.objects.none()
        return Coupon.objects.filter(promotion=self.promotion).select_related("promotion")

    @extend_schema(summary="A promotion's codes, the latest first", tags=TAGS)
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Add a code",
        description="`code_taken` where any promotion has it.",
        request=CouponInputSerializer,
        responses={201: CouponSerializer},
        tags=TAGS,
    )
    def create(self, request: Any, **kwargs: Any) -> Response:
        promotion = self.promotion
        data = CouponInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        coupon = services.add_coupon(promotion=promotion, **data.validated_data)
        return Response(CouponSerializer(coupon).data, status=201)

    @extend_schema(
        summary="Make a batch of codes",
        description="Codes that nobody can guess, each for one order. The first thousand are made"
        " at once, the rest in the background: ask again to see how many there are. The same batch"
        " is made once.",
        request=BatchInputSerializer,
        responses={202: BatchSerializer},
        tags=TAGS,
    )
    def batch(self, request: Any, **kwargs: Any) -> Response:
        promotion = self.promotion
        data = BatchInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        made = services.start_batch(promotion=promotion, **data.validated_data)
        wanted = {name: data.validated_data[name] for name in ("batch", "count")}
        return Response({**wanted, "made": made}, status=202)

    @extend_schema(
        summary="Switch a code on or off",
        request=CouponChangeSerializer,
        responses={200: CouponSerializer},
        tags=TAGS,
    )
    def partial_update(self, request: Any, coupon: str, **kwargs: Any) -> Response:
        found = get_object_or_404(self.get_queryset(), code=services.normalised_code(coupon))
        data = CouponChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        services.set_coupon_active(coupon=found, active=data.validated_data["is_active"])
        found.refresh_from_db()
        return Response(CouponSerializer(found).data)


class RedemptionViewSet(ListModelMixin, _OfPromotion):
    required_permissions = {"list": "promotions.view_redemption"}
    queryset = Redemption.objects.none()
    serializer_class = RedemptionSerializer
    filterset_class = RedemptionFilter

    def get_queryset(self) -> QuerySet[Redemption]:
        if getattr(self, "swagger_fake_view", False):
            return Redemption.objects.none()
        return Redemption.objects.filter(promotion=self.promotion).select_related("coupon")

    @extend_schema(summary="Orders that use a promotion, the latest first", tags=TAGS)
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)
