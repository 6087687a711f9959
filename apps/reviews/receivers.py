"""What reviews do about their own events."""

from __future__ import annotations

from apps.core.events import receives
from apps.reviews import services
from apps.reviews.events import ReviewAnswered, ReviewPhotosAdded
from apps.reviews.tasks import process_photos


@receives(ReviewPhotosAdded)
def process_soon(event: ReviewPhotosAdded) -> None:
    """To the workers of the bulk queue: decoding must not hold up the relay."""
    process_photos.delay()


@receives(ReviewAnswered)
def mail_answer(event: ReviewAnswered) -> None:
    services.mail_answer(review_id=event.review_id)
