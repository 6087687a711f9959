"""Shoppers tell that a review shouldn't be there."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from apps.core import audit, ratelimit
from apps.core.locks import locked
from apps.customers.models import Customer
from apps.reviews import states
from apps.reviews.models import Review, ReviewReport
from apps.reviews.services.counting import tell
from apps.reviews.services.texts import clean_text

# So many reports since the last decision put a review back into the queue.
QUEUE_AT = 3
PER_HOUR = 10


def report_review(
    *, review: Review, reason: str, text: str = "", customer: Customer | None = None
) -> None:
    """Note a report of the customer, or of the caller's network; a second one changes nothing.

    The third since the staff's last decision takes the review down until they decide again.
    Raises RateLimited and HTMLRefused.
    """
    who = f"customer:{customer.pk}" if customer else f"network:{ratelimit.caller()}"
    ratelimit.hit("review-report", who, limit=PER_HOUR, seconds=3600)
    text = clean_text("text", text)
    reporter = salted_hmac("reviews.reporter", who, algorithm="sha256").hexdigest()
    with transaction.atomic():
        review = locked(Review.objects.filter(pk=review.pk)).get()
        try:
            with transaction.atomic():
                ReviewReport.objects.create(
                    review=review, reporter=reporter, reason=reason, text=text
                )
        except IntegrityError:
            return
        was = review.status
        if was != states.APPROVED or review.reports.filter(is_open=True).count() < QUEUE_AT:
            return
        review.status = states.TRANSITIONS[was, "queue"]
        review.save()
        audit.record("review.queue", review, {"status": [was, review.status]})
        tell(review, was=was)
