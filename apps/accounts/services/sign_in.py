"""Proving who one is, at a limited pace, the same for known and unknown addresses."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User, normalize_email
from apps.accounts.services.tokens import Session, open_session
from apps.core import ratelimit
from apps.core.errors import DomainError

WINDOW_SECONDS = 15 * 60


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    status = 401
    message = _("The e-mail address or the password is wrong.")


def sign_in(*, email: str, password: str) -> Session:
    """New tokens for a person; raises InvalidCredentials and RateLimited."""
    user = check_credentials(email=email, password=password)
    if user is None:
        raise InvalidCredentials()
    User.objects.filter(pk=user.pk).update(last_login=timezone.now())
    return open_session(user=user)


def check_credentials(*, email: str, password: str) -> User | None:
    """The active user with this address and password, or None; raises RateLimited.

    Takes as long for an unknown address as for a wrong password, and says the same.
    """
    email = normalize_email(email)
    limit_attempts("sign-in", account=email)
    user = User.objects.filter(email=email).first()
    if user is None:
        User().set_password(password)
        return None
    right = user.check_password(password)
    return user if right and user.is_active else None


def limit_attempts(scope: str, *, account: str) -> None:
    """Count one attempt for the account and one for the caller's network.

    Raises RateLimited when either has used up its attempts of these 15 minutes. Must run outside
    of the transaction that may fail: a rollback would forget the attempt.
    """
    seconds = WINDOW_SECONDS
    ratelimit.hit(
        f"{scope}:ip", ratelimit.caller(), limit=settings.SIGN_IN_ATTEMPTS_PER_IP, seconds=seconds
    )
    ratelimit.hit(
        f"{scope}:account", account, limit=settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT, seconds=seconds
    )


class LimitedBackend(ModelBackend):
    """Django's own way in (the admin's form), with the same limits as the API's."""

    # ModelBackend's asynchronous twin would check the password without counting.
    aauthenticate = BaseBackend.aauthenticate  # type: ignore[assignment]

    def authenticate(
        self,
        request: Any,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        email = username if username is not None else kwargs.get(User.USERNAME_FIELD)
        if email is None or password is None:
            return None
        return check_credentials(email=email, password=password)
