"""Signing in and out, and the staff's API keys."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from apps.accounts.api.serializers import (
    ApiKeyInputSerializer,
    ApiKeySerializer,
    ChangePasswordSerializer,
    CredentialsSerializer,
    NewApiKeySerializer,
    RefreshSerializer,
    SessionSerializer,
)
from apps.accounts.models import ApiKey
from apps.accounts.services import api_keys, sign_in, tokens, users
from apps.core.api.permissions import Public, SignedIn, Staff
from apps.core.api.views import BaseViewSet, PlainViewSet


class AuthView(PlainViewSet):
    """Tokens for people. Attempts are limited per account and per address."""

    permission_classes = [Public]

    def get_permissions(self) -> list[BasePermission]:
        return [SignedIn()] if self.action == "password" else super().get_permissions()

    @extend_schema(
        summary="Sign in",
        request=CredentialsSerializer,
        responses={200: SessionSerializer},
        tags=["auth"],
    )
    def token(self, request: Any) -> Response:
        data = CredentialsSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(SessionSerializer(sign_in.sign_in(**data.validated_data)).data)

    @extend_schema(
        summary="Swap a refresh token for new tokens",
        description="Each refresh token works once; a second use ends the whole session.",
        request=RefreshSerializer,
        responses={200: SessionSerializer},
        tags=["auth"],
    )
    def refresh(self, request: Any) -> Response:
        data = RefreshSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return Response(SessionSerializer(tokens.refresh_session(**data.validated_data)).data)

    @extend_schema(
        summary="Sign out",
        description="Ends the session of this refresh token, its access tokens too.",
        request=RefreshSerializer,
        responses={204: None},
        tags=["auth"],
    )
    def logout(self, request: Any) -> Response:
        data = RefreshSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        tokens.close_session(**data.validated_data)
        return Response(status=204)

    @extend_schema(
        summary="Change the password",
        description="Ends every session and answers with a new one.",
        request=ChangePasswordSerializer,
        responses={200: SessionSerializer},
        tags=["auth"],
    )
    def password(self, request: Any) -> Response:
        data = ChangePasswordSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        session = users.change_password(user=request.user, **data.validated_data)
        return Response(SessionSerializer(session).data)


class ApiKeyViewSet(ListModelMixin, BaseViewSet):
    """API keys. A person makes them; a key can't make keys."""

    permission_classes = [SignedIn, Staff]
    required_permissions = {
        "list": "accounts.view_apikey",
        "create": "accounts.add_apikey",
        "destroy": "accounts.delete_apikey",
    }
    serializer_class = ApiKeySerializer
    queryset = ApiKey.objects.select_related("user")
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    @extend_schema(summary="List API keys", tags=["api keys"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Make an API key",
        description="It acts as you, within its scopes. The key itself is shown only now.",
        request=ApiKeyInputSerializer,
        responses={201: NewApiKeySerializer},
        tags=["api keys"],
    )
    def create(self, request: Any) -> Response:
        data = ApiKeyInputSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        key, secret = api_keys.create_api_key(created_by=request.user, **data.validated_data)
        key.key = secret
        return Response(NewApiKeySerializer(key).data, status=201)

    @extend_schema(summary="Revoke an API key", responses={204: None}, tags=["api keys"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        api_keys.revoke_api_key(key=self.get_object())
        return Response(status=204)
