"""Who may say what of a product, and what others see of it."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import outbox
from apps.orders.models import Order
from apps.reviews.models import Review, ReviewSettings, ReviewSummary
from apps.reviews.services import approve_review
from tests.factories.products import ProductFactory
from tests.factories.reviews import ReviewFactory, ReviewSettingsFactory, bought
from tests.reviews.conftest import API, URL

pytestmark = pytest.mark.usefixtures("rating_is_true")


def test_review_of_a_buyer_waits_for_the_staff_and_then_counts(written, api, shopper):
    review = written(rating=5, author_name=" Sam  S. ")
    assert (review.status, review.is_verified, review.author_name) == ("pending", True, "Sam S.")
    assert review.order_line.order.customer == shopper.customer
    assert api.get(URL).json() == {
        "next": None,
        "previous": None,
        "results": [],
        "summary": {
            "average": None,
            "count": 0,
            "stars": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 0},
        },
    }
    approve_review(review=review)
    body = api.get(URL).json()
    assert body["summary"] == {
        "average": 5.0,
        "count": 1,
        "stars": {"1": 0, "2": 0, "3": 0, "4": 0, "5": 1},
    }
    (shown,) = body["results"]
    assert shown.pop("created_at")
    assert shown == {
        "id": str(review.public_id),
        "rating": 5,
        "title": "Fine",
        "text": "A mug.",
        "author": "Sam S.",
        "language": "en",
        "is_verified": True,
        "helpful_count": 0,
        "photos": [],
        "answer": None,
    }


@pytest.mark.parametrize("status", ["pending", "cancelled", None])
def test_who_did_not_buy_is_refused(as_shopper, shopper, mug, store, status):
    if status:
        bought(shopper.customer, mug, store, status=status)
    answer = as_shopper.post(URL, {"rating": 5})
    assert (answer.status_code, answer.json()["code"]) == (403, "not_a_buyer")
    assert not Review.objects.exists()


def test_guest_is_asked_to_sign_in(api, mug):
    assert api.post(URL, {"rating": 5}).status_code == 401


def test_everybody_may_where_the_store_says_so_at_once_if_it_isnt_moderated(
    as_shopper, mug, store, api
):
    ReviewSettingsFactory(store=store, buyers_only=False, is_moderated=False)
    answer = as_shopper.post(URL, {"rating": 2})
    assert (answer.status_code, answer.json()["status"]) == (201, "approved")
    (shown,) = api.get(URL).json()["results"]
    # Nothing chosen: the first name alone.
    assert (shown["author"], shown["is_verified"]) == ("Sam", False)


def test_product_is_reviewed_once(written, as_shopper):
    written()
    answer = as_shopper.post(URL, {"rating": 1})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_reviewed")


@pytest.mark.parametrize(
    ("words", "field", "code"),
    [
        ({"text": "see <a href='//evil.example'>this</a>"}, "text", "html_refused"),
        ({"title": "<script>"}, "title", "html_refused"),
        ({"author_name": "<!-- x -->"}, "author_name", "html_refused"),
        ({"rating": 6}, "rating", "max_value"),
        ({"rating": 0}, "rating", "min_value"),
        ({"stars": 5}, "stars", "unknown_field"),
        ({"is_verified": True}, "is_verified", "unknown_field"),
        ({"photos": ["019a0000-0000-7000-8000-000000000000"]}, "photos", "unknown_photo"),
    ],
)
def test_what_isnt_a_review_is_refused(as_shopper, shopper, mug, store, words, field, code):
    bought(shopper.customer, mug, store)
    answer = as_shopper.post(URL, {"rating": 4, **words})
    assert answer.status_code == 400
    assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [(field, code)]
    assert not Review.objects.exists()


def test_text_is_plain_and_kept_as_it_was_written(written):
    review = written(title="I <3 it", text="a < b & c > d\r\nnext\u202e line\x07")
    assert (review.title, review.text) == ("I <3 it", "a < b & c > d\nnext line")


def test_change_waits_again_and_its_rating_stops_counting(written, as_shopper, api, mug):
    review = written(rating=5)
    approve_review(review=review)
    url = f"{API}/me/reviews/{review.public_id}/"
    answer = as_shopper.patch(url, {"rating": 1, "text": "It broke."})
    assert (answer.status_code, answer.json()["status"]) == (200, "pending")
    assert api.get(URL).json()["results"] == []
    summary = ReviewSummary.objects.get()
    assert (summary.count, summary.stars, summary.average) == (0, 0, None)
    approve_review(review=review)
    assert api.get(URL).json()["summary"]["average"] == 1.0
    assert as_shopper.delete(url).status_code == 204
    assert api.get(URL).json()["summary"]["count"] == 0


def test_review_is_nobody_elses(written, as_stranger, as_shopper):
    url = f"{API}/me/reviews/{written().public_id}/"
    assert as_stranger.get(f"{API}/me/reviews/").json()["results"] == []
    assert as_stranger.get(url).status_code == 404
    assert as_stranger.patch(url, {"rating": 1}).status_code == 404
    assert as_stranger.delete(url).status_code == 404
    assert [
        r["product"]["slug"] for r in as_shopper.get(f"{API}/me/reviews/").json()["results"]
    ] == ["mug"]


def test_pages_filters_orders_and_counts_of_a_store(api, mug, store):
    for rating in (5, 3, 3, 1):
        approve_review(review=ReviewFactory(product=mug, store=store, rating=rating))
    # Elsewhere, of another product, and one that waits.
    approve_review(review=ReviewFactory(product=mug, rating=1))
    approve_review(review=ReviewFactory(product=ProductFactory(stores=[store]), store=store))
    ReviewFactory(product=mug, store=store, rating=1)

    def ratings(**query):
        return [review["rating"] for review in api.get(URL, query).json()["results"]]

    assert ratings() == [1, 3, 3, 5]
    assert ratings(rating=3) == [3, 3]
    assert ratings(ordering="-rating") == [5, 3, 3, 1]
    first = api.get(URL, {"limit": 3}).json()
    assert first["summary"]["average"] == 3.0
    assert [r["rating"] for r in api.get(first["next"]).json()["results"]] == [5]
    assert api.get(URL, {"rating": 6}).status_code == 400
    assert api.get(f"{API}/products/cup/reviews/").status_code == 404


def test_list_is_cached_by_anybody_and_costs_the_same_however_long(api, mug, store):
    approve_review(review=ReviewFactory(product=mug, store=store))
    with CaptureQueriesContext(connection) as one:
        answer = api.get(URL)
    assert answer["Cache-Control"].startswith("public")
    assert api.get(URL, HTTP_IF_NONE_MATCH=answer["ETag"]).status_code == 304
    for _ in range(3):
        approve_review(review=ReviewFactory(product=mug, store=store))
    with CaptureQueriesContext(connection) as four:
        assert len(api.get(URL).json()["results"]) == 4
    assert len(four) == len(one)


def test_buyers_are_asked_once_some_days_after_the_delivery(
    mug, store, shopper, stranger, guest, mailoutbox, time_machine
):
    from datetime import timedelta

    from django.utils import timezone

    from apps.notifications.services import send_due
    from apps.reviews.services import invite_buyers

    ReviewSettingsFactory(store=store, ask_after_days=7)
    arrived = {"status": Order.Status.DELIVERED, "delivered_at": timezone.now()}
    bought(shopper.customer, mug, store, **arrived)
    # Who has reviewed it, who can't sign in, whose parcel is under way.
    bought(stranger.customer, mug, store, **arrived)
    ReviewFactory(product=mug, store=store, customer=stranger.customer)
    bought(guest, mug, store, **arrived)
    bought(stranger.customer, ProductFactory(stores=[store]), store, status=Order.Status.SHIPPED)
    assert invite_buyers() == 0
    time_machine.move_to(timezone.now() + timedelta(days=7, minutes=1))
    assert (invite_buyers(), invite_buyers()) == (2, 0)
    outbox.drain()
    send_due()
    (mail,) = mailoutbox
    assert mail.to == ["shopper@example.com"]
    assert "Mug: http://localhost:8000/products/mug/#reviews" in mail.body


def test_settings_are_the_defaults_without_a_row(store):
    from apps.reviews.selectors import settings_of

    found = settings_of(store)
    assert (found.buyers_only, found.is_moderated, found.ask_after_days) == (True, True, None)
    assert not ReviewSettings.objects.exists()
