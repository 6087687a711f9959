"""Addresses of the customers' API, without prefix."""

from django.urls import path

from apps.customers.api.merging import MergingView
from apps.customers.api.recovery import RecoveryView
from apps.customers.api.segments import SegmentViewSet
from apps.customers.api.social import ProviderViewSet, SocialAccountViewSet
from apps.customers.api.timeline import TimelineViewSet
from apps.customers.api.views import (
    ConsentView,
    CustomerGroupViewSet,
    CustomerTagViewSet,
    CustomerViewSet,
    MeView,
    MyAddressViewSet,
    PrivacyRequestView,
    RegisterView,
)

storefront = [
    path("auth/register/", RegisterView.as_view({"post": "create"})),
    path("auth/password/reset/", RecoveryView.as_view({"post": "forgot"})),
    path("auth/password/reset/confirm/", RecoveryView.as_view({"post": "reset"})),
    path("auth/email/", RecoveryView.as_view({"post": "change_email"})),
    path("auth/email/confirm/", RecoveryView.as_view({"post": "confirm_email"})),
    path("auth/email/verify/", RecoveryView.as_view({"post": "verify"})),
    path("auth/email/verify/resend/", RecoveryView.as_view({"post": "resend"})),
    path("auth/social/", ProviderViewSet.as_view({"get": "list"})),
    path("auth/social/enter/", ProviderViewSet.as_view({"post": "enter"})),
    path("auth/social/accounts/", SocialAccountViewSet.as_view({"get": "list"})),
    path("auth/social/accounts/<uuid:id>/", SocialAccountViewSet.as_view({"delete": "destroy"})),
    path("auth/social/<slug:slug>/start/", ProviderViewSet.as_view({"post": "start"})),
    path("auth/social/<slug:slug>/finish/", ProviderViewSet.as_view({"post": "finish"})),
    path("auth/social/<slug:slug>/link/", ProviderViewSet.as_view({"post": "link"})),
    path(
        "me/",
        MeView.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("me/export/", MeView.as_view({"post": "export"})),
    path("consents/", ConsentView.as_view({"get": "retrieve", "post": "create"})),
    path("privacy/requests/", PrivacyRequestView.as_view({"post": "create"})),
    path("me/addresses/", MyAddressViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "me/addresses/<uuid:id>/",
        MyAddressViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
]

admin = [
    path("customers/", CustomerViewSet.as_view({"get": "list"})),
    path(
        "customers/<uuid:id>/",
        CustomerViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
    ),
    path("customers/<uuid:id>/tags/", CustomerViewSet.as_view({"put": "tags"})),
    path("customers/<uuid:id>/timeline/", TimelineViewSet.as_view({"get": "list"})),
    path("customers/<uuid:id>/notes/", TimelineViewSet.as_view({"post": "note"})),
    path("customers/<uuid:id>/duplicates/", MergingView.as_view({"get": "duplicates"})),
    path("customers/<uuid:id>/merge/preview/", MergingView.as_view({"post": "preview"})),
    path("customers/<uuid:id>/merge/", MergingView.as_view({"post": "merge"})),
    path("customer-tags/", CustomerTagViewSet.as_view({"get": "list"})),
    path("segments/", SegmentViewSet.as_view({"get": "list", "post": "create"})),
    path("segments/preview/", SegmentViewSet.as_view({"post": "preview"})),
    path(
        "segments/<slug:code>/",
        SegmentViewSet.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("customer-groups/", CustomerGroupViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "customer-groups/<slug:code>/",
        CustomerGroupViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
]
