"""What reviews do about their own events."""

from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete
from django.dispatch import receiver

from apps.core import photos
from apps.core.events import receives
from apps.customers.models import CustomerEvent
from apps.customers.services.timeline import record_event
from apps.reviews import services
from apps.reviews.events import ReviewAnswered, ReviewPhotosAdded, ReviewPublished
from apps.reviews.models import Review, ReviewPhoto
from apps.reviews.tasks import process_photos


@receiver(post_delete, sender=ReviewPhoto)
def forget_files(instance: ReviewPhoto, **kwargs: Any) -> None:
    """Whatever took the row along: its review, or the product."""
    photos.forget_files(photo=instance)


@receives(ReviewPhotosAdded)
def process_soon(event: ReviewPhotosAdded) -> None:
    """To the workers of the bulk queue: decoding must not hold up the relay."""
    process_photos.delay()


@receives(ReviewAnswered)
def mail_answer(event: ReviewAnswered) -> None:
    services.mail_answer(review_id=event.review_id)


@receives(ReviewPublished)
def note_review(event: ReviewPublished) -> None:
    review = Review.objects.select_related("product").filter(public_id=event.review_id).first()
    if review is not None:
        record_event(
            customer_id=review.customer_id,
            kind=CustomerEvent.Kind.REVIEW,
            message=review.product.name,
            data={"rating": review.rating},
            key=f"{event.name}:{event.review_id}",
        )
