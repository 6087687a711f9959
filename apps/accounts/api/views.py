"""Signing in and out, and the staff's API keys."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from apps.accounts.api.filters import ApiKeyUsageFilter
from apps.accounts.api.serializers import (
    ApiKeyChangeSerializer,
    ApiKeyInputSerializer,
    ApiKeySerializer,
    ApiKeyUsageSerializer,
    ApiPlanSerializer,
    BackupCodesSerializer,
    ChangePasswordSerializer,
    CodeSerializer,
    LiveSessionSerializer,
    NewApiKeySerializer,
    PasswordSerializer,
    RefreshSerializer,
    RotationSerializer,
    SecondFactorSerializer,
    SessionSerializer,
    SetupSerializer,
    SignInSerializer,
    SwitchedOnSerializer,
    SwitchOffSerializer,
)
from apps.accounts.models import ApiKey, ApiKeyUsage, ApiPlan, RefreshToken
from apps.accounts.services import api_keys, second_factor, sign_in, tokens, users
from apps.core.api.permissions import Public, SignedIn, Staff
from apps.core.api.views import BaseViewSet, PlainViewSet


class AuthView(PlainViewSet):
    """Tokens for people. Attempts are limited per account and per address."""

    permission_classes = [Public]

    def get_permissions(self) -> list[BasePermission]:
        return [SignedIn()] if self.action == "password" else super().get_permissions()

    @extend_schema(
        summary="Sign in",
        description="`second_factor_required`: ask for the code, and send it along.",
        request=SignInSerializer,
        responses={200: SessionSerializer},
        tags=["auth"],
    )
    def token(self, request: Any) -> Response:
        data = SignInSerializer(data=request.data)
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


class SecondFactorView(PlainViewSet):
    """Codes of an authenticator app (RFC 6238), or a passkey, beside the password."""

    permission_classes = [SignedIn]

    @extend_schema(
        summary="My second factor", responses={200: SecondFactorSerializer}, tags=["auth"]
    )
    def retrieve(self, request: Any) -> Response:
        user = request.user
        told = {
            "is_on": user.has_second_factor,
            "is_required": user.needs_second_factor,
            "backup_codes_left": second_factor.backup_codes_left(user),
        }
        return Response(SecondFactorSerializer(told).data)

    @extend_schema(
        summary="Begin to set up a second factor",
        description="A seed for the authenticator app; nothing changes before it is confirmed.",
        request=PasswordSerializer,
        responses={200: SetupSerializer},
        tags=["auth"],
    )
    def begin(self, request: Any) -> Response:
        data = PasswordSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        setup = second_factor.begin(user=request.user, **data.validated_data)
        return Response(SetupSerializer(setup).data)

    @extend_schema(
        summary="Switch the second factor on by a first code",
        description="Ends every session; the answer has a new one, and the backup codes.",
        request=CodeSerializer,
        responses={200: SwitchedOnSerializer},
        tags=["auth"],
    )
    def confirm(self, request: Any) -> Response:
        data = CodeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return self._switched_on(second_factor.confirm(user=request.user, **data.validated_data))

    @extend_schema(
        summary="Switch the second factor on by my passkeys",
        description="Who gives the password then signs in by a passkey, or sends a backup code."
        " Ends every session; the answer has a new one, and the codes.",
        request=PasswordSerializer,
        responses={200: SwitchedOnSerializer},
        tags=["auth"],
    )
    def passkeys(self, request: Any) -> Response:
        data = PasswordSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        codes = second_factor.rely_on_passkeys(user=request.user, **data.validated_data)
        return self._switched_on(codes)

    def _switched_on(self, codes: list[str]) -> Response:
        session = tokens.open_session(user=self.request.user)
        return Response(SwitchedOnSerializer({"backup_codes": codes, "session": session}).data)

    @extend_schema(
        summary="New backup codes",
        description="The former ones don't work any more.",
        request=CodeSerializer,
        responses={200: BackupCodesSerializer},
        tags=["auth"],
    )
    def backup_codes(self, request: Any) -> Response:
        data = CodeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        codes = second_factor.renew_backup_codes(user=request.user, **data.validated_data)
        return Response(BackupCodesSerializer({"backup_codes": codes}).data)

    @extend_schema(
        summary="Switch the second factor off",
        description="Ends every session and answers with a new one.",
        request=SwitchOffSerializer,
        responses={200: SessionSerializer},
        tags=["auth"],
    )
    def switch_off(self, request: Any) -> Response:
        data = SwitchOffSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        second_factor.switch_off(user=request.user, **data.validated_data)
        return Response(SessionSerializer(tokens.open_session(user=request.user)).data)


class LiveSessionViewSet(ListModelMixin, BaseViewSet):
    """Where one is signed in by tokens. Browsers with a cookie end by `end` alone."""

    permission_classes = [SignedIn]
    serializer_class = LiveSessionSerializer
    lookup_field = "family"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[RefreshToken]:
        return tokens.live_sessions(self.request.user)

    @extend_schema(summary="My sessions", tags=["auth"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(summary="End one of my sessions", responses={204: None}, tags=["auth"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        tokens.end_session(token=self.get_object())
        return Response(status=204)

    @extend_schema(
        summary="Sign out everywhere",
        description="Ends every session, this one too, and those of browsers.",
        request=None,
        responses={204: None},
        tags=["auth"],
    )
    def end(self, request: Any) -> Response:
        tokens.end_everything(user=request.user)
        return Response(status=204)


class ApiKeyViewSet(ListModelMixin, BaseViewSet):
    """API keys. A person makes them; a key can't make keys."""

    permission_classes = [SignedIn, Staff]
    required_permissions = {
        "list": "accounts.view_apikey",
        "create": "accounts.add_apikey",
        "partial_update": "accounts.change_apikey",
        "rotate": "accounts.change_apikey",
        "destroy": "accounts.delete_apikey",
    }
    serializer_class = ApiKeySerializer
    queryset = ApiKey.objects.select_related("user", "plan")
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

    @extend_schema(
        summary="Change an API key",
        description="Its plan, and from where it is taken.",
        request=ApiKeyChangeSerializer,
        responses={200: ApiKeySerializer},
        tags=["api keys"],
    )
    def partial_update(self, request: Any, **kwargs: Any) -> Response:
        key = self.get_object()
        data = ApiKeyChangeSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        present = {"plan": key.plan, "allowed_networks": key.allowed_networks}
        key = api_keys.change_api_key(key=key, **{**present, **data.validated_data})
        return Response(ApiKeySerializer(key).data)

    @extend_schema(
        summary="Rotate an API key",
        description="The new secret is shown only now; the former works on for a while.",
        request=RotationSerializer,
        responses={200: NewApiKeySerializer},
        tags=["api keys"],
    )
    def rotate(self, request: Any, **kwargs: Any) -> Response:
        key = self.get_object()
        data = RotationSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        key.key = api_keys.rotate_api_key(key=key, by=request.user, **data.validated_data)
        return Response(NewApiKeySerializer(key).data)

    @extend_schema(summary="Revoke an API key", responses={204: None}, tags=["api keys"])
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        api_keys.revoke_api_key(key=self.get_object())
        return Response(status=204)


class ApiKeyUsageViewSet(ListModelMixin, BaseViewSet):
    """What keys were called, by day."""

    permission_classes = [Staff]
    required_permissions = {"list": "accounts.view_apikeyusage"}
    serializer_class = ApiKeyUsageSerializer
    filterset_class = ApiKeyUsageFilter
    queryset = ApiKeyUsage.objects.select_related("key")
    ordering = ("-day", "-pk")

    @extend_schema(
        summary="Usage of API keys",
        description="Calls and failed calls of each key and day (UTC), a minute old.",
        tags=["api keys"],
    )
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)


class ApiPlanViewSet(ListModelMixin, BaseViewSet):
    """Paces and quotas that keys may be put on."""

    permission_classes = [Staff]
    required_permissions = {"list": "accounts.view_apiplan"}
    serializer_class = ApiPlanSerializer
    queryset = ApiPlan.objects.all()

    @extend_schema(summary="List API plans", tags=["api keys"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)
