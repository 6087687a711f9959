"""What is personal of reviews: who wrote, reported and voted."""

from django.db.models import Q

from apps.core.personal import Person, Reason, Where, deleted, emptied, impersonal
from apps.core.photos import files_of
from apps.reviews.models import (
    Review,
    ReviewAnswer,
    ReviewPhoto,
    ReviewReport,
    ReviewSettings,
    ReviewSummary,
    ReviewVote,
)
from apps.reviews.selectors import called, reporter_hash, voter_hash, votes_key


def _reported(person: Person) -> Q:
    return Q(reporter__in=[reporter_hash(called(pk)) for pk in person.customers])


def _voted(person: Person) -> Q:
    return Q(voter__in=[voter_hash(called(pk)) for pk in person.customers])


impersonal(ReviewSettings, ReviewSummary)
emptied(
    Review,
    Where(customer="customer"),
    forgets={"author_name": "", "customer": None, "reason": ""},
    keeps={"title": "", "text": ""},
    reason=Reason.PUBLISHED,
    plain="language",
    outdates=lambda review: [votes_key(review.product)],
)
emptied(ReviewAnswer, Where(customer="review__customer"), forgets={}, plain="text")
deleted(ReviewPhoto, Where(customer="customer"), files=files_of)
deleted(ReviewReport, Where(also=_reported), hidden="reporter")
deleted(ReviewVote, Where(also=_voted), hidden="voter")
