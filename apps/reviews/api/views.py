"""What shoppers read and write."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin, RetrieveModelMixin
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from apps.core.api.pagination import KeysetPagination
from apps.core.api.parsers import JSONParser
from apps.core.api.permissions import Public, SignedIn, may_only
from apps.core.api.public import public_answer
from apps.core.api.renderers import dumps
from apps.core.api.views import BaseViewSet, PlainViewSet
from apps.customers.models import Customer
from apps.customers.services.registration import get_or_create_for_user
from apps.reviews import services
from apps.reviews.api.filters import PublicReviewFilter
from apps.reviews.api.serializers import (
    SUMMARY_SCHEMA,
    HelpfulSerializer,
    MyReviewSerializer,
    ReviewChangeSerializer,
    ReviewFileSerializer,
    ReviewInputSerializer,
    ReviewReportSerializer,
    ReviewSerializer,
    ReviewUploadInputSerializer,
    ReviewUploadSerializer,
)
from apps.reviews.models import Review
from apps.reviews.selectors import product_on_sale, published_reviews, summary_of, votes_key
from apps.stores.selectors import current_store


class ReviewPagination(KeysetPagination):
    """With `summary`: how many reviews, how many stars."""

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        page = super().get_paginated_response_schema(schema)
        page["required"].append("summary")
        page["properties"]["summary"] = SUMMARY_SCHEMA
        return page


class ProductReviewViewSet(ListModelMixin, BaseViewSet):
    """Reviews of one product: anybody reads, who has an account may write."""

    serializer_class = ReviewSerializer
    pagination_class = ReviewPagination
    filterset_class = PublicReviewFilter
    ordering_fields = {"created": "pk", "rating": "rating", "helpful": "helpful_count"}
    queryset = Review.objects.none()

    @property
    def permission_classes(self) -> list[type[BasePermission]]:  # type: ignore[override]
        return [SignedIn if self.action == "create" else Public]

    def get_queryset(self) -> QuerySet[Review]:
        if "slug" not in self.kwargs:
            return super().get_queryset()
        store = current_store(self.request)
        self.product = product_on_sale(store=store, slug=self.kwargs["slug"])
        return published_reviews(product=self.product, store=store)

    @extend_schema(
        summary="Reviews of a product",
        description="The newest first, unless `ordering` says otherwise.",
        tags=["reviews"],
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        body = super().list(request, *args, **kwargs).data
        summary = summary_of(product=self.product, store=current_store(request))
        body["summary"] = {
            "average": summary.average,
            "count": summary.count,
            "stars": {str(stars): count for stars, count in summary.by_stars.items()},
        }
        keys = f"product-{self.product.slug} products {votes_key(self.product)}"
        return public_answer(request, dumps(body), keys)

    @extend_schema(
        summary="Review a product",
        description="Buyers only, unless the store lets everybody (`not_a_buyer`); once"
        " (`already_reviewed`). Published once the staff has approved it, where the store is"
        " moderated.",
        request=ReviewInputSerializer,
        responses={201: MyReviewSerializer},
        tags=["reviews"],
    )
    def create(self, request: Any, slug: str) -> Response:
        store = current_store(request)
        customer = get_or_create_for_user(user=request.user)
        product = product_on_sale(store=store, slug=slug, group_id=customer.group_id)
        data = ReviewInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        review = services.write_review(
            customer=customer,
            store=store,
            product=product,
            language=get_language() or store.language,
            **data.validated_data,
        )
        return Response(MyReviewSerializer(review).data, status=201)


class MyReviewViewSet(ListModelMixin, RetrieveModelMixin, BaseViewSet):
    """The reviews of the person who asks."""

    permission_classes = [SignedIn]
    serializer_class = MyReviewSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    queryset = Review.objects.none()

    def get_queryset(self) -> QuerySet[Review]:
        if not self.request.user.is_authenticated:
            return super().get_queryset()
        return Review.objects.filter(customer__user=self.request.user).whole()

    @extend_schema(summary="My reviews", tags=["account"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="One of my reviews", tags=["account"])
    def retrieve(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().retrieve(request, *args, **kwargs)

    @extend_schema(
        summary="Change my review",
        description="Where the store is moderated, it waits for the staff again.",
        request=ReviewChangeSerializer,
        responses={200: MyReviewSerializer},
        tags=["account"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        review = self.get_object()
        data = ReviewChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        services.change_review(review=review, **data.validated_data)
        return Response(MyReviewSerializer(self.get_object()).data)

    @extend_schema(summary="Delete my review", responses={204: None}, tags=["account"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        services.delete_review(review=self.get_object())
        return Response(status=204)


class UploadView(PlainViewSet):
    permission_classes = [SignedIn]

    @extend_schema(
        summary="Begin to upload a photo",
        description="Answers the form that takes the file, for 15 minutes: the storage's own"
        " (a presigned POST), or one of this host. A photo appears with its review once it was"
        " scanned and re-encoded.",
        request=ReviewUploadInputSerializer,
        responses={201: ReviewUploadSerializer},
        tags=["reviews"],
    )
    def create(self, request: Any) -> Response:
        data = ReviewUploadInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        photo, target = services.start_upload(
            customer=get_or_create_for_user(user=request.user),
            absolute=request.build_absolute_uri,
            **data.validated_data,
        )
        body = {
            "id": str(photo.public_id),
            "url": target.url,
            "method": target.method,
            "fields": target.fields,
            "expires_at": target.expires_at,
        }
        return Response(body, status=201)


class ReceiveView(PlainViewSet):
    """The form's own token says who may send what."""

    permission_classes = [Public]
    parser_classes = [MultiPartParser, JSONParser]

    @extend_schema(
        summary="Send a photo, where the form says so",
        request={"multipart/form-data": ReviewFileSerializer},
        responses={204: None},
        tags=["reviews"],
    )
    def create(self, request: Any, photo_id: UUID) -> Response:
        data = ReviewFileSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        services.receive_upload(photo_id=photo_id, **data.validated_data)
        return Response(status=204)


def _voter(request: Any) -> Customer | None:
    """The signed-in shopper; None for guests, and for machines."""
    if not request.user.is_authenticated or may_only(request) is not None:
        return None
    return get_or_create_for_user(user=request.user)


class HelpfulView(BaseViewSet):
    permission_classes = [Public]
    serializer_class = HelpfulSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    queryset = Review.objects.published().select_related("product")

    @extend_schema(
        summary="Say that a review helped",
        description="Once an account or network; a second time changes nothing. 409 `own_review`"
        " for its author.",
        request=None,
        responses={200: HelpfulSerializer},
        tags=["reviews"],
    )
    def create(self, request: Any, **kwargs: Any) -> Response:
        count = services.vote_helpful(review=self.get_object(), customer=_voter(request))
        return Response({"helpful_count": count})


class ReportView(BaseViewSet):
    permission_classes = [Public]
    serializer_class = ReviewReportSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"
    queryset = Review.objects.published()

    @extend_schema(
        summary="Report a review",
        description="Once an account or network. Several reports take it down until the staff"
        " has decided again.",
        request=ReviewReportSerializer,
        responses={204: None},
        tags=["reviews"],
    )
    def create(self, request: Any, **kwargs: Any) -> Response:
        review = self.get_object()
        data = ReviewReportSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        user = request.user
        customer = get_or_create_for_user(user=user) if user.is_authenticated else None
        services.report_review(review=review, customer=customer, **data.validated_data)
        return Response(status=204)
