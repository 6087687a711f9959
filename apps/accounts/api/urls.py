"""Addresses of the account's API, without prefix."""

from django.urls import path

from apps.accounts.api.views import (
    ApiKeyViewSet,
    AuthView,
    LiveSessionViewSet,
    SecondFactorView,
)

storefront = [
    path("auth/token/", AuthView.as_view({"post": "token"})),
    path("auth/token/refresh/", AuthView.as_view({"post": "refresh"})),
    path("auth/logout/", AuthView.as_view({"post": "logout"})),
    path("auth/sessions/", LiveSessionViewSet.as_view({"get": "list"})),
    path("auth/sessions/end/", LiveSessionViewSet.as_view({"post": "end"})),
    path("auth/sessions/<uuid:id>/", LiveSessionViewSet.as_view({"delete": "destroy"})),
    path("auth/second-factor/", SecondFactorView.as_view({"get": "retrieve", "post": "begin"})),
    path("auth/second-factor/confirm/", SecondFactorView.as_view({"post": "confirm"})),
    path("auth/second-factor/backup-codes/", SecondFactorView.as_view({"post": "backup_codes"})),
    path("auth/second-factor/off/", SecondFactorView.as_view({"post": "switch_off"})),
    path("auth/password/", AuthView.as_view({"post": "password"})),
]

admin = [
    path("api-keys/", ApiKeyViewSet.as_view({"get": "list", "post": "create"})),
    path("api-keys/<uuid:id>/", ApiKeyViewSet.as_view({"delete": "destroy"})),
]
