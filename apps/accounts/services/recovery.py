"""Proving a mailbox: a way back in for who forgot the password, and the address of a new account.

Links hold a token of Django's own kind: signed, good for `PASSWORD_RESET_TIMEOUT` seconds, and
bound to what its use changes, so that it works once. Nothing of it is stored but in the mail.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.tokens import PasswordResetTokenGenerator, default_token_generator
from django.db import transaction
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.events import EmailVerified, PasswordForgotten, PasswordReset, VerificationAsked
from apps.accounts.models import Passkey, SocialAccount, User, normalize_email
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.tokens import close_sessions
from apps.accounts.services.users import check_strength
from apps.core import audit
from apps.core.errors import DomainError
from apps.core.events import publish
from apps.core.ids import uuid7


class DeadLink(DomainError):
    code = "dead_link"
    message = _("This link was used, has expired, or is not whole. Ask for a new one.")


class _Verification(PasswordResetTokenGenerator):
    key_salt = "accounts.verification"

    def _make_hash_value(self, user: Any, timestamp: int) -> str:
        return f"{user.pk}{timestamp}{user.email}{user.email_verified_at}"


_verification = _Verification()


def ask_password_reset(*, email: str, store: str) -> None:
    """Have the way back in mailed, should there be such an account; raises RateLimited.

    The same work for known and unknown addresses: who is meant, the mail's sender looks up.
    """
    email = normalize_email(email)
    limit_attempts("reset", account=email)
    with transaction.atomic():
        publish(PasswordForgotten(email=email, store=store, key=str(uuid7())))


def reset_password(*, uid: UUID, token: str, password: str) -> User:
    """Set a new password by a mail's link; every session of before ends.

    Of two at once one succeeds. Raises DeadLink, WeakPassword and RateLimited.
    """
    limit_attempts("reset-link", account=str(uid))
    user = _user(uid)
    if user is None or not default_token_generator.check_token(user, token):
        raise DeadLink()
    check_strength(password, user, "password")
    with transaction.atomic():
        now = timezone.now()
        if not User.objects.filter(pk=user.pk, password=user.password).update(
            password=make_password(password),
            # Whoever reads the mailbox has proved it.
            email_verified_at=Coalesce("email_verified_at", now),
            updated_at=now,
        ):
            raise DeadLink()
        if user.email_verified_at is None and not user.has_second_factor:
            # Whoever made the account needn't be who reads the mailbox: their ways in end. With a
            # second factor the mailbox alone opens nothing, and its passkeys may be that factor.
            Passkey.objects.filter(user=user).delete()
            SocialAccount.objects.filter(user=user).delete()
        close_sessions(user=user)
        audit.record("reset_password", user)
        publish(PasswordReset(user_id=str(user.public_id), key=str(uuid7())))
        if user.email_verified_at is None:
            publish(EmailVerified(user_id=str(user.public_id)))
    user.refresh_from_db()
    return user


def ask_verification(*, user: User, store: str) -> None:
    """Have the mail sent again that proves the address; nothing for a proved one.

    Raises RateLimited.
    """
    limit_attempts("verification", account=str(user.public_id))
    if user.email_verified_at is None:
        with transaction.atomic():
            publish(VerificationAsked(user_id=str(user.public_id), store=store, key=str(uuid7())))


def verify_email(*, uid: UUID, token: str) -> User:
    """Note that the address is its account's. Raises DeadLink (used, too) and RateLimited."""
    limit_attempts("verification-link", account=str(uid))
    user = _user(uid)
    if user is None or not _verification.check_token(user, token):
        raise DeadLink()
    with transaction.atomic():
        now = timezone.now()
        if User.objects.filter(pk=user.pk, email_verified_at=None).update(email_verified_at=now):
            publish(EmailVerified(user_id=str(user.public_id)))
    user.email_verified_at = now
    return user


def password_reset_url(user: User) -> str:
    """The page on which `user` sets a new password."""
    token = default_token_generator.make_token(user)
    return settings.PASSWORD_RESET_URL.format(uid=user.public_id, token=token)


def verification_url(user: User) -> str:
    """The page on which `user` proves the address."""
    return settings.VERIFY_EMAIL_URL.format(
        uid=user.public_id, token=_verification.make_token(user)
    )


def _user(uid: UUID) -> User | None:
    return User.objects.filter(public_id=uid, is_active=True).first()
