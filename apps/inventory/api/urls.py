"""Addresses of the inventory's API, without prefix."""

from django.urls import path
from django.urls.resolvers import URLPattern

from apps.inventory.api.views import (
    AlertViewSet,
    LocationViewSet,
    MovementViewSet,
    MoveView,
    ProductInventoryView,
)

storefront: list[URLPattern] = []

admin = [
    path(
        "products/<slug:slug>/inventory/",
        ProductInventoryView.as_view({"get": "retrieve", "put": "update"}),
    ),
    path("inventory/receive/", MoveView.as_view({"post": "receive"})),
    path("inventory/adjust/", MoveView.as_view({"post": "adjust"})),
    path("inventory/transfer/", MoveView.as_view({"post": "transfer"})),
    path("inventory/quarantine/", MoveView.as_view({"post": "set_apart"})),
    path("inventory/quarantine/settle/", MoveView.as_view({"post": "settle"})),
    path("inventory/alerts/", AlertViewSet.as_view({"get": "list"})),
    path("inventory/movements/", MovementViewSet.as_view({"get": "list"})),
    path("locations/", LocationViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "locations/<slug:code>/",
        LocationViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
]
