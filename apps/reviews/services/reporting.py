"""Shoppers tell that a review shouldn't be there."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from apps.core import audit
from apps.core.locks import locked
from apps.core.ratelimit import Limit
from apps.customers.models import Customer
from apps.reviews import states
from apps.reviews.models import Review, ReviewReport
from apps.reviews.selectors import called, reporter_hash
from apps.reviews.services.counting import tell
from apps.reviews.services.texts import clean_text

# So many reports since the last decision put a review back into the queue.
QUEUE_AT = 3
PER_REPORTER = Limit("review-report", by="customer or network", most=10, seconds=3600)


def report_review(
    *, review: Review, reason: str, text: str = "", customer: Customer | None = None
) -> None:
    """Note a report of the customer, or of the caller's network; a second one changes nothing.

    The third since the staff's last decision takes the review down until they decide again.
    Raises RateLimited and HTMLRefused.
    """
    who = called(customer.pk if customer else None)
    PER_REPORTER.hit(who)
    text = clean_text("text", text)
    reporter = reporter_hash(who)
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
