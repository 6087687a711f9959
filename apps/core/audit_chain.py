"""The chain over the audit log: what was sealed can't be changed, added to or taken away unnoticed.

Each entry has a digest of what it says. Once a minute those that came since are sealed: a seal's
digest is that of the seal before and of its entries. Business transactions therefore never wait for
each other's entries. Whoever can write the whole table could write a new chain; so each seal is
told to the log, which leaves the machine, and `verify_audit --head` asks for one that was noted.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Iterator
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.audit import digest
from apps.core.models import AuditEntry, AuditSeal

logger = logging.getLogger("commerce.audit")
# Entries of one seal, at most: a statement takes no more parameters than 999 on SQLite.
BATCH = 500
# Sealing runs once a minute; entries that wait longer are waiting for nobody.
LATE = timedelta(minutes=15)


def seal() -> int:
    """Seal what isn't; how many entries that were. Two at once do each entry once."""
    sealed = 0
    while made := _seal_batch():
        logger.info("audit sealed", extra={"number": made.number, "digest": made.digest})
        sealed += made.entries
    return sealed


def broken(seals: Iterable[AuditSeal] | None = None) -> Iterator[str]:
    """What isn't as it was sealed, one line each; nothing where the log is whole.

    `seals` are all of them, from the first to the last, for who wants to show progress.
    """
    if seals is None:
        seals = AuditSeal.objects.order_by("number").iterator(chunk_size=BATCH)
    before = ""
    number = 0
    for made in seals:
        number += 1
        if made.number != number:
            yield f"Seal {number} is missing."
            number = made.number
        entries = list(AuditEntry.objects.filter(seal=made).order_by("pk"))
        there = len(entries)
        if there != made.entries:
            yield f"Seal {made.number}: {made.entries} entries were sealed, {there} are there."
        for entry in entries:
            if digest(entry) != entry.digest:
                yield f"Entry {entry.pk} says something else than when it was written."
        if _link(before, entries) != made.digest:
            yield f"Seal {made.number} doesn't fit what it sealed."
        before = made.digest
    late = AuditEntry.objects.filter(seal=None, created_at__lt=timezone.now() - LATE).count()
    if late:
        yield f"{late} entries wait to be sealed since more than a quarter of an hour."


def _seal_batch() -> AuditSeal | None:
    try:
        with transaction.atomic():
            last = AuditSeal.objects.order_by("-number").first()
            entries = list(AuditEntry.objects.filter(seal=None).order_by("pk")[:BATCH])
            if not entries:
                return None
            made = AuditSeal.objects.create(
                number=last.number + 1 if last else 1,
                entries=len(entries),
                digest=_link(last.digest if last else "", entries),
            )
            # Whoever sealed at the same time took this number, and the entries with it.
            AuditEntry.objects.filter(pk__in=[e.pk for e in entries]).update(seal=made)
            return made
    except IntegrityError:
        return None


def _link(before: str, entries: Iterable[AuditEntry]) -> str:
    parts = [before, *(f"{entry.pk}:{entry.digest}" for entry in entries)]
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()
