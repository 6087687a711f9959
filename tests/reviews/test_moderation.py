"""The staff's queue, reports of abuse, the shop's answer."""

from __future__ import annotations

import pytest

from apps.core import outbox
from apps.core.models import AuditEntry
from apps.notifications.services import send_due
from apps.reviews.models import ReviewReport
from apps.reviews.services import approve_review, report_review
from tests.factories.customers import CustomerFactory
from tests.factories.reviews import ReviewFactory
from tests.reviews.conftest import API, URL

pytestmark = pytest.mark.usefixtures("rating_is_true")
STAFF = f"{API}/admin/reviews/"


def test_queue_is_read_decided_and_noted(written, as_merchant, as_readonly, merchant, api):
    review = written(rating=2)
    one = f"{STAFF}{review.public_id}/"
    queue = as_readonly.get(STAFF, {"status": "pending", "product": "mug", "verified": "true"})
    (shown,) = queue.json()["results"]
    assert shown["order"] == review.order_line.order.number
    assert as_readonly.post(f"{one}approve/").status_code == 403

    assert as_merchant.post(f"{one}approve/").json()["status"] == "approved"
    again = as_merchant.post(f"{one}approve/")
    assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    assert api.get(URL).json()["summary"]["count"] == 1

    assert as_merchant.post(f"{one}reject/", {"reason": " "}).status_code == 400
    rejected = as_merchant.post(f"{one}reject/", {"reason": "Of another product."}).json()
    assert (rejected["status"], rejected["reason"]) == ("rejected", "Of another product.")
    assert api.get(URL).json()["summary"]["count"] == 0
    review.refresh_from_db()
    assert review.moderated_by == merchant
    actions = AuditEntry.objects.filter(object_type="reviews.review").order_by("pk")
    assert [entry.action for entry in actions] == ["review.approve", "review.reject"]


def test_third_report_takes_it_down_until_the_staff_has_decided(mug, store, as_merchant, api):
    review = approve_review(review=ReviewFactory(product=mug, store=store))
    first, second, third, fourth = CustomerFactory.create_batch(4)
    for customer in (first, first, first, second):
        report_review(review=review, reason="spam", customer=customer)
    assert ReviewReport.objects.count() == 2
    assert api.get(URL).json()["summary"]["count"] == 1
    url = f"{API}/reviews/{review.public_id}/report/"
    assert api.post(url, {"reason": "offensive", "text": "Rude."}).status_code == 204
    assert api.get(URL).json()["summary"]["count"] == 0
    # What isn't shown can't be reported.
    assert api.post(url, {"reason": "offensive"}).status_code == 404

    (waiting,) = as_merchant.get(STAFF, {"reported": "true"}).json()["results"]
    assert [r["reason"] for r in waiting["reports"]] == ["spam", "spam", "offensive"]
    approve_review(review=review)
    # Settled: it takes three others.
    report_review(review=review, reason="spam", customer=fourth)
    report_review(review=review, reason="spam", customer=third)
    assert api.get(URL).json()["summary"]["count"] == 1


def test_reports_of_one_network_are_limited(mug, store, api):
    for _ in range(10):
        review = approve_review(review=ReviewFactory(product=mug, store=store))
        url = f"{API}/reviews/{review.public_id}/report/"
        assert api.post(url, {"reason": "spam"}).status_code == 204
    answer = api.post(url, {"reason": "spam"})
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limited")


def test_answer_is_shown_and_mailed_once(written, as_merchant, api, mailoutbox):
    review = written()
    one = f"{STAFF}{review.public_id}/answer/"
    approve_review(review=review)
    assert as_merchant.put(one, {"text": "<b>Thanks</b>"}).json()["code"] == "html_refused"
    for text in ("Thanks!", "Thank you!"):
        assert as_merchant.put(one, {"text": text}).status_code == 200
    assert api.get(URL).json()["results"][0]["answer"]["text"] == "Thank you!"
    outbox.drain()
    send_due()
    (mail,) = mailoutbox
    assert mail.to == ["shopper@example.com"]
    assert "Thank you!" in mail.body
    assert as_merchant.delete(one).status_code == 204
    assert api.get(URL).json()["results"][0]["answer"] is None
