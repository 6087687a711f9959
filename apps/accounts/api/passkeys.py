"""Passkeys (WebAuthn): mine, and signing in by one."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.response import Response

from apps.accounts.api.serializers import PasswordSerializer, SessionSerializer
from apps.accounts.models import Passkey
from apps.accounts.services import passkeys
from apps.accounts.services.ways_in import remove_way_in
from apps.core.api.permissions import Public, SignedIn
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet, PlainViewSet


class OptionsSerializer(serializers.Serializer[Any]):
    """Options of WebAuthn, for `PublicKeyCredential.parse…OptionsFromJSON` in the browser."""

    public_key = serializers.DictField()


class CredentialSerializer(StrictSerializer):
    credential = serializers.DictField(
        help_text="What the browser's `credential.toJSON()` gives, as it is."
    )


class NewPasskeySerializer(CredentialSerializer):
    name = serializers.CharField(max_length=100, help_text="What you call it: “My phone”.")


class PasskeySerializer(serializers.ModelSerializer[Passkey]):
    id = serializers.UUIDField(source="public_id", read_only=True)

    class Meta:
        model = Passkey
        fields = ("id", "name", "created_at", "last_used_at")
        read_only_fields = fields


class PasskeyViewSet(ListModelMixin, BaseViewSet):
    """A person's own passkeys."""

    permission_classes = [SignedIn]
    serializer_class = PasskeySerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[Passkey]:
        return Passkey.objects.filter(user=self.request.user.pk).order_by("-pk")

    @extend_schema(summary="My passkeys", tags=["auth"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Begin to add a passkey",
        description="Options for `navigator.credentials.create`, good for ten minutes, once.",
        request=PasswordSerializer,
        responses={200: OptionsSerializer},
        tags=["auth"],
    )
    def begin(self, request: Any) -> Response:
        data = PasswordSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        options = passkeys.begin_adding(user=request.user, **data.validated_data)
        return Response({"public_key": options})

    @extend_schema(
        summary="Add a passkey",
        description="Its owner is told by mail.",
        request=NewPasskeySerializer,
        responses={201: PasskeySerializer},
        tags=["auth"],
    )
    def create(self, request: Any) -> Response:
        data = NewPasskeySerializer(data=request.data)
        data.is_valid(raise_exception=True)
        passkey = passkeys.add_passkey(user=request.user, **data.validated_data)
        return Response(PasskeySerializer(passkey).data, status=201)

    @extend_schema(
        summary="Remove a passkey",
        description="`last_way_in`: nothing else signs you in. `second_factor_needs_it`: switch"
        " the second factor off first.",
        responses={204: None},
        tags=["auth"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        remove_way_in(way=self.get_object())
        return Response(status=204)


class PasskeySignInView(PlainViewSet):
    """In place of the password and the second factor: the device has verified its user."""

    permission_classes = [Public]

    @extend_schema(
        summary="Begin to sign in by a passkey",
        description="Options for `navigator.credentials.get`, good for ten minutes, once.",
        request=None,
        responses={200: OptionsSerializer},
        tags=["auth"],
    )
    def begin(self, request: Any) -> Response:
        return Response({"public_key": passkeys.begin_sign_in()})

    @extend_schema(
        summary="Sign in by a passkey",
        request=CredentialSerializer,
        responses={200: SessionSerializer},
        tags=["auth"],
    )
    def sign_in(self, request: Any) -> Response:
        data = CredentialSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        session = passkeys.sign_in_by_passkey(**data.validated_data)
        return Response(SessionSerializer(session).data)
