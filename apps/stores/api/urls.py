"""Addresses of the stores' API, without prefix."""

from django.urls import path
from django.urls.resolvers import URLPattern

from apps.stores.api.views import ExchangeRateViewSet, StoreViewSet

storefront: list[URLPattern] = []

admin = [
    path("exchange-rates/", ExchangeRateViewSet.as_view({"get": "list"})),
    path("stores/", StoreViewSet.as_view({"get": "list"})),
    path("stores/<slug:code>/", StoreViewSet.as_view({"get": "retrieve"})),
]
