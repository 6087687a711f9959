"""People: making their account, changing their password."""

from __future__ import annotations

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User, normalize_email
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.tokens import Session, close_sessions, open_session
from apps.core import audit
from apps.core.errors import DomainError


class EmailTaken(DomainError):
    code = "email_taken"
    message = _("There is an account with this e-mail address; sign in instead.")


class WeakPassword(DomainError):
    """`extra["errors"]` has one entry for each rule that the password breaks."""

    code = "weak_password"
    message = _("This password is too easy to guess.")


class WrongPassword(DomainError):
    code = "wrong_password"
    message = _("The current password is wrong.")


@transaction.atomic
def create_user(
    *, email: str, password: str, first_name: str = "", last_name: str = "", language: str = ""
) -> User:
    """A shopper's account; raises EmailTaken and WeakPassword.

    It opens nothing but its own future: what was bought as a guest stays where it is until the
    address is proved to be theirs (`recovery.verify_email`).
    """
    email = normalize_email(email)
    user = User(email=email, first_name=first_name, last_name=last_name, language=language)
    check_strength(password, user, "password")
    if User.objects.filter(email=email).exists():
        raise EmailTaken(field="email")
    user.set_password(password)
    try:
        with transaction.atomic():
            user.save()
    except IntegrityError as error:
        raise EmailTaken(field="email") from error
    return user


def change_password(*, user: User, current_password: str, new_password: str) -> Session:
    """Set a new password and end every session but the one returned.

    Raises WrongPassword (the current one), WeakPassword and RateLimited.
    """
    check_password(user=user, password=current_password, field="current_password")
    check_strength(new_password, user, "new_password")
    with transaction.atomic():
        user.set_password(new_password)
        user.save(update_fields=["password", "updated_at"])
        close_sessions(user=user)
        audit.record("change_password", user)
        return open_session(user=user)


def check_password(*, user: User, password: str, field: str = "password") -> None:
    """Raises WrongPassword about `field`, and RateLimited. Not inside a transaction."""
    limit_attempts("password", account=str(user.public_id))
    if not user.check_password(password):
        raise WrongPassword(field=field)


def check_password_if_any(*, user: User, password: str) -> None:
    """The same; who signs in by other ways alone has none to give."""
    if user.has_usable_password():
        check_password(user=user, password=password)


def check_strength(password: str, user: User, field: str) -> None:
    """Raises WeakPassword about `field`."""
    try:
        validate_password(password, user)
    except ValidationError as error:
        errors = [
            {"field": field, "code": e.code or "invalid", "message": message}
            for e in error.error_list
            for message in e.messages
        ]
        raise WeakPassword(field=field, extra={"errors": errors}) from error
