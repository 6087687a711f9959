"""Photos of returns: brought by the customer, kept as long as the return may be argued about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import IO
from uuid import UUID

from django.core.files.base import File
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import photos, uploads
from apps.core.errors import DomainError
from apps.core.events import publish
from apps.core.photos import MAX_PHOTOS, TooManyPhotos
from apps.core.ratelimit import Limit
from apps.orders.models import Order
from apps.returns import states
from apps.returns.events import ReturnPhotosAdded
from apps.returns.models import ReturnPhoto, ReturnRequest

PER_ORDER = Limit("return-upload", by="order", most=30, seconds=3600)
# After the return is over, one way or another.
KEPT = timedelta(days=180)
_OVER = (states.CLOSED, states.DECLINED, states.CANCELLED)


class UnknownPhoto(DomainError):
    code = "unknown_photo"
    message = _("This photo isn't of this order, or belongs to another return.")


def start_upload(
    *, order: Order, content_type: str, absolute: Callable[[str], str]
) -> tuple[ReturnPhoto, uploads.Target]:
    """A photo that is expected, and the form that brings it. Raises RateLimited.

    `absolute` makes an address of a path of ours, for storages that take nothing from browsers.
    """
    photo = _expect(order)
    target = photos.target_of(
        photo,
        content_type=content_type,
        own_url=lambda: absolute(reverse("return-upload", args=[photo.public_id])),
    )
    return photo, target


def receive_upload(*, photo_id: UUID, token: str, file: IO[bytes] | File) -> None:
    """Put a file into quarantine that came to us by `start_upload`'s form.

    Raises NotFound for a photo that isn't expected (any more), UploadRefused, FileTooLarge.
    """
    photos.receive(model=ReturnPhoto, photo_id=photo_id, token=token, file=file)


def take_photos(*, order: Order, files: Sequence[File]) -> list[UUID]:
    """Put files into quarantine that came with a form of ours; their ids, for the return.

    Raises TooManyPhotos, FileTooLarge and RateLimited.
    """
    return photos.take(expect=lambda: _expect(order), files=files)


def _expect(order: Order) -> ReturnPhoto:
    PER_ORDER.hit(str(order.pk))
    return ReturnPhoto.objects.create(order=order)


def attach(request: ReturnRequest, ids: Sequence[UUID]) -> None:
    """Make `ids` the photos of a new return, in this order.

    In the transaction that asks for it. Raises TooManyPhotos and UnknownPhoto.
    """
    if len(ids) > MAX_PHOTOS:
        raise TooManyPhotos(field="photos")
    for position, public_id in enumerate(ids):
        free = ReturnPhoto.objects.filter(order=request.order_id, request=None, public_id=public_id)
        if not free.update(
            request=request, position=position, status=ReturnPhoto.Status.QUARANTINED
        ):
            raise UnknownPhoto(field="photos")
    if ids:
        publish(ReturnPhotosAdded(return_id=str(request.public_id)))


def process_photos() -> int:
    """Scan and re-encode what is due; the number that was tried. Safe to run several at once."""
    return photos.process_due(ReturnPhoto)


def prune_photos() -> int:
    """Delete photos that no return has come to name, and those of returns that are long over; the
    number deleted."""
    unused = photos.prune(ReturnPhoto.objects.filter(request=None))
    over = ReturnPhoto.objects.filter(
        request__status__in=_OVER, request__updated_at__lt=timezone.now() - KEPT
    )
    return unused + photos.prune(over, older_than=timedelta())
