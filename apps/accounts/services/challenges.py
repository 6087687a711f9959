"""What was begun and has to come back once, within minutes: a passkey's challenge, the way to an
identity provider and back."""

from __future__ import annotations

import secrets
from datetime import timedelta
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import Challenge, User, digest
from apps.core.errors import DomainError

LIFETIME = timedelta(minutes=10)


class ChallengeOver(DomainError):
    code = "challenge_over"
    message = _("This took too long, or was used already. Please start again.")


def give_challenge(kind: Challenge.Kind, *, user: User | None = None, **data: Any) -> str:
    """A new challenge of 32 random bytes, URL-safe; `data` is what `take_challenge` returns."""
    challenge = secrets.token_urlsafe(32)
    Challenge.objects.create(
        kind=kind,
        digest=digest(challenge),
        user=user,
        data=data,
        expires_at=timezone.now() + LIFETIME,
    )
    return challenge


def look_at_challenge(kind: Challenge.Kind, challenge: str, *, user: User | None = None) -> Any:
    """What it was given with; it stays. Raises ChallengeOver, another person's or kind's too."""
    found = Challenge.objects.filter(
        kind=kind, digest=digest(challenge), user=user, expires_at__gt=timezone.now()
    ).first()
    if found is None:
        raise ChallengeOver()
    return found.data


def take_challenge(kind: Challenge.Kind, challenge: str, *, user: User | None = None) -> Any:
    """The same, and it is used up: of two at once one gets it."""
    data = look_at_challenge(kind, challenge, user=user)
    if not Challenge.objects.filter(digest=digest(challenge)).delete()[0]:
        raise ChallengeOver()
    return data


def prune_challenges() -> int:
    """Delete challenges that expired; the number deleted."""
    return Challenge.objects.filter(expires_at__lt=timezone.now()).delete()[0]
