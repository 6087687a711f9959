"""Addresses of the account's API, without prefix."""

from django.urls import path

from apps.accounts.api.passkeys import PasskeySignInView, PasskeyViewSet
from apps.accounts.api.views import (
    ApiKeyUsageViewSet,
    ApiKeyViewSet,
    ApiPlanViewSet,
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
    path("auth/second-factor/passkeys/", SecondFactorView.as_view({"post": "passkeys"})),
    path("auth/passkeys/", PasskeyViewSet.as_view({"get": "list", "post": "create"})),
    path("auth/passkeys/options/", PasskeyViewSet.as_view({"post": "begin"})),
    path("auth/passkeys/sign-in/", PasskeySignInView.as_view({"post": "sign_in"})),
    path("auth/passkeys/sign-in/options/", PasskeySignInView.as_view({"post": "begin"})),
    path("auth/passkeys/<uuid:id>/", PasskeyViewSet.as_view({"delete": "destroy"})),
    path("auth/password/", AuthView.as_view({"post": "password"})),
]

admin = [
    path("api-keys/", ApiKeyViewSet.as_view({"get": "list", "post": "create"})),
    path("api-keys/usage/", ApiKeyUsageViewSet.as_view({"get": "list"})),
    path(
        "api-keys/<uuid:id>/",
        ApiKeyViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
    ),
    path("api-keys/<uuid:id>/rotate/", ApiKeyViewSet.as_view({"post": "rotate"})),
    path("api-plans/", ApiPlanViewSet.as_view({"get": "list"})),
]
