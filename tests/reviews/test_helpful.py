"""Shoppers tell which reviews helped them: once each, counted, and lists are ordered by it."""

from __future__ import annotations

import pytest
from django.db import connection

from apps.reviews.models import Review, ReviewVote
from apps.reviews.services import approve_review, reject_review, vote_helpful
from tests.factories.customers import CustomerFactory
from tests.factories.reviews import ReviewFactory
from tests.reviews.conftest import API, URL

pytestmark = pytest.mark.usefixtures("invariants")


@pytest.fixture
def published(mug, store):
    """`published(title=…)`: a review that shoppers see."""
    return lambda **words: approve_review(review=ReviewFactory(product=mug, store=store, **words))


def vote(client, review, ip="203.0.113.7"):
    return client.post(f"{API}/reviews/{review.public_id}/helpful/", REMOTE_ADDR=ip)


def test_everybody_counts_once(published, api, as_shopper, as_stranger):
    review = published()
    assert vote(api, review).json() == {"helpful_count": 1}
    again = vote(api, review)
    assert (again.status_code, again.json()) == (200, {"helpful_count": 1})
    assert vote(api, review, "2001:db8::1").json() == {"helpful_count": 2}
    # A network of one's own is one person.
    assert vote(api, review, "2001:db8::2").json() == {"helpful_count": 2}
    for client in (as_shopper, as_shopper, as_stranger):
        count = vote(client, review).json()
    assert count == {"helpful_count": 4}
    assert ReviewVote.objects.count() == 4
    # Nobody is named.
    assert not ReviewVote.objects.filter(voter__contains="203").exists()


def test_author_doesnt_count(mug, store, shopper, as_shopper):
    review = approve_review(
        review=ReviewFactory(product=mug, store=store, customer=shopper.customer)
    )
    refused = vote(as_shopper, review)
    assert (refused.status_code, refused.json()["code"]) == (409, "own_review")
    assert ReviewVote.objects.count() == 0


def test_what_isnt_shown_cant_help(mug, store, api):
    waiting = ReviewFactory(product=mug, store=store)
    assert vote(api, waiting).status_code == 404
    reject_review(review=waiting, reason="Advertising")
    assert vote(api, waiting).status_code == 404


def test_list_counts_orders_and_hears_of_it(published, api):
    first, second, third = (published(title=title) for title in ("one", "two", "three"))
    assert [r["helpful_count"] for r in api.get(URL).json()["results"]] == [0, 0, 0]
    vote(api, first)
    vote(api, second)
    vote(api, second, "203.0.113.8")

    def titles(**query):
        return [r["title"] for r in api.get(URL, query).json()["results"]]

    assert titles() == ["three", "two", "one"]
    assert titles(ordering="-helpful") == ["two", "one", "three"]
    page = api.get(URL, {"ordering": "-helpful", "limit": 2}).json()
    assert [r["helpful_count"] for r in page["results"]] == [2, 1]
    assert [r["title"] for r in api.get(page["next"]).json()["results"]] == ["three"]
    assert Review.objects.get(pk=third.pk).helpful_count == 0


def test_too_many_are_refused(mug, store, api):
    reviews = [
        approve_review(review=ReviewFactory(product=mug, store=store)) for _number in range(31)
    ]
    answers = [vote(api, review).status_code for review in reviews]
    assert answers == [200] * 30 + [429]


@pytest.mark.race
def test_votes_at_once_are_all_counted(transactional_db, mug, store, at_once):
    review = approve_review(review=ReviewFactory(product=mug, store=store))
    customers = [CustomerFactory() for _number in range(8)]

    def tell(number):
        # Each of four says it twice.
        vote_helpful(review=review, customer=customers[number % 4])
        connection.close()

    at_once(8, tell)
    review.refresh_from_db()
    assert review.helpful_count == ReviewVote.objects.count() == 4
