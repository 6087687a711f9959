"""Proving a mailbox by a mail's link: a forgotten password, an account's address, a new one."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.permissions import BasePermission
from rest_framework.response import Response

from apps.accounts.services import email_change, recovery
from apps.core.api.permissions import Public, SignedIn
from apps.core.api.views import PlainViewSet
from apps.customers.api.serializers import (
    ChangeEmailSerializer,
    ConfirmEmailSerializer,
    EmailSerializer,
    ResetPasswordSerializer,
    VerifyEmailSerializer,
)
from apps.stores.selectors import current_store

# Of somebody who is signed in.
_MINE = ("resend", "change_email")


class RecoveryView(PlainViewSet):
    """Attempts are limited per account and per address."""

    permission_classes = [Public]

    def get_permissions(self) -> list[BasePermission]:
        return [SignedIn()] if self.action in _MINE else super().get_permissions()

    @extend_schema(
        summary="Ask for a way back in",
        description="Mails a link, if there is such an account. The answer doesn't tell.",
        request=EmailSerializer,
        responses={204: None},
        tags=["auth"],
    )
    def forgot(self, request: Any) -> Response:
        data = EmailSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        recovery.ask_password_reset(store=current_store(request).code, **data.validated_data)
        return Response(status=204)

    @extend_schema(
        summary="Set a new password by a mail's link",
        description="Ends every session; sign in with it then. `dead_link`: it was used, or is"
        " older than four hours.",
        request=ResetPasswordSerializer,
        responses={204: None},
        tags=["auth"],
    )
    def reset(self, request: Any) -> Response:
        data = ResetPasswordSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        recovery.reset_password(**data.validated_data)
        return Response(status=204)

    @extend_schema(
        summary="Prove the e-mail address by a mail's link",
        description="What was ordered as a guest with this address becomes the account's.",
        request=VerifyEmailSerializer,
        responses={204: None},
        tags=["auth"],
    )
    def verify(self, request: Any) -> Response:
        data = VerifyEmailSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        recovery.verify_email(**data.validated_data)
        return Response(status=204)

    @extend_schema(
        summary="Have the mail sent again that proves the address",
        request=None,
        responses={204: None},
        tags=["auth"],
    )
    def resend(self, request: Any) -> Response:
        recovery.ask_verification(user=request.user, store=current_store(request).code)
        return Response(status=204)

    @extend_schema(
        summary="Ask for another e-mail address",
        description="Mails a link to the new address, and a notice to the present one. The answer"
        " doesn't tell whether the new one is somebody else's.",
        request=ChangeEmailSerializer,
        responses={204: None},
        tags=["auth"],
    )
    def change_email(self, request: Any) -> Response:
        data = ChangeEmailSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        store = current_store(request).code
        email_change.ask_email_change(user=request.user, store=store, **data.validated_data)
        return Response(status=204)

    @extend_schema(
        summary="Take the new e-mail address by a mail's link",
        description="Ends every session; sign in with it then. `dead_link`: it was used, is older"
        " than four hours, or the password was changed meanwhile.",
        request=ConfirmEmailSerializer,
        responses={204: None},
        tags=["auth"],
    )
    def confirm_email(self, request: Any) -> Response:
        data = ConfirmEmailSerializer(data=request.data)
        data.is_valid(raise_exception=True)
        email_change.change_email(**data.validated_data)
        return Response(status=204)
