"""Photos on their way: where a browser sends them, and to which review they belong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import IO
from uuid import UUID

from django.core.files.base import File
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from apps.core import photos as shots
from apps.core import uploads
from apps.core.errors import DomainError
from apps.core.events import publish
from apps.core.photos import MAX_PHOTOS, TooManyPhotos, remove
from apps.core.ratelimit import Limit
from apps.customers.models import Customer
from apps.reviews.events import ReviewPhotosAdded
from apps.reviews.models import Review, ReviewPhoto

PER_CUSTOMER = Limit("review-upload", by="customer", most=30, seconds=3600)


class UnknownPhoto(DomainError):
    code = "unknown_photo"
    message = _("This photo isn't yours, or belongs to another review.")


def start_upload(
    *, customer: Customer, content_type: str, absolute: Callable[[str], str]
) -> tuple[ReviewPhoto, uploads.Target]:
    """A photo that is expected, and the form that brings it. Raises RateLimited.

    `absolute` makes an address of a path of ours, for storages that take nothing from browsers.
    """
    photo = _expect(customer)
    target = shots.target_of(
        photo,
        content_type=content_type,
        own_url=lambda: absolute(reverse("review-upload", args=[photo.public_id])),
    )
    return photo, target


def receive_upload(*, photo_id: UUID, token: str, file: IO[bytes] | File) -> None:
    """Put a file into quarantine that came to us by `start_upload`'s form.

    Raises NotFound for a photo that isn't expected (any more), UploadRefused, FileTooLarge.
    """
    shots.receive(model=ReviewPhoto, photo_id=photo_id, token=token, file=file)


def take_photos(*, customer: Customer, files: Sequence[File]) -> list[UUID]:
    """Put files into quarantine that came with a form of ours; their ids, for the review.

    Raises TooManyPhotos, FileTooLarge and RateLimited.
    """
    return shots.take(expect=lambda: _expect(customer), files=files)


def _expect(customer: Customer) -> ReviewPhoto:
    PER_CUSTOMER.hit(str(customer.pk))
    return ReviewPhoto.objects.create(customer=customer)


def attach(review: Review, ids: Sequence[UUID]) -> None:
    """Make `ids` the photos of a review, in this order; others it had are deleted.

    In the caller's transaction. Raises TooManyPhotos and UnknownPhoto.
    """
    if len(ids) > MAX_PHOTOS:
        raise TooManyPhotos(field="photos")
    mine = ReviewPhoto.objects.filter(customer=review.customer_id, public_id__in=ids)
    photos = {photo.public_id: photo for photo in mine}
    if len(photos) != len(ids) or any(
        photo.review_id not in (None, review.pk) for photo in photos.values()
    ):
        raise UnknownPhoto(field="photos")
    remove(list(review.photos.exclude(public_id__in=ids)))
    fresh = False
    for position, public_id in enumerate(ids):
        photo = photos[public_id]
        photo.position, photo.review = position, review
        if photo.status == ReviewPhoto.Status.EXPECTED:
            photo.status, fresh = ReviewPhoto.Status.QUARANTINED, True
        photo.save(update_fields=["position", "review", "status", "updated_at"])
    if fresh:
        publish(ReviewPhotosAdded(review_id=str(review.public_id)))
