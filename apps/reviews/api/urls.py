"""Addresses of the reviews' API, without prefix."""

from django.urls import path

from apps.reviews.api.staff import StaffReviewViewSet
from apps.reviews.api.views import (
    HelpfulView,
    MyReviewViewSet,
    ProductReviewViewSet,
    ReceiveView,
    ReportView,
    UploadView,
)

_ONE = "reviews/<uuid:id>/"

storefront = [
    path(
        "products/<slug:slug>/reviews/",
        ProductReviewViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path("me/reviews/", MyReviewViewSet.as_view({"get": "list"})),
    path(
        f"me/{_ONE}",
        MyReviewViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path("reviews/uploads/", UploadView.as_view({"post": "create"})),
    path(
        "reviews/uploads/<uuid:photo_id>/",
        ReceiveView.as_view({"post": "create"}),
        name="review-upload",
    ),
    path(f"{_ONE}report/", ReportView.as_view({"post": "create"})),
    path(f"{_ONE}helpful/", HelpfulView.as_view({"post": "create"})),
]

admin = [
    path("reviews/", StaffReviewViewSet.as_view({"get": "list"})),
    path(_ONE, StaffReviewViewSet.as_view({"get": "retrieve"})),
    path(f"{_ONE}approve/", StaffReviewViewSet.as_view({"post": "approve"})),
    path(f"{_ONE}reject/", StaffReviewViewSet.as_view({"post": "reject"})),
    path(f"{_ONE}answer/", StaffReviewViewSet.as_view({"put": "answer", "delete": "withdraw"})),
]
