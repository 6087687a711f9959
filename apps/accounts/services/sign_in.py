"""Proving who one is, at a limited pace, the same for known and unknown addresses."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.backends import BaseBackend, ModelBackend
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User, normalize_email
from apps.accounts.services import second_factor
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.tokens import Session, open_session
from apps.core.errors import DomainError


class InvalidCredentials(DomainError):
    code = "invalid_credentials"
    status = 401
    message = _("The e-mail address or the password is wrong.")


def sign_in(*, email: str, password: str, code: str = "") -> Session:
    """New tokens for a person.

    Raises InvalidCredentials, RateLimited and, where the person has a second factor,
    SecondFactorRequired without a code and WrongCode with a wrong one.
    """
    user = check_credentials(email=email, password=password)
    if user is None:
        raise InvalidCredentials()
    second_factor.prove_if_any(user=user, code=code)
    return let_in(user=user)


def let_in(*, user: User) -> Session:
    """New tokens for somebody who has proved everything."""
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
