"""Addresses of the customers' API, without prefix."""

from django.urls import path

from apps.customers.api.recovery import RecoveryView
from apps.customers.api.views import (
    CustomerGroupViewSet,
    CustomerViewSet,
    MeView,
    MyAddressViewSet,
    RegisterView,
)

storefront = [
    path("auth/register/", RegisterView.as_view({"post": "create"})),
    path("auth/password/reset/", RecoveryView.as_view({"post": "forgot"})),
    path("auth/password/reset/confirm/", RecoveryView.as_view({"post": "reset"})),
    path("auth/email/verify/", RecoveryView.as_view({"post": "verify"})),
    path("auth/email/verify/resend/", RecoveryView.as_view({"post": "resend"})),
    path("me/", MeView.as_view({"get": "retrieve", "patch": "partial_update"})),
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
    path("customer-groups/", CustomerGroupViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "customer-groups/<slug:code>/",
        CustomerGroupViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
]
