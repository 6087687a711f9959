"""Addresses of the returns' API, without prefix."""

from django.urls import path

from apps.returns.api.labels import MyLabelView, StaffLabelView
from apps.returns.api.photos import MyPhotoView, ReceiveView, StaffPhotoView, UploadView
from apps.returns.api.policies import PolicyViewSet
from apps.returns.api.staff import StaffReturnViewSet
from apps.returns.api.views import MyReturnsView, ReturnTermsView, WithdrawalView

_ORDER = "orders/<str:number>/"
_MINE = f"{_ORDER}returns/<uuid:return_id>/"
_ONE = "returns/<uuid:id>/"

storefront = [
    path(f"{_ORDER}returns/", MyReturnsView.as_view({"get": "list", "post": "create"})),
    path(f"{_ORDER}returns/terms/", ReturnTermsView.as_view({"get": "retrieve"})),
    path(f"{_ORDER}returns/preview/", ReturnTermsView.as_view({"post": "preview"})),
    path(f"{_ORDER}returns/photos/", UploadView.as_view({"post": "create"})),
    path(
        "returns/uploads/<uuid:photo_id>/",
        ReceiveView.as_view({"post": "create"}),
        name="return-upload",
    ),
    path(f"{_MINE}photos/<uuid:photo_id>/", MyPhotoView.as_view({"get": "retrieve"})),
    path(f"{_MINE}label/", MyLabelView.as_view({"get": "retrieve"})),
    path(_MINE, MyReturnsView.as_view({"get": "retrieve"})),
    path(f"{_MINE}cancel/", MyReturnsView.as_view({"post": "cancel"})),
    path(f"{_ORDER}withdrawal/", MyReturnsView.as_view({"post": "withdraw"})),
    path("withdrawals/", WithdrawalView.as_view({"post": "create"})),
]

admin = [
    path("returns/", StaffReturnViewSet.as_view({"get": "list"})),
    path(f"{_ORDER}returns/", StaffReturnViewSet.as_view({"post": "create"})),
    path(_ONE, StaffReturnViewSet.as_view({"get": "retrieve"})),
    path(f"{_ONE}photos/<uuid:photo_id>/", StaffPhotoView.as_view({"get": "retrieve"})),
    path(
        f"{_ONE}label/",
        StaffLabelView.as_view({"get": "retrieve", "post": "create", "delete": "destroy"}),
    ),
    path(f"{_ONE}approve/", StaffReturnViewSet.as_view({"post": "approve"})),
    path(f"{_ONE}refund-instead/", StaffReturnViewSet.as_view({"post": "refund_instead"})),
    path(f"{_ONE}decline/", StaffReturnViewSet.as_view({"post": "decline"})),
    path(f"{_ONE}receive/", StaffReturnViewSet.as_view({"post": "receive"})),
    path(f"{_ONE}inspect/", StaffReturnViewSet.as_view({"post": "inspect"})),
    path(f"{_ONE}refund-proposal/", StaffReturnViewSet.as_view({"get": "proposal"})),
    path(f"{_ONE}refund/", StaffReturnViewSet.as_view({"post": "refund"})),
    path(f"{_ONE}retry-refund/", StaffReturnViewSet.as_view({"post": "retry"})),
    path(
        "return-policies/",
        PolicyViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "return-policies/<uuid:id>/",
        PolicyViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
]
