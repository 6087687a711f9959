"""Images of products: taken from an upload or an address, re-encoded, stored in renditions."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import IO, Any, TypedDict

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.http import FetchError, fetch
from apps.core.pictures import InvalidImage, encode_renditions
from apps.products.models import Product, ProductImage
from apps.products.services.product import touch_product

ACCEPT = "image/avif,image/webp,image/png,image/jpeg,image/gif"
MAX_ATTEMPTS = 3
# How long one attempt may take before another worker tries, doubled for each attempt.
LEASE = timedelta(minutes=2)
BATCH = 50
# A batch starts no further fetch after this, to end well before the task's time limit.
BATCH_SECONDS = 300


class InvalidSource(DomainError):
    code = "invalid_source_url"
    message = _("An image is fetched from an http or https address.")


class ImageFields(TypedDict, total=False):
    alt: str
    position: int


def add_image(*, product: Product, upload: IO[bytes], alt: str = "") -> ProductImage:
    """Add an uploaded picture, ready at once. Raises InvalidImage."""
    data = upload.read(settings.IMAGE_MAX_BYTES + 1)
    if len(data) > settings.IMAGE_MAX_BYTES:
        raise InvalidImage(_("The file is too large."), field="file")
    image = _new(product, alt)
    # Decoding takes its time: no transaction waits for it.
    _fill(image, data)
    with transaction.atomic():
        image.save()
        touch_product(product=product)
    return image


@transaction.atomic
def add_image_from(*, product: Product, source_url: str, alt: str = "") -> ProductImage:
    """Note the address of a picture; a background task fetches it. Raises InvalidSource."""
    if not source_url.lower().startswith(("http://", "https://")) or len(source_url) > 1000:
        raise InvalidSource(field="source_url")
    image = _new(product, alt)
    image.source_url = source_url
    image.save()
    touch_product(product=product)
    return image


def _new(product: Product, alt: str) -> ProductImage:
    return ProductImage(product=product, alt=alt[:300], position=product.images.count())


@transaction.atomic
def update_image(*, image: ProductImage, fields: ImageFields) -> ProductImage:
    """Change the alternative text or the position."""
    for name, value in fields.items():
        setattr(image, name, value)
    image.save()
    touch_product(product=image.product)
    return image


@transaction.atomic
def delete_image(*, image: ProductImage) -> None:
    """Delete an image; its files go when that is certain."""
    paths = [rendition["path"] for rendition in image.renditions]
    product = image.product
    image.delete()
    touch_product(product=product)
    transaction.on_commit(lambda: _delete_files(paths), robust=True)


def _delete_files(paths: Sequence[str]) -> None:
    for path in paths:
        default_storage.delete(path)


def fetch_pending(*, limit: int = BATCH) -> int:
    """Fetch images that wait for it; the number that was tried.

    Safe to run several times at once: every attempt is claimed. A product is announced once,
    however many of its images became ready.
    """
    due = list(_due().select_related("product").order_by("product_id", "pk")[:limit])
    by_product: dict[int, list[ProductImage]] = {}
    for image in due:
        by_product.setdefault(image.product_id, []).append(image)
    tried, deadline = 0, time.monotonic() + BATCH_SECONDS
    for images in by_product.values():
        mine = []
        for image in images:
            if time.monotonic() < deadline and _claim(image):
                _fetch(image)
                mine.append(image)
        if mine:
            _store(mine)
        tried += len(mine)
    return tried


def process_image(*, image: ProductImage) -> ProductImage:
    """Fetch one image now (unless another worker has it); its status tells what came of it."""
    if image.status == ProductImage.Status.PENDING and _claim(image):
        _fetch(image)
        _store([image])
    return image


def _due() -> QuerySet[ProductImage]:
    now = timezone.now()
    again = Q(attempts=0)
    for attempts in range(1, MAX_ATTEMPTS + 1):
        waited = now - LEASE * 2 ** (attempts - 1)
        again |= Q(attempts=attempts, updated_at__lte=waited)
    return ProductImage.objects.filter(again, status=ProductImage.Status.PENDING)


def _claim(image: ProductImage) -> bool:
    """Count the attempt, if nobody else did meanwhile."""
    now = timezone.now()
    row = ProductImage.objects.filter(
        pk=image.pk, status=ProductImage.Status.PENDING, attempts=image.attempts
    )
    if not row.update(attempts=image.attempts + 1, updated_at=now):
        return False
    image.attempts += 1
    return True


def _fetch(image: ProductImage) -> None:
    """Set what the attempt led to on the instance; writes files, but no row."""
    try:
        if image.attempts > MAX_ATTEMPTS:
            # Its last attempt killed the worker.
            raise InvalidImage(_("The picture can't be processed."))
        fetched = fetch(image.source_url, max_bytes=settings.IMAGE_MAX_BYTES, accept=ACCEPT)
        _fill(image, fetched.body)
    except FetchError as error:
        image.error = str(error)[:300]
        if image.attempts >= MAX_ATTEMPTS:
            image.status = ProductImage.Status.FAILED
    except InvalidImage as error:
        image.error = str(error)[:300]
        image.status = ProductImage.Status.FAILED


def _fill(image: ProductImage, data: bytes) -> None:
    """Store the renditions of `data`. Raises InvalidImage."""
    folder = f"products/{timezone.now():%Y/%m}"
    renditions: list[dict[str, Any]] = []
    for encoded in encode_renditions(data):
        path = f"{folder}/{image.public_id}-{encoded.width}.webp"
        # What an attempt that died left behind.
        default_storage.delete(path)
        path = default_storage.save(path, ContentFile(encoded.body))
        renditions.append({"width": encoded.width, "height": encoded.height, "path": path})
    image.renditions = renditions
    image.file.name = renditions[-1]["path"]
    image.width, image.height = renditions[-1]["width"], renditions[-1]["height"]
    image.status, image.error = ProductImage.Status.READY, ""


@transaction.atomic
def _store(images: Sequence[ProductImage]) -> None:
    fields = ("file", "renditions", "width", "height", "status", "error")
    for image in images:
        values = {name: getattr(image, name) for name in fields}
        ProductImage.objects.filter(pk=image.pk).update(**values, updated_at=timezone.now())
    if any(image.status != ProductImage.Status.PENDING for image in images):
        touch_product(product=images[0].product)
