"""Another e-mail address for an account: asked for with the password, proved by a mail's link.

The link's token names the account and the new address, signed, and is bound to what opens the
account now: a new password, another change or a sign-out everywhere makes it worthless.
"""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts.events import EmailChangeAsked, EmailChanged, EmailVerified
from apps.accounts.models import User, normalize_email
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.recovery import DeadLink
from apps.accounts.services.tokens import close_sessions, fingerprint, fits
from apps.accounts.services.users import EmailTaken, check_password
from apps.core import audit
from apps.core.events import publish
from apps.core.ids import uuid7

_SALT = "accounts.email-change"


def ask_email_change(*, user: User, password: str, email: str, store: str) -> None:
    """Have a link mailed to the new address, and a notice to the present one.

    The same whether the new address is somebody's: only its mailbox is told. Raises WrongPassword
    and RateLimited.
    """
    check_password(user=user, password=password)
    with transaction.atomic():
        publish(
            EmailChangeAsked(
                user_id=str(user.public_id),
                email=normalize_email(email),
                store=store,
                key=str(uuid7()),
            )
        )


def change_email(*, uid: UUID, token: str) -> User:
    """Take the address that the link was sent to; every session of before ends.

    Of two accounts that confirm one address at once, one gets it. Raises DeadLink, EmailTaken and
    RateLimited.
    """
    limit_attempts("email-link", account=str(uid))
    user = User.objects.filter(public_id=uid, is_active=True).first()
    email = _new_address(user, token) if user else None
    if user is None or email is None:
        raise DeadLink()
    with transaction.atomic():
        if not _take(user, email):
            raise DeadLink()
        close_sessions(user=user)
        audit.record("change_email", user, {"email": [user.email, email]})
        user.refresh_from_db()
        publish(EmailChanged(user_id=str(user.public_id), key=str(uuid7())))
        publish(EmailVerified(user_id=str(user.public_id)))
    return user


def email_change_url(user: User, email: str) -> str:
    """The page on which `user` confirms the new address."""
    token = signing.dumps([str(user.public_id), email, fingerprint(user)], salt=_SALT)
    return settings.EMAIL_CHANGE_URL.format(uid=user.public_id, token=token)


def _new_address(user: User, token: str) -> str | None:
    try:
        owner, email, mark = signing.loads(
            token, salt=_SALT, max_age=settings.PASSWORD_RESET_TIMEOUT
        )
    except signing.BadSignature:
        return None
    return email if owner == str(user.public_id) and fits(user, mark) else None


def _take(user: User, email: str) -> bool:
    """False if the account isn't any more what the link was made for."""
    now = timezone.now()
    same = User.objects.filter(
        pk=user.pk, email=user.email, password=user.password, security_stamp=user.security_stamp
    )
    try:
        with transaction.atomic():
            return bool(
                same.update(
                    email=email,
                    email_verified_at=now,
                    security_stamp=F("security_stamp") + 1,
                    updated_at=now,
                )
            )
    except IntegrityError as error:
        raise EmailTaken() from error
