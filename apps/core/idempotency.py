"""Idempotent requests, with Stripe's semantics (https://docs.stripe.com/api/idempotent_requests).

The first answer to a key is kept for 24 hours and given again, byte for byte. A refusal that
changed nothing (400, 401, 403, 404, 409, 429) isn't kept: the caller may correct and retry with
the same key. Neither is a crash (5xx): what stands behind a key is itself keyed (one order per
cart, one payment per intent), so the retry finishes the work or returns what was committed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError
from apps.core.failpoints import failpoint
from apps.core.models import IdempotencyRecord

MAX_KEY_LENGTH = 255
LIFETIME = timedelta(hours=24)
LEASE = timedelta(seconds=60)
# Answers that end the story: made, accepted, declined by the bank.
KEPT_STATUSES = frozenset({200, 201, 202, 204, 402})


class InvalidKey(DomainError):
    code = "invalid_idempotency_key"
    message = _("An Idempotency-Key has 1 to 255 printable characters.")


class KeyReused(DomainError):
    code = "idempotency_key_reused"
    status = 422
    message = _("This Idempotency-Key was used with another request body.")


class RequestInProgress(Conflict):
    code = "request_in_progress"
    message = _("The first request with this Idempotency-Key is still running.")


@dataclass(frozen=True, slots=True)
class Stored:
    """A kept answer."""

    status: int
    content_type: str
    body: bytes


def key_digest(principal: str, method: str, path: str, key: str) -> str:
    """The identity of a keyed request: the key belongs to its caller and its endpoint."""
    if not 1 <= len(key) <= MAX_KEY_LENGTH or not key.isprintable():
        raise InvalidKey()
    identity = f"{principal}\x00{method}\x00{path}\x00{key}"
    return hashlib.sha256(identity.encode()).hexdigest()


def begin(digest: str, body: bytes) -> Stored | None:
    """Claim a key before the work starts; the kept answer if there is one already.

    Raises KeyReused for another body and RequestInProgress while the first request runs. A claim
    whose process died is taken over after its lease.
    """
    now, body_hash = timezone.now(), hashlib.sha256(body).hexdigest()
    try:
        with transaction.atomic():
            IdempotencyRecord.objects.create(
                digest=digest, body_hash=body_hash, lease_until=now + LEASE
            )
        return None
    except IntegrityError:
        record = IdempotencyRecord.objects.filter(digest=digest).first()
    if record is None:
        # Given up between our insert and our look: the other request was refused.
        raise RequestInProgress(extra={"retry_after": 1})
    if record.created_at < now - LIFETIME:
        IdempotencyRecord.objects.filter(pk=record.pk, created_at=record.created_at).delete()
        return begin(digest, body)
    if record.body_hash != body_hash:
        raise KeyReused()
    if not record.in_progress:
        return Stored(record.status or 200, record.content_type, bytes(record.body))
    taken_over = IdempotencyRecord.objects.filter(
        pk=record.pk, in_progress=True, lease_until__lt=now
    ).update(lease_until=now + LEASE)
    if not taken_over:
        raise RequestInProgress(extra={"retry_after": 1})
    return None


def finish(digest: str, answer: Stored) -> None:
    """Keep the answer, or give the key back if it wasn't one that ends the story."""
    failpoint("before-answer-kept")
    record = IdempotencyRecord.objects.filter(digest=digest)
    if answer.status not in KEPT_STATUSES:
        record.delete()
        return
    record.update(
        in_progress=False,
        status=answer.status,
        content_type=answer.content_type,
        body=answer.body,
    )
    failpoint("answer-kept")


def prune() -> int:
    """Delete records older than 24 hours; the number deleted."""
    return IdempotencyRecord.objects.filter(created_at__lt=timezone.now() - LIFETIME).delete()[0]
