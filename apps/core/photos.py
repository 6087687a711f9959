"""Photos that people send us: expected, put into quarantine, scanned, written anew; or refused.

Their rows are the rooms' own (`core.models.UploadedPhoto`); whose they are and what they belong to
is the rooms' business.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import IO, Any, TypeVar
from uuid import UUID

from django.core.files.base import ContentFile, File
from django.core.files.storage import Storage, storages
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import clamd, uploads
from apps.core.errors import DomainError, NotFound
from apps.core.models import UploadedPhoto
from apps.core.pictures import InvalidImage, encode_renditions

logger = logging.getLogger(__name__)
P = TypeVar("P", bound=UploadedPhoto)

MAX_BYTES = 8 * 1024 * 1024
MAX_PHOTOS = 5
# What a browser may say that it sends; what it really is, the decoder finds out.
CONTENT_TYPES = ("image/jpeg", "image/png", "image/webp", "image/gif", "image/avif")
# An upload that nothing names is deleted.
UNUSED_LIFE = timedelta(days=1)
MAX_ATTEMPTS = 3
# How long an attempt may take before another worker tries.
LEASE = timedelta(minutes=2)
BATCH = 50
# A batch starts no further photo after this, to end well before the task's time limit.
BATCH_SECONDS = 300


class TooManyPhotos(DomainError):
    code = "too_many_photos"
    message = _("At most %d photos.") % MAX_PHOTOS


class Infected(DomainError):
    code = "infected"
    message = _("The virus scanner refused the file.")


class NothingThere(DomainError):
    code = "nothing_there"
    message = _("No file arrived.")


def target_of(
    photo: UploadedPhoto, *, content_type: str, own_url: Callable[[], str]
) -> uploads.Target:
    """The form that brings an expected photo; `own_url` as `uploads.target` has it."""
    return uploads.target(
        name=photo.quarantine, content_type=content_type, max_bytes=MAX_BYTES, own_url=own_url
    )


def receive(*, model: type[P], photo_id: UUID, token: str, file: IO[bytes] | File) -> None:
    """Put a file into quarantine that came to us by the form of `target_of`.

    Raises NotFound for a photo that isn't expected (any more), UploadRefused, FileTooLarge.
    """
    expected = _rows(model).filter(public_id=photo_id, status=UploadedPhoto.Status.EXPECTED)
    photo = expected.first()
    if photo is None:
        raise NotFound()
    uploads.receive(name=photo.quarantine, token=token, file=file)


def take(*, expect: Callable[[], UploadedPhoto], files: Sequence[File]) -> list[UUID]:
    """Put files into quarantine that came with a form of ours; their ids. `expect` makes a row.

    Raises TooManyPhotos, FileTooLarge.
    """
    if len(files) > MAX_PHOTOS:
        raise TooManyPhotos(field="photos")
    ids = []
    for file in files:
        photo = expect()
        uploads.keep(name=photo.quarantine, file=file, max_bytes=MAX_BYTES)
        ids.append(photo.public_id)
    return ids


def remove(photos: Sequence[UploadedPhoto]) -> None:
    """Delete photos, and their files with them. In the caller's transaction."""
    found = list(photos)
    for model in {type(photo) for photo in found}:
        _rows(model).filter(pk__in=[p.pk for p in found if type(p) is model]).delete()


def forget_files(*, photo: UploadedPhoto) -> None:
    """Delete the files of a photo that is deleted, once that is certain.

    Every room with photos calls it when one of its rows goes, whatever took it along.
    """

    def delete_files() -> None:
        uploads.forget(name=photo.quarantine)
        _delete_renditions(photo, photo.renditions)

    transaction.on_commit(delete_files, robust=True)


def files_of(photo: UploadedPhoto) -> list[tuple[Storage, str]]:
    """What was written anew of a photo, in its largest size, and where that lies."""
    return [(storage_of(photo), photo.renditions[-1]["path"])] if photo.renditions else []


def prune(photos: QuerySet[P], *, older_than: timedelta = UNUSED_LIFE) -> int:
    """Delete those of `photos` that were begun so long ago; the number deleted."""
    with transaction.atomic():
        old = photos.filter(created_at__lt=timezone.now() - older_than)
        found = list(old.order_by("pk")[:1000])
        remove(found)
    return len(found)


def process_due(model: type[P], *, limit: int = BATCH) -> int:
    """Scan and re-encode what is due; the number that was tried.

    Safe to run several times at once: every attempt is claimed. While the scanner is down, a
    photo stays in quarantine, and is tried again after `LEASE`.
    """
    tried, deadline = 0, time.monotonic() + BATCH_SECONDS
    for photo in list(_due(model, timezone.now()).order_by("due_at", "pk")[:limit]):
        if time.monotonic() < deadline and _claim(photo):
            tried += 1
            _process(photo)
    return tried


def storage_of(photo: UploadedPhoto) -> Storage:
    """Where what was written anew lies."""
    return storages[photo.storage]


def _rows(model: type[P]) -> QuerySet[P]:
    return model._default_manager.all()


def _due(model: type[P], now: datetime) -> QuerySet[P]:
    return _rows(model).filter(status=UploadedPhoto.Status.QUARANTINED, due_at__lte=now)


def _claim(photo: UploadedPhoto) -> bool:
    """Count the attempt, if nobody else did meanwhile."""
    now = timezone.now()
    mine = _due(type(photo), now).filter(pk=photo.pk, attempts=photo.attempts)
    if not mine.update(attempts=photo.attempts + 1, due_at=now + LEASE):
        return False
    photo.attempts += 1
    return True


def _process(photo: UploadedPhoto) -> None:
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
        refused = UploadedPhoto.Status.REFUSED
        _mine(photo).update(status=refused, error=str(error)[:300])
    else:
        ready = UploadedPhoto.Status.READY
        if not _mine(photo).update(status=ready, renditions=renditions):
            # Deleted meanwhile, or another worker was quicker: these files are nobody's.
            _delete_renditions(photo, renditions)
            return
    uploads.forget(name=photo.quarantine)


def _mine(photo: UploadedPhoto) -> QuerySet[UploadedPhoto]:
    """The photo, unless this worker has lost it meanwhile."""
    rows = _rows(type(photo)).filter(pk=photo.pk, attempts=photo.attempts)
    return rows.filter(status=UploadedPhoto.Status.QUARANTINED)


def _renditions(photo: UploadedPhoto, data: bytes) -> list[dict[str, Any]]:
    """Write the picture anew, upright and without its metadata. Raises InvalidImage."""
    folder = f"{photo.folder}/{timezone.now():%Y/%m}"
    renditions: list[dict[str, Any]] = []
    for encoded in encode_renditions(data):
        name = f"{folder}/{photo.public_id}-{photo.attempts}-{encoded.width}.webp"
        path = storage_of(photo).save(name, ContentFile(encoded.body))
        renditions.append({"width": encoded.width, "height": encoded.height, "path": path})
    return renditions


def _delete_renditions(photo: UploadedPhoto, renditions: Sequence[dict[str, Any]]) -> None:
    for size in renditions:
        storage_of(photo).delete(size["path"])
