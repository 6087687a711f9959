"""Photos in quarantine: scanned, written anew, shown; or refused (`core.photos`)."""

from __future__ import annotations

from apps.core import photos
from apps.core.photos import BATCH
from apps.reviews.models import ReviewPhoto


def process_due(*, limit: int = BATCH) -> int:
    """Scan and re-encode what is due; the number that was tried. Safe to run several at once."""
    return photos.process_due(ReviewPhoto, limit=limit)


def prune_uploads() -> int:
    """Delete photos that no review has come to name; the number deleted."""
    return photos.prune(ReviewPhoto.objects.filter(review__isnull=True))
