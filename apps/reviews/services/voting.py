"""Shoppers tell that a review helped them."""

from __future__ import annotations

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, NotFound
from apps.core.locks import locked
from apps.core.outdated import outdate
from apps.core.ratelimit import Limit
from apps.customers.models import Customer
from apps.reviews.models import Review, ReviewVote
from apps.reviews.selectors import called, voter_hash, votes_key

PER_VOTER = Limit("review-helpful", by="customer or network", most=30, seconds=3600)


class OwnReview(Conflict):
    code = "own_review"
    message = _("This is your own review.")


def vote_helpful(*, review: Review, customer: Customer | None = None) -> int:
    """Count that a published review helped the customer, or the caller's network.

    A second time changes nothing. Returns how many it has helped. Raises RateLimited, OwnReview
    and NotFound.
    """
    who = called(customer.pk if customer else None)
    PER_VOTER.hit(who)
    if customer and review.customer_id == customer.pk:
        raise OwnReview()
    voter = voter_hash(who)
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
