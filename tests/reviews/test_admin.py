"""The moderation queue in the back office."""

from __future__ import annotations

import pytest
from django.test import Client

from apps.core.models import AuditEntry
from apps.reviews.models import ReviewPhoto
from apps.reviews.services import answer_review, report_review
from tests.factories.reviews import ReviewFactory

LIST = "/admin/reviews/review/"


@pytest.fixture
def office(merchant):
    client = Client()
    client.force_login(merchant)
    return client


def test_queue_shows_what_waits_and_decides_several_at_once(office, mug, store):
    waiting = ReviewFactory.create_batch(2, product=mug, store=store)
    kept = ReviewFactory(product=mug, store=store)
    page = office.get(LIST, {"status__exact": "pending"}).content.decode()
    assert page.count("Fine") >= 3
    for action, chosen in (("approve", waiting), ("reject", [kept])):
        body = {"action": action, "_selected_action": [review.pk for review in chosen]}
        assert office.post(LIST, body).status_code == 302
    for review in (*waiting, kept):
        review.refresh_from_db()
    assert [review.status for review in waiting] == ["approved", "approved"]
    assert (kept.status, kept.reason) == ("rejected", "It breaks our rules for reviews.")
    assert AuditEntry.objects.filter(action__startswith="review.").count() == 3


def test_page_escapes_the_text_and_shows_photos_reports_and_the_answer(office, mug, store):
    review = ReviewFactory(product=mug, store=store, text="\"'><img src=x", status="approved")
    ReviewPhoto.objects.create(
        review=review,
        status="ready",
        renditions=[{"width": 160, "height": 80, "path": "reviews/a-160.webp"}],
    )
    ReviewPhoto.objects.create(review=review, status="quarantined")
    report_review(review=review, reason="offensive", text="Very rude.")
    answer_review(review=review, text="We disagree.")
    page = office.get(f"{LIST}{review.pk}/change/").content.decode()
    assert "<img src=x" not in page
    assert "&gt;&lt;img src=x" in page
    for shown in ("/media/reviews/a-160.webp", "in quarantine", "Very rude.", "We disagree."):
        assert shown in page
    listed = office.get(LIST, {"reported": "yes"}).content.decode()
    assert f"{LIST}{review.pk}/change/" in listed


def test_rejecting_asks_for_a_reason(office, mug, store):
    review = ReviewFactory(product=mug, store=store)
    url = f"{LIST}{review.pk}/do/reject/"
    assert office.post(url, {"once": "a", "reason": ""}).status_code == 200
    assert office.post(url, {"once": "b", "reason": "Not about the mug."}).status_code == 302
    review.refresh_from_db()
    assert (review.status, review.reason) == ("rejected", "Not about the mug.")
