"""Moderation for staff and API keys."""

from __future__ import annotations

from typing import Any

from django.db.models import Prefetch
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.response import Response

from apps.core.api.permissions import Staff
from apps.core.api.views import BaseViewSet
from apps.reviews import services
from apps.reviews.api.filters import ReviewFilter
from apps.reviews.api.serializers import (
    ReviewAnswerInputSerializer,
    ReviewRejectionSerializer,
    StaffReviewSerializer,
)
from apps.reviews.models import Review, ReviewReport


class StaffReviewViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    permission_classes = [Staff]
    required_permissions = {
        "list": "reviews.view_review",
        "retrieve": "reviews.view_review",
        "approve": "reviews.moderate_review",
        "reject": "reviews.moderate_review",
        "answer": "reviews.answer_review",
        "withdraw": "reviews.answer_review",
    }
    queryset = (
        Review.objects.whole()
        .select_related("product", "store", "answer", "customer", "order_line__order")
        .prefetch_related(Prefetch("reports", ReviewReport.objects.order_by("pk")))
    )
    serializer_class = StaffReviewSerializer
    filterset_class = ReviewFilter
    search_fields = ("title", "text", "author_name")
    ordering_fields = {"created": "pk", "rating": "rating"}
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List reviews", tags=["reviews"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="A review", tags=["reviews"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Publish a review",
        description="Settles what was reported of it. `already_decided` if it is published.",
        request=None,
        responses={200: StaffReviewSerializer},
        tags=["reviews"],
    )
    def approve(self, request: Any, **kwargs: Any) -> Response:
        services.approve_review(review=self.get_object())
        return self._shown()

    @extend_schema(
        summary="Reject a review, or take it down",
        request=ReviewRejectionSerializer,
        responses={200: StaffReviewSerializer},
        tags=["reviews"],
    )
    def reject(self, request: Any, **kwargs: Any) -> Response:
        review = self.get_object()
        data = ReviewRejectionSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        services.reject_review(review=review, **data.validated_data)
        return self._shown()

    @extend_schema(
        summary="Answer a review",
        description="In the shop's name; saying it again replaces it. Its author is told once.",
        request=ReviewAnswerInputSerializer,
        responses={200: StaffReviewSerializer},
        tags=["reviews"],
    )
    def answer(self, request: Any, **kwargs: Any) -> Response:
        review = self.get_object()
        data = ReviewAnswerInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        services.answer_review(review=review, **data.validated_data)
        return self._shown()

    @extend_schema(
        summary="Withdraw the answer", request=None, responses={204: None}, tags=["reviews"]
    )
    def withdraw(self, request: Any, **kwargs: Any) -> Response:
        services.withdraw_answer(review=self.get_object())
        return Response(status=204)

    def _shown(self) -> Response:
        return Response(StaffReviewSerializer(self.get_object()).data)
