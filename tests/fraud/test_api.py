"""The review queue, the rules and the lists, for staff and API keys."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core import audit, outbox
from apps.core.models import AuditEntry
from apps.fraud.models import Assessment, FraudRule, FraudSettings, Hit
from apps.orders.models import Order
from tests.factories.fraud import AssessmentFactory, FraudRuleFactory
from tests.flows.conftest import Buyer, shop
from tests.permissions.cast import key_of

__all__ = ["shop"]
pytestmark = pytest.mark.usefixtures("invariants")
URL = "/api/v1/admin/fraud/"


@pytest.fixture
def known(shop):
    return FraudSettings.objects.create(store=shop.store)


def held(api, shop, email="ana@example.com"):
    """An order that is held, in the queue."""
    buyer = Buyer(api)
    buyer.fill(("BOOK", 1), email=email)
    number = buyer.checkout().json()["order"]["number"]
    outbox.drain()
    return Order.objects.get(number=number)


def test_queue_and_what_is_decided_of_it(api, shop, known, as_merchant):
    rule = FraudRuleFactory(store=shop.store, kind="amount", points=60, amount=1000)
    first, second = held(api, shop), held(api, shop, email="eva@example.com")
    AssessmentFactory(store=shop.store)
    rows = as_merchant.get(f"{URL}assessments/", {"waiting": "true", "ordering": "created"}).json()
    assert [row["order"] for row in rows["results"]] == [first.number, second.number]
    one, two = rows["results"]
    assert (one["store"], one["email"], one["score"]) == ("main", "ana@example.com", 60)
    assert (one["verdict"], one["decision"]) == ("review", "open")
    assert one["total"] == {"amount": "24.95", "currency": "EUR"}
    assert one["hits"] == [
        {"kind": "amount", "points": 60, "reason": "24.95 EUR", "rule": str(rule.public_id)}
    ]
    assert as_merchant.get(f"{URL}assessments/{one['id']}/").json() == one
    approved = as_merchant.post(f"{URL}assessments/{one['id']}/approve/")
    assert (approved.status_code, approved.json()["decision"]) == (200, "released")
    rejected = as_merchant.post(f"{URL}assessments/{two['id']}/reject/", {"reason": "Stolen card"})
    said = rejected.json()
    assert (said["decision"], said["decision_reason"]) == ("fraud", "Stolen card")
    assert said["decided_by"] == "merchant@example.com"
    outbox.drain()
    orders = {order.number: (order.status, order.on_hold) for order in Order.objects.all()}
    assert orders == {first.number: ("confirmed", False), second.number: ("cancelled", False)}
    # Customers read nothing of it.
    messages = Order.objects.get(pk=second.pk).timeline.filter(is_public=True)
    assert "Stolen card" not in str(list(messages.values()))
    entry = AuditEntry.objects.get(action="fraud.fraud")
    assert entry.changes == {"score": 60, "decision_reason": audit.REDACTED}
    for verb in ("approve", "reject"):
        again = as_merchant.post(f"{URL}assessments/{two['id']}/{verb}/", {"reason": "x"})
        assert (again.status_code, again.json()["code"]) == (409, "already_decided")
    assert as_merchant.get(f"{URL}assessments/", {"waiting": "true"}).json()["results"] == []
    assert len(as_merchant.get(f"{URL}assessments/", {"waiting": "false"}).json()["results"]) == 3
    report = as_merchant.get(f"{URL}report/", {"days": 30}).json()["results"]
    told = {"kind": "amount", "rule": str(rule.public_id)}
    assert report == [{**told, "hits": 2, "refused": 0, "fraud": 1, "released": 1}]


def test_rejection_needs_a_reason(as_merchant, shop):
    row = AssessmentFactory(store=shop.store, verdict="review")
    for body in ({}, {"reason": ""}, {"reason": "x" * 201}, {"reason": "x", "score": 0}):
        assert (
            as_merchant.post(f"{URL}assessments/{row.public_id}/reject/", body).status_code == 400
        )
    row.refresh_from_db()
    assert row.decision == "open"


def test_list_is_filtered_and_costs_the_same(as_merchant, shop, django_assert_num_queries):
    def rows(**query):
        found = as_merchant.get(f"{URL}assessments/", query).json()["results"]
        return [row["email"] for row in found]

    rule = FraudRuleFactory(store=shop.store)
    for name, verdict in (("a", "refuse"), ("b", "review"), ("c", "allow")):
        row = AssessmentFactory(
            store=shop.store, email=f"{name}@example.com", verdict=verdict, ip="203.0.113.7"
        )
        Hit.objects.create(assessment=row, rule=rule, kind=rule.kind, points=0, reason=name)
    old = timezone.now() - timedelta(days=2)
    Assessment.objects.filter(email="a@example.com").update(created_at=old)
    assert rows(verdict="refuse") == ["a@example.com"]
    assert rows(search="b@") == ["b@example.com"]
    assert rows(created_to=(timezone.now() - timedelta(days=1)).isoformat()) == ["a@example.com"]
    assert rows(store="nowhere") == []
    assert len(rows(search="203.0.113.7", limit=2)) == 2
    as_merchant.get(f"{URL}assessments/")
    with django_assert_num_queries(5):
        assert len(rows(ordering="-score")) == 3


def test_rules_and_lists(as_merchant, shop, known, api):
    made = as_merchant.post(
        f"{URL}rules/",
        {"store": "main", "kind": "blocked", "values": [" Bad@Example.com", "bad@example.com", ""]},
    )
    assert made.status_code == 400
    body = {"store": "main", "kind": "blocked", "values": [" Bad@Example.com", "bad@example.com"]}
    made = as_merchant.post(f"{URL}rules/", body)
    assert (made.status_code, made.json()["values"]) == (201, ["bad@example.com"])
    url, etag = f"{URL}rules/{made.json()['id']}/", made["ETag"]
    buyer = Buyer(api)
    buyer.fill(("BOOK", 1), email="bad@example.com")
    assert buyer.checkout().json()["code"] == "checkout_refused"
    changed = as_merchant.patch(url, {"values": ["203.0.113.7"]}, HTTP_IF_MATCH=etag)
    assert changed.json()["values"] == ["203.0.113.7"]
    assert as_merchant.patch(url, {"values": []}, HTTP_IF_MATCH=etag).status_code == 412
    assert buyer.checkout().status_code == 201
    amount = {"store": "main", "kind": "amount", "points": 10}
    amount = as_merchant.post(
        f"{URL}rules/", {**amount, "amount": {"amount": "9", "currency": "JPY"}}
    )
    assert amount.json()["amount"] == {"amount": "9", "currency": "JPY"}
    kinds = [row["kind"] for row in as_merchant.get(f"{URL}rules/").json()["results"]]
    assert kinds == ["amount", "blocked"]
    listed = as_merchant.get(
        f"{URL}rules/", {"kind": "blocked", "store": "main", "is_active": "true"}
    )
    assert [row["id"] for row in listed.json()["results"]] == [made.json()["id"]]
    for wrong in ({"kind": "unlucky"}, {"times": 0}, {"hours": 5000}, {"store": "nowhere"}):
        assert as_merchant.patch(url, wrong).status_code == 400
    assert as_merchant.delete(url).status_code == 204
    assert as_merchant.get(url).status_code == 404
    actions = AuditEntry.objects.filter(object_type="fraud.fraudrule").order_by("pk")
    assert [entry.action for entry in actions] == ["add", "change", "add", "delete"]


def test_store_begins_to_judge_and_stops(as_merchant, shop, settings):
    settings.FRAUD_ENGINES = {"obedient": "tests.fraud.engine.ObedientEngine"}
    url = f"{URL}settings/main/"
    assert as_merchant.get(url).status_code == 404
    first = as_merchant.patch(url, {"review_from": 30})
    assert first.status_code == 200
    assert (first.json()["review_from"], first.json()["refuse_from"]) == (30, 100)
    assert as_merchant.patch(url, {"engine": "obedient"}).json()["engine"] == "obedient"
    for wrong in ({"refuse_from": 20}, {"engine": "gone"}):
        refused = as_merchant.patch(url, wrong)
        assert (refused.status_code, refused.json()["code"]) == (400, "invalid_fraud_settings")
    assert as_merchant.get(url).json()["refuse_from"] == 100
    assert as_merchant.patch(f"{URL}settings/nowhere/", {}).status_code == 404
    assert as_merchant.delete(url).status_code == 204
    assert not FraudSettings.objects.exists()


def test_key_does_what_its_scopes_say(shop, merchant):
    FraudRuleFactory(store=shop.store)
    key = key_of(merchant, "fraud.view_fraudrule")
    assert key.get(f"{URL}rules/").status_code == 200
    assert key.post(f"{URL}rules/", {"store": "main", "kind": "allowed"}).status_code == 403
    assert key.get(f"{URL}assessments/").status_code == 403
    assert FraudRule.objects.count() == 1
