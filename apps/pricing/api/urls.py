"""Addresses of the prices' API, without prefix."""

from django.urls import path
from django.urls.resolvers import URLPattern

from apps.pricing.api.currency_rules import CurrencyRuleViewSet
from apps.pricing.api.views import (
    PriceListViewSet,
    PricePointViewSet,
    PriceViewSet,
    ProductPricesView,
)

storefront: list[URLPattern] = []

_MANY = {"get": "list", "post": "create"}
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

admin = [
    path("currency-rules/", CurrencyRuleViewSet.as_view(_MANY)),
    path("currency-rules/<uuid:id>/", CurrencyRuleViewSet.as_view(_ONE)),
    path(
        "products/<slug:slug>/prices/",
        ProductPricesView.as_view({"get": "retrieve", "put": "update"}),
    ),
    path("prices/", PriceViewSet.as_view(_MANY)),
    path("prices/<uuid:id>/", PriceViewSet.as_view(_ONE)),
    path("price-history/", PricePointViewSet.as_view({"get": "list"})),
    path("price-lists/", PriceListViewSet.as_view(_MANY)),
    path("price-lists/<slug:code>/", PriceListViewSet.as_view(_ONE)),
]
