"""Photos in quarantine: scanned, written anew, shown; or refused."""

from __future__ import annotations

import logging
import time
from datetime import datetime, timedelta
from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import clamd, uploads
from apps.core.errors import DomainError
from apps.core.pictures import InvalidImage, encode_renditions
from apps.reviews.models import ReviewPhoto
from apps.reviews.services.uploads import MAX_BYTES, UNUSED_LIFE, delete_renditions, remove

logger = logging.getLogger(__name__)
MAX_ATTEMPTS = 3
# How long an attempt may take before another worker tries.
LEASE = timedelta(minutes=2)
BATCH = 50
# A batch starts no further photo after this, to end well before the task's time limit.
BATCH_SECONDS = 300


class Infected(DomainError):
    code = "infected"
    message = _("The virus scanner refused the file.")


class NothingThere(DomainError):
    code = "nothing_there"
    message = _("No file arrived.")


def process_due(*, limit: int = BATCH) -> int:
    """Scan and re-encode what is due; the number that was tried.

    Safe to run several times at once: every attempt is claimed. While the scanner is down, a
    photo stays in quarantine, and is tried again after `LEASE`.
    """
    tried, deadline = 0, time.monotonic() + BATCH_SECONDS
    for photo in list(_due(timezone.now()).order_by("due_at", "pk")[:limit]):
        if time.monotonic() < deadline and _claim(photo):
            tried += 1
            _process(photo)
    return tried


def prune_uploads() -> int:
    """Delete photos that no review has come to name; the number deleted."""
    old = timezone.now() - UNUSED_LIFE
    unused = ReviewPhoto.objects.filter(review__isnull=True, created_at__lt=old)
    with transaction.atomic():
        photos = list(unused.order_by("pk")[:1000])
        remove(photos)
    return len(photos)


def _due(now: datetime) -> QuerySet[ReviewPhoto]:
    return ReviewPhoto.objects.filter(status=ReviewPhoto.Status.QUARANTINED, due_at__lte=now)


def _claim(photo: ReviewPhoto) -> bool:
    """Count the attempt, if nobody else did meanwhile."""
    now = timezone.now()
    mine = _due(now).filter(pk=photo.pk, attempts=photo.attempts)
    if not mine.update(attempts=photo.attempts + 1, due_at=now + LEASE):
        return False
    photo.attempts += 1
    return True


def _process(photo: ReviewPhoto) -> None:
    try:
        if photo.attempts > MAX_ATTEMPTS:
            # Its last attempts killed the worker.
            raise InvalidImage(_("The picture can't be processed."))
        data = uploads.read(name=photo.quarantine, max_bytes=MAX_BYTES)
        if data is None:
            raise NothingThere()
        if virus := clamd.virus_in(data):
            logger.warning("virus found", extra={"photo": str(photo.public_id), "virus": virus})
            raise Infected()
        renditions = _renditions(photo, data)
    except clamd.ScannerDown as error:
        logger.warning("virus scanner down", extra={"error": str(error)})
        # Not the picture's fault: this attempt doesn't count.
        _mine(photo).update(attempts=photo.attempts - 1)
        return
    except (InvalidImage, uploads.FileTooLarge, Infected, NothingThere) as error:
        _mine(photo).update(status=ReviewPhoto.Status.REFUSED, error=str(error)[:300])
    else:
        if not _mine(photo).update(status=ReviewPhoto.Status.READY, renditions=renditions):
            # Deleted meanwhile, or another worker was quicker: these files are nobody's.
            delete_renditions([size["path"] for size in renditions])
            return
    uploads.forget(name=photo.quarantine)


def _mine(photo: ReviewPhoto) -> QuerySet[ReviewPhoto]:
    """The photo, unless this worker has lost it meanwhile."""
    quarantined = ReviewPhoto.Status.QUARANTINED
    return ReviewPhoto.objects.filter(pk=photo.pk, status=quarantined, attempts=photo.attempts)


def _renditions(photo: ReviewPhoto, data: bytes) -> list[dict[str, Any]]:
    """Write the picture anew, upright and without its metadata. Raises InvalidImage."""
    folder = f"reviews/{timezone.now():%Y/%m}"
    renditions: list[dict[str, Any]] = []
    for encoded in encode_renditions(data):
        name = f"{folder}/{photo.public_id}-{photo.attempts}-{encoded.width}.webp"
        path = default_storage.save(name, ContentFile(encoded.body))
        renditions.append({"width": encoded.width, "height": encoded.height, "path": path})
    return renditions
