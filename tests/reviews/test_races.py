"""Many at once, on PostgreSQL."""

from __future__ import annotations

import pytest

from apps.reviews.models import Review, ReviewPhoto, ReviewSummary
from apps.reviews.services import approve_review, process_due, report_review, write_review
from apps.reviews.services.moderating import AlreadyDecided
from apps.reviews.services.writing import AlreadyReviewed
from tests.factories.customers import CustomerFactory
from tests.factories.products import ProductFactory
from tests.factories.reviews import ReviewFactory, ReviewSettingsFactory

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("rating_is_true")]


def test_rating_counts_every_review_that_was_approved_at_once(store, at_once):
    product = ProductFactory(stores=[store])
    reviews = [ReviewFactory(product=product, store=store, rating=1 + n % 5) for n in range(8)]
    # Twice each: the second is told that it was decided.
    answers = at_once(16, lambda n: approve_review(review=reviews[n % 8]))
    assert sum(isinstance(answer, AlreadyDecided) for answer in answers) == 8
    assert sum(isinstance(answer, Review) for answer in answers) == 8
    summary = ReviewSummary.objects.get()
    assert (summary.count, summary.stars) == (8, 21)


def test_customer_who_clicks_twice_has_one_review(store, at_once):
    product, customer = ProductFactory(stores=[store]), CustomerFactory()
    ReviewSettingsFactory(store=store, buyers_only=False, is_moderated=False)

    def write(n):
        return write_review(
            customer=customer, store=store, product=product, language="en", rating=1 + n % 5
        )

    answers = at_once(6, write)
    assert sum(isinstance(answer, AlreadyReviewed) for answer in answers) == 5
    assert ReviewSummary.objects.get().count == 1


def test_reports_at_once_take_it_down_once(store, at_once):
    product = ProductFactory(stores=[store])
    review = approve_review(review=ReviewFactory(product=product, store=store))
    people = CustomerFactory.create_batch(4)
    answers = at_once(
        8, lambda n: report_review(review=review, reason="spam", customer=people[n % 4])
    )
    assert answers == [None] * 8
    review.refresh_from_db()
    assert (review.status, review.reports.count()) == ("pending", 4)
    assert ReviewSummary.objects.get().count == 0


def test_photo_is_processed_by_one_worker(store, at_once):
    review = ReviewFactory(store=store)
    ReviewPhoto.objects.create(review=review, status="quarantined")
    assert sum(at_once(4, lambda n: process_due())) == 1
