"""Access tokens (JWT, minutes) and the rotating refresh tokens behind them (weeks).

A session is a family of refresh tokens. An access token names its family, so signing out ends
it at once; both are bound to a fingerprint of the password and the e-mail address, so changing
these ends every session, whoever changes them and by whichever way.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import jwt
from django.conf import settings
from django.db import transaction
from django.db.models import Exists, F, OuterRef, QuerySet
from django.utils import timezone
from django.utils.crypto import constant_time_compare, salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import RefreshToken, User, digest
from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import DomainError
from apps.core.ids import uuid7

ALGORITHM = "HS256"
ISSUER = "commerce"
AUDIENCE = "commerce-api"
LEEWAY = timedelta(seconds=10)
_CLAIMS = ["iss", "aud", "sub", "iat", "exp", "jti", "typ", "sid", "fpr"]


class InvalidToken(DomainError):
    code = "invalid_token"
    status = 401
    message = _("This token isn't valid (any more); sign in again.")


@dataclass(frozen=True, slots=True)
class Session:
    """What a person who signed in gets. `expires_in` are the seconds of the access token."""

    user: User
    access: str
    refresh: str
    expires_in: int


def open_session(*, user: User) -> Session:
    """A new family of tokens for somebody who proved who they are."""
    actor = current_actor()
    first = RefreshToken(started_at=timezone.now(), ip=actor.ip, agent=actor.agent)
    return _issue(user, uuid7(), first)


def refresh_session(*, refresh: str) -> Session:
    """Swap a refresh token for new tokens; it can't be used again.

    Raises InvalidToken. A token that was used before ends its whole family: two people hold it,
    and one of them stole it. Of two parallel calls exactly one gets tokens, which end at once.
    """
    tokens = RefreshToken.objects.filter(digest=digest(refresh))
    now = timezone.now()
    with transaction.atomic():
        if tokens.filter(used_at=None, revoked_at=None, expires_at__gt=now).update(used_at=now):
            token = tokens.select_related("user").get()
            if token.user.is_active and fits(token.user, token.fingerprint):
                return _issue(token.user, token.family, token)
    # Outside of the transaction: the revocation must stay though this call fails.
    if family := tokens.values_list("family", flat=True).first():
        RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=now)
    raise InvalidToken()


def close_session(*, refresh: str) -> None:
    """Sign out: the token's family ends, its access tokens too. Unknown tokens are ignored."""
    family = RefreshToken.objects.filter(digest=digest(refresh)).values("family")
    mine = list(family[:1])
    if mine:
        RefreshToken.objects.filter(family=mine[0]["family"], revoked_at=None).update(
            revoked_at=timezone.now()
        )


def live_sessions(user: User) -> QuerySet[RefreshToken]:
    """The sessions that somebody may go on with: of each its one token that wasn't used yet."""
    return RefreshToken.objects.filter(
        user_id=user.pk, used_at=None, revoked_at=None, expires_at__gt=timezone.now()
    )


def end_session(*, token: RefreshToken) -> None:
    """Sign out one of a person's sessions."""
    RefreshToken.objects.filter(family=token.family, revoked_at=None).update(
        revoked_at=timezone.now()
    )


@transaction.atomic
def end_everything(*, user: User) -> None:
    """Sign `user` out everywhere: of programs and of browsers."""
    User.objects.filter(pk=user.pk).update(security_stamp=F("security_stamp") + 1)
    close_sessions(user=user)
    audit.record("sign_out_everywhere", user)
    user.refresh_from_db()


def close_sessions(*, user: User) -> int:
    """End every session of `user`; the number of tokens revoked."""
    return RefreshToken.objects.filter(user=user, revoked_at=None).update(revoked_at=timezone.now())


def user_of(access: str) -> User:
    """The active user an access token speaks for, in one query; raises InvalidToken."""
    claims = _decode(access)
    try:
        public_id, family = UUID(claims["sub"]), UUID(claims["sid"])
    except ValueError as error:
        raise InvalidToken() from error
    live = RefreshToken.objects.filter(user=OuterRef("pk"), family=family, revoked_at=None)
    user = User.objects.filter(Exists(live), public_id=public_id, is_active=True).first()
    if user is None or not fits(user, claims["fpr"]):
        raise InvalidToken()
    return user


def prune_tokens() -> int:
    """Delete refresh tokens that expired; the number deleted."""
    return RefreshToken.objects.filter(expires_at__lt=timezone.now()).delete()[0]


def _issue(user: User, family: UUID, first: RefreshToken) -> Session:
    now = timezone.now()
    mark = fingerprint(user)
    refresh = secrets.token_urlsafe(32)
    RefreshToken.objects.create(
        user=user,
        family=family,
        digest=digest(refresh),
        fingerprint=mark,
        started_at=first.started_at,
        ip=first.ip,
        agent=first.agent,
        expires_at=now + settings.REFRESH_TOKEN_LIFETIME,
    )
    claims = {
        "iss": ISSUER,
        "aud": AUDIENCE,
        "sub": str(user.public_id),
        "iat": now,
        "exp": now + settings.ACCESS_TOKEN_LIFETIME,
        "jti": str(uuid7()),
        "typ": "access",
        "sid": str(family),
        "fpr": mark,
    }
    access = jwt.encode(claims, _key(settings.SECRET_KEY), algorithm=ALGORITHM)
    lifetime = int(settings.ACCESS_TOKEN_LIFETIME.total_seconds())
    return Session(user=user, access=access, refresh=refresh, expires_in=lifetime)


def _decode(access: str) -> dict[str, str]:
    for secret in _secrets():
        try:
            claims = jwt.decode(
                access,
                _key(secret),
                algorithms=[ALGORITHM],
                audience=AUDIENCE,
                issuer=ISSUER,
                leeway=LEEWAY,
                options={"require": _CLAIMS},
            )
        except jwt.InvalidSignatureError:
            continue
        except jwt.InvalidTokenError as error:
            raise InvalidToken() from error
        if claims["typ"] != "access":
            raise InvalidToken()
        return claims
    raise InvalidToken()


def _secrets() -> Iterator[str]:
    yield settings.SECRET_KEY
    yield from settings.SECRET_KEY_FALLBACKS


def _key(secret: str) -> bytes:
    return salted_hmac("accounts.access-token", "", secret=secret, algorithm="sha256").digest()


def fingerprint(user: User, secret: str = "") -> str:
    """A mark of what opens the account now: another one once that changes."""
    secret = secret or settings.SECRET_KEY
    state = f"{user.password}\x00{user.email}\x00{user.is_active}\x00{user.security_stamp}"
    return salted_hmac("accounts.fingerprint", state, secret=secret, algorithm="sha256").hexdigest()


def fits(user: User, mark: str) -> bool:
    """Whether `mark` is still the account's fingerprint."""
    return any(constant_time_compare(fingerprint(user, secret), mark) for secret in _secrets())
