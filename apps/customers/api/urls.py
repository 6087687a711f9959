"""Addresses of the customers' API, without prefix."""

from django.urls import path

from apps.customers.api.views import (
    CustomerGroupViewSet,
    CustomerViewSet,
    MeView,
    MyAddressViewSet,
    RegisterView,
)

storefront = [
    path("auth/register/", RegisterView.as_view({"post": "create"})),
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
