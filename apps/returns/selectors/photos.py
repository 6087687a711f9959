"""Photos of returns, for who may see them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from apps.core.errors import NotFound
from apps.core.photos import storage_of
from apps.returns.models import ReturnPhoto, ReturnRequest

PHOTO_TYPE = "image/webp"


def photo_json(photo: ReturnPhoto) -> dict[str, Any]:
    """`width` and `height` once it is ready to be seen."""
    size = photo.renditions[-1] if photo.renditions else {}
    return {
        "id": str(photo.public_id),
        "status": photo.status,
        "error": photo.error,
        "width": size.get("width"),
        "height": size.get("height"),
    }


def read_photo(request: ReturnRequest, photo_id: UUID) -> bytes:
    """A photo of a return as we wrote it anew (`PHOTO_TYPE`), at its greatest width.

    Raises NotFound for one of another return, or that isn't ready. Whether the return may be seen
    is the caller's business.
    """
    ready = request.photos.filter(public_id=photo_id, status=ReturnPhoto.Status.READY)
    photo = ready.first()
    if photo is None:
        raise NotFound()
    with storage_of(photo).open(photo.renditions[-1]["path"]) as file:
        return bytes(file.read())
