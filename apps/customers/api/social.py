"""Signing in by the account one has elsewhere."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import get_language
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.mixins import ListModelMixin
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from apps.accounts.models import IdentityProvider, SocialAccount
from apps.accounts.services import social
from apps.accounts.services.sign_in import let_in
from apps.accounts.services.ways_in import remove_way_in
from apps.core.api.permissions import Public, SignedIn
from apps.core.api.serializers import StrictSerializer
from apps.core.api.views import BaseViewSet
from apps.customers.api.serializers import RegistrationSerializer
from apps.stores.selectors import current_store


class ProviderSerializer(serializers.ModelSerializer[IdentityProvider]):
    class Meta:
        model = IdentityProvider
        fields = ("slug", "name", "kind")
        read_only_fields = fields


class DepartureSerializer(serializers.Serializer[Any]):
    authorization_url = serializers.URLField(help_text="Where the browser goes.")
    state = serializers.CharField(help_text="Keep it, and take nobody in who comes back without.")


class ReturnSerializer(StrictSerializer):
    code = serializers.CharField(max_length=4000, help_text="Of the address they came back to.")
    state = serializers.CharField(max_length=100, help_text="Of the same address.")


class EnterSerializer(StrictSerializer):
    ticket = serializers.CharField(max_length=100, help_text="Of the answer that asked for more.")
    email = serializers.EmailField(max_length=254, required=False, help_text="`email_required`")
    password = serializers.CharField(
        max_length=256, trim_whitespace=False, required=False, help_text="`password_required`"
    )
    code = serializers.CharField(
        max_length=30, required=False, help_text="`second_factor_required`"
    )


class SocialAccountSerializer(serializers.ModelSerializer[SocialAccount]):
    id = serializers.UUIDField(source="public_id", read_only=True)
    provider = serializers.CharField(source="provider.slug", read_only=True)
    email = serializers.CharField(read_only=True, help_text="As the provider told it, if it did.")

    class Meta:
        model = SocialAccount
        fields = ("id", "provider", "email", "created_at")
        read_only_fields = fields


class ProviderViewSet(ListModelMixin, BaseViewSet):
    """Who is signed in links; who isn't, signs in."""

    permission_classes = [Public]
    serializer_class = ProviderSerializer
    queryset = IdentityProvider.objects.filter(is_active=True)
    lookup_field = "slug"

    def get_permissions(self) -> list[BasePermission]:
        return [SignedIn()] if self.action == "link" else super().get_permissions()

    @extend_schema(summary="Where people may have an account", tags=["auth"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Begin to sign in by an account elsewhere",
        description="Good for ten minutes, once. With a token of somebody's: to link.",
        request=None,
        responses={200: DepartureSerializer},
        tags=["auth"],
    )
    def start(self, request: Any, **kwargs: Any) -> Response:
        user = request.user if request.user.is_authenticated else None
        departure = social.depart(provider=self.get_object(), user=user)
        return Response(DepartureSerializer(departure).data)

    @extend_schema(
        summary="Sign in by what the provider sent back",
        description="`email_required`, `password_required` and `second_factor_required` ask for"
        " more: send it with their `ticket` to `/auth/social/enter/`.",
        request=ReturnSerializer,
        responses={200: RegistrationSerializer},
        tags=["auth"],
    )
    def finish(self, request: Any, **kwargs: Any) -> Response:
        data = ReturnSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        store = current_store(request).code
        ticket = social.arrive(provider=self.get_object(), store=store, **data.validated_data)
        return self._enter(ticket=ticket)

    @extend_schema(
        summary="Sign in with what was still missing",
        request=EnterSerializer,
        responses={200: RegistrationSerializer},
        tags=["auth"],
    )
    def enter(self, request: Any) -> Response:
        data = EnterSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        return self._enter(**data.validated_data)

    @extend_schema(
        summary="Link an account elsewhere to mine",
        description="Begun with my token. Its owner is told by mail.",
        request=ReturnSerializer,
        responses={201: SocialAccountSerializer},
        tags=["auth"],
    )
    def link(self, request: Any, **kwargs: Any) -> Response:
        data = ReturnSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        account = social.link(provider=self.get_object(), user=request.user, **data.validated_data)
        return Response(SocialAccountSerializer(account).data, status=201)

    def _enter(self, **told: str) -> Response:
        user = social.enter(language=get_language() or "", **told)
        return Response(RegistrationSerializer(let_in(user=user)).data)


class SocialAccountViewSet(ListModelMixin, BaseViewSet):
    """A person's own accounts elsewhere that sign them in."""

    permission_classes = [SignedIn]
    serializer_class = SocialAccountSerializer
    lookup_field = "public_id"
    lookup_url_kwarg = "id"

    def get_queryset(self) -> QuerySet[SocialAccount]:
        mine = SocialAccount.objects.filter(user=self.request.user.pk)
        return mine.select_related("provider").order_by("-pk")

    @extend_schema(summary="My accounts elsewhere", tags=["auth"])
    def list(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        return super().list(request, *args, **kwargs)

    @extend_schema(
        summary="Unlink an account elsewhere",
        description="`last_way_in`: nothing else signs you in.",
        responses={204: None},
        tags=["auth"],
    )
    def destroy(self, request: Any, **kwargs: Any) -> Response:
        remove_way_in(way=self.get_object())
        return Response(status=204)
