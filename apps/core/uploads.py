"""Files that a browser sends to the storage by itself, into a quarantine that nobody reads from.

An S3-compatible storage (django-storages) takes them from the browser: a presigned POST, which
the storage checks. Any other is written by us, at an address of ours that the same form leads to.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import IO, Any

from django.core import signing
from django.core.files.base import File
from django.core.files.storage import storages
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError

# How long a form leads anywhere.
LIFE = timedelta(minutes=15)
_SALT = "core.uploads"


class UploadRefused(DomainError):
    """The form is too old, or was never made by us."""

    code = "upload_refused"
    message = _("This address takes no files (any more); ask for a new one.")


class FileTooLarge(DomainError):
    code = "file_too_large"
    message = _("The file is too large.")


@dataclass(frozen=True, slots=True)
class Target:
    """A form to send: `fields` first, the file last, as `file`, in multipart/form-data."""

    url: str
    method: str
    fields: dict[str, str]
    expires_at: datetime


def target(*, name: str, content_type: str, max_bytes: int, own_url: Callable[[], str]) -> Target:
    """Where a browser sends the file that is to lie in the private storage under `name`.

    `own_url` is the address of ours that ends in `receive()`, for storages that take nothing
    from browsers.
    """
    expires_at = timezone.now() + LIFE
    storage: Any = storages["private"]
    if not hasattr(storage, "bucket_name"):
        token = signing.dumps([name, max_bytes], salt=_SALT)
        return Target(own_url(), "POST", {"token": token}, expires_at)
    presigned = storage.connection.meta.client.generate_presigned_post(
        Bucket=storage.bucket_name,
        Key="/".join(part for part in (storage.location.strip("/"), name) if part),
        Fields={"Content-Type": content_type},
        Conditions=[{"Content-Type": content_type}, ["content-length-range", 1, max_bytes]],
        ExpiresIn=int(LIFE.total_seconds()),
    )
    return Target(presigned["url"], "POST", presigned["fields"], expires_at)


def receive(*, name: str, token: str, file: IO[bytes] | File) -> None:
    """Write what a browser sent with the form for `name`, over what it sent before.

    Raises UploadRefused and FileTooLarge.
    """
    try:
        allowed, max_bytes = signing.loads(token, salt=_SALT, max_age=LIFE)
    except signing.BadSignature as error:
        raise UploadRefused() from error
    if allowed != name:
        raise UploadRefused()
    keep(name=name, file=file, max_bytes=max_bytes)


def keep(*, name: str, file: IO[bytes] | File, max_bytes: int) -> None:
    """Write a file into the quarantine. Raises FileTooLarge."""
    file.seek(0, 2)
    if file.tell() > max_bytes:
        raise FileTooLarge(field="file")
    file.seek(0)
    storage = storages["private"]
    storage.delete(name)
    storage.save(name, File(file))


def read(*, name: str, max_bytes: int) -> bytes | None:
    """What lies in the quarantine under `name`; None where nothing does.

    Raises FileTooLarge, and what the storage raises while it can't be asked.
    """
    storage = storages["private"]
    if not storage.exists(name):
        return None
    with storage.open(name) as file:
        data: bytes = file.read(max_bytes + 1)
    if len(data) > max_bytes:
        raise FileTooLarge(field="file")
    return data


def forget(*, name: str) -> None:
    """Delete a file of the quarantine, if it is there."""
    storages["private"].delete(name)
