"""Shoppers tell that a review helped them."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.core import ratelimit
from apps.core.errors import Conflict, NotFound
from apps.core.locks import locked
from apps.core.outdated import outdate
from apps.customers.models import Customer
from apps.reviews.models import Review, ReviewVote
from apps.reviews.selectors import votes_key

PER_HOUR = 30


class OwnReview(Conflict):
    code = "own_review"
    message = _("This is your own review.")


def vote_helpful(*, review: Review, customer: Customer | None = None) -> int:
    """Count that a published review helped the customer, or the caller's network.

    A second time changes nothing. Returns how many it has helped. Raises RateLimited, OwnReview
    and NotFound.
    """
    who = f"customer:{customer.pk}" if customer else f"network:{ratelimit.caller()}"
    ratelimit.hit("review-helpful", who, limit=PER_HOUR, seconds=3600)
    if customer and review.customer_id == customer.pk:
        raise OwnReview()
    voter = salted_hmac("reviews.voter", who, algorithm="sha256").hexdigest()
    with transaction.atomic():
        found = locked(Review.objects.published().filter(pk=review.pk)).first()
        if found is None:
            raise NotFound()
        try:
            with transaction.atomic():
                ReviewVote.objects.create(review=found, voter=voter)
        except IntegrityError:
            return found.helpful_count
        Review.objects.filter(pk=found.pk).update(helpful_count=F("helpful_count") + 1)
        outdate(votes_key(found.product))
    return found.helpful_count + 1
