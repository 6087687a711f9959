"""Celery tasks of the ground floor."""

from __future__ import annotations

from celery import shared_task

from apps.core import audit_chain, idempotency, outbox, outdated, ratelimit, rotating
from apps.core.edge.purging import PurgeFailed, purge_due


@shared_task(ignore_result=True)
def relay_outbox() -> int:
    """Deliver what is due in the outbox. Woken after commits, and by beat as the sweeper."""
    return outbox.drain()


@shared_task(ignore_result=True)
def prune() -> int:
    """Delete what has had its time: idempotency records, attempt counters, outdated keys."""
    return idempotency.prune() + ratelimit.prune() + outdated.prune()


@shared_task(ignore_result=True, autoretry_for=(PurgeFailed,), retry_backoff=True, max_retries=5)
def purge_edge_caches() -> int:
    """Tell the caches in front of the shop what is outdated. Sent after changes, and by beat."""
    return purge_due()


@shared_task(ignore_result=True)
def seal_audit() -> int:
    """Add what was written since to the audit log's chain."""
    return audit_chain.seal()


@shared_task(ignore_result=True)
def note_encryption_key() -> None:
    """Tell when the key that encrypts secrets has done so for too long."""
    rotating.note_key()
