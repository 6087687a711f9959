"""Addresses of the taxes' API, without prefix."""

from django.urls import path
from django.urls.resolvers import URLPattern

from apps.taxes.api.sellers import TaxExemptionViewSet, TaxSettingsViewSet, VATCheckViewSet
from apps.taxes.api.storefront import VATNumberCheckView
from apps.taxes.api.views import TaxClassViewSet, TaxRateViewSet

storefront: list[URLPattern] = [path("vat-numbers/check/", VATNumberCheckView.as_view())]

_MANY = {"get": "list", "post": "create"}
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

admin = [
    path("tax-classes/", TaxClassViewSet.as_view(_MANY)),
    path("tax-classes/<slug:code>/", TaxClassViewSet.as_view(_ONE)),
    path("tax-rates/", TaxRateViewSet.as_view(_MANY)),
    path("tax-rates/<uuid:id>/", TaxRateViewSet.as_view(_ONE)),
    path("tax-exemptions/", TaxExemptionViewSet.as_view(_MANY)),
    path("tax-exemptions/<uuid:id>/", TaxExemptionViewSet.as_view(_ONE)),
    path(
        "tax-settings/<slug:code>/",
        TaxSettingsViewSet.as_view({"get": "retrieve", "patch": "partial_update"}),
    ),
    path("vat-checks/", VATCheckViewSet.as_view({"get": "list"})),
    path("vat-checks/<uuid:id>/", VATCheckViewSet.as_view({"get": "retrieve"})),
]
