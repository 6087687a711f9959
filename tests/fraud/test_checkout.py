"""Checkouts that are let through, held until somebody looked, or refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from apps.core import outbox
from apps.fraud import services
from apps.fraud.models import Assessment, FraudRule, FraudSettings
from apps.fraud.selectors import RuleReport, rule_report
from apps.fraud.services import judging
from apps.fulfillment.services import fulfill
from apps.orders.models import Order
from apps.orders.services import OrderOnHold, hold_order, release_order
from apps.payments.services import capture
from tests.backoffice.conftest import Staff
from tests.flows.conftest import Buyer, buyer, shop

__all__ = ["buyer", "shop"]
pytestmark = pytest.mark.usefixtures("invariants")


@pytest.fixture(autouse=True)
def known(shop):
    return FraudSettings.objects.create(store=shop.store)


@pytest.fixture
def staff(merchant):
    browser = Staff()
    browser.force_login(merchant)
    return browser


def rule(shop, kind, points=60, **values):
    return FraudRule.objects.create(store=shop.store, kind=kind, points=points, **values)


def order_of(buyer, *lines, **changes):
    """An order, its events delivered; or the refusal."""
    buyer.fill(*(lines or (("BOOK", 1),)), **changes)
    answer = buyer.checkout()
    outbox.drain()
    if answer.status_code != 201:
        return answer
    return Order.objects.get(number=answer.json()["order"]["number"])


def test_store_without_settings_judges_nobody(buyer, shop, known):
    rule(shop, "amount", amount=1)
    known.delete()
    assert order_of(buyer).on_hold is False
    assert Assessment.objects.count() == 0


def test_harmless_checkout_is_let_through_and_kept(buyer, shop):
    rule(shop, "amount", amount=100_000)
    order = order_of(buyer)
    row = Assessment.objects.get()
    assert (row.verdict, row.score, row.order, row.total) == ("allow", 0, order, order.total)
    assert order.on_hold is False


def test_suspicious_order_is_held_until_it_is_released(buyer, shop):
    rule(shop, "amount", amount=1000)
    order = order_of(buyer)
    assert order.on_hold is True
    assert list(Order.objects.to_ship()) == []
    assert list(Order.objects.held()) == [order]
    with pytest.raises(OrderOnHold):
        fulfill(order=order)
    row = Assessment.objects.get()
    assert order.timeline.get(kind="held").is_public is False
    services.release(assessment=row)
    order.refresh_from_db()
    assert order.on_hold is False
    # Told again, it isn't held again.
    services.hold_suspicious(order_id=str(order.public_id))
    fulfill(order=order)
    row.refresh_from_db()
    assert (row.decision, row.decided_by) == ("released", "system")
    with pytest.raises(services.AlreadyDecided):
        services.call_fraud(assessment=row)


def test_fraud_is_cancelled_and_its_money_goes_back(buyer, shop):
    rule(shop, "amount", amount=1000)
    order = order_of(buyer)
    capture(payment=order.payments.get())
    services.call_fraud(assessment=Assessment.objects.get())
    outbox.drain()
    order.refresh_from_db()
    assert (order.status, order.payment_status, order.on_hold) == ("cancelled", "refunded", False)


def test_refused_checkout_learns_nothing_of_why(buyer, shop):
    rule(shop, "blocked", values=["ana@example.com"])
    answer = order_of(buyer)
    assert (answer.status_code, answer.json()["code"]) == (409, "checkout_refused")
    assert answer.json()["detail"] == "We can't take this order. Please get in touch with us."
    assert "blocked" not in str(answer.json())
    assert Order.objects.count() == 0
    row = Assessment.objects.get()
    assert (row.verdict, row.order, row.hits.get().reason) == ("refuse", None, "ana@example.com")


def test_fourth_checkout_of_a_mailbox_is_held_however_it_is_spelled(api, shop):
    rule(shop, "mail_velocity", times=4, hours=1)
    rule(shop, "ip_velocity", times=100, hours=1)
    held = [
        order_of(Buyer(api), email=email).on_hold
        for email in ("a.b@gmail.com", "ab+1@gmail.com", "AB@gmail.com", "ab+2@googlemail.com")
    ]
    assert held == [False, False, False, True]


def test_a_cart_that_is_tried_again_is_one_checkout(buyer, shop):
    rule(shop, "mail_velocity", times=2, hours=1)
    buyer.fill(("BOOK", 1))
    wrong = {"amount": "1.00", "currency": "EUR"}
    for _time in range(3):
        assert buyer.checkout(expected_total=wrong).status_code == 409
    assert buyer.checkout().status_code == 201
    row = Assessment.objects.get()
    assert (row.verdict, row.hits.count()) == ("allow", 0)


@pytest.mark.django_db(transaction=True)
def test_engine_is_asked_and_its_silence_is_a_review(api, shop, settings, monkeypatch):
    settings.FRAUD_ENGINES = {"obedient": "tests.fraud.engine.ObedientEngine"}
    monkeypatch.setattr(judging, "PATIENCE", 0.2)
    FraudSettings.objects.update(engine="obedient")
    said = {}
    for email in ("points-10", "points-60", "points-160", "fails", "sleeps"):
        order_of(Buyer(api), email=f"{email}@example.com")
        row = Assessment.objects.latest("pk")
        said[email] = (row.verdict, row.hits.get().reason)
    assert said == {
        "points-10": ("allow", "said so"),
        "points-60": ("review", "said so"),
        "points-160": ("refuse", "said so"),
        "fails": ("review", "no answer"),
        "sleeps": ("review", "no answer"),
    }


def test_engine_that_is_gone_means_a_review(buyer, shop, settings):
    settings.FRAUD_ENGINES = {}
    FraudSettings.objects.update(engine="gone")
    assert order_of(buyer).on_hold is True


def test_rules_are_told_by_what_became_of_them(api, shop):
    suspicious = rule(shop, "amount", amount=3000)
    blocked = rule(shop, "blocked", values=["bad@example.com"])
    for email in ("one@example.com", "two@example.com", "three@example.com"):
        order_of(Buyer(api), ("BOOK", 2), email=email)
    order_of(Buyer(api), email="bad@example.com")
    first, second, _third = Assessment.objects.filter(verdict="review").order_by("pk")
    services.release(assessment=first)
    services.call_fraud(assessment=second)
    assert rule_report(since=first.created_at) == [
        RuleReport("amount", str(suspicious.pk), 3, 0, 1, 1),
        RuleReport("blocked", str(blocked.pk), 1, 1, 0, 0),
    ]


def test_queue_in_the_back_office(buyer, shop, staff):
    rule(shop, "amount", amount=1000)
    order = order_of(buyer)
    row = Assessment.objects.get()
    page = staff.get("/admin/fraud/assessment/", {"todo": "review"})
    assert [found.pk for found in page.context["cl"].result_list] == [row.pk]
    assert "A total of at least" in page.content.decode()
    assert "on hold" in staff.page(order)
    staff.do(row, "release")
    order.refresh_from_db()
    assert order.on_hold is False
    page = staff.get("/admin/fraud/assessment/", {"todo": "review"})
    assert page.context["cl"].result_count == 0
    form = {
        "store": shop.store.pk,
        "is_active": "on",
        "kind": "country",
        "points": "20",
        "times": "3",
        "hours": "24",
        "amount": "0",
        "currency": "EUR",
        "values": "es\n fr \n",
    }
    assert staff.post("/admin/fraud/fraudrule/add/", form).status_code == 302
    assert FraudRule.objects.latest("pk").values == ["ES", "FR"]


def test_holding_twice_and_what_cannot_be_held(buyer, shop):
    order = order_of(buyer)
    for _time in range(2):
        assert hold_order(order=order, reason="A question").on_hold is True
    for _time in range(2):
        assert release_order(order=order).on_hold is False
    assert order.timeline.filter(kind__in=("held", "released")).count() == 2
    fulfill(order=order)
    assert hold_order(order=order).on_hold is False


def test_harmless_checkouts_are_forgotten(api, shop):
    rule(shop, "amount", amount=3000)
    order_of(Buyer(api))
    suspicious = order_of(Buyer(api), ("BOOK", 2))
    now = timezone.now()
    assert services.forget_old(now=now + timedelta(days=89)) == 0
    assert services.forget_old(now=now + timedelta(days=91)) == 1
    assert Assessment.objects.get().order == suspicious
