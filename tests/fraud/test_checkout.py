"""Checkouts that are let through, held until somebody looked, or refused."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone

from apps.checkout.models import Cart
from apps.checkout.services import combine_orders
from apps.core import outbox
from apps.fraud import services
from apps.fraud.models import Assessment, FraudRule, FraudSettings
from apps.fraud.selectors import RuleReport, rule_report
from apps.fraud.services import judging
from apps.fulfillment.services import (
    NothingToPick,
    buy_labels,
    fulfill,
    make_pick_list,
    plan_open,
    plan_whole,
)
from apps.orders.models import Order
from apps.orders.services import NotCombinable, OrderOnHold, cancel, hold_order, release_order
from apps.payments.services import capture_order
from tests.backoffice.conftest import Staff
from tests.flows.conftest import Buyer, buyer, shop, simulator
from tests.invoices.conftest import invoicing

__all__ = ["buyer", "shop", "simulator"]
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


def placed(buyer, *lines, gateway="manual", method=""):
    """An order, nothing of it delivered."""
    buyer.fill(*(lines or (("BOOK", 1),)))
    buyer.checkout(gateway, method=method)
    return Order.objects.latest("pk")


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
    services.join_order(order_id=str(order.public_id))
    fulfill(order=order)
    row.refresh_from_db()
    assert (row.decision, row.decided_by) == ("released", "system")
    with pytest.raises(services.AlreadyDecided):
        services.call_fraud(assessment=row)


def test_a_rule_that_is_deleted_meanwhile_keeps_nobody_from_buying(buyer, shop, monkeypatch):
    hit = rule(shop, "amount", amount=1000)
    seen = judging.hits_of

    def hits_of(*facts):
        found = seen(*facts)
        services.delete_rule(rule=FraudRule.objects.get(pk=hit.pk))
        return found

    monkeypatch.setattr(judging, "hits_of", hits_of)
    order = order_of(buyer)
    assert order.on_hold is True
    hits = Assessment.objects.get().hits.select_related("rule")
    assert [(row.rule, row.reason) for row in hits] == [(None, "24.95 EUR")]


def test_nothing_is_done_with_a_suspicious_order_before_any_event_is_delivered(api, shop):
    invoicing(shop.store, issue_on="confirmed")
    harmless = placed(Buyer(api))
    rule(shop, "amount", amount=3000)
    order = placed(Buyer(api), ("BOOK", 2))
    assert (order.status, order.on_hold) == ("confirmed", True)
    assert list(Order.objects.held()) == [order]
    assert [row.order for row in Assessment.objects.waiting()] == [order]
    with pytest.raises(NotCombinable) as refused:
        combine_orders(order=harmless, other=order)
    assert refused.value.extra == {"reason": "on_hold"}
    with pytest.raises(OrderOnHold):
        capture_order(order=order)
    with pytest.raises(OrderOnHold):
        plan_whole(order=order)
    plan_open(location=shop.near)
    assert not order.fulfillments.exists()
    outbox.drain()
    assert not order.invoices.exists()
    assert order.timeline.filter(kind="held").count() == 1
    services.release(assessment=Assessment.objects.get(order=order))
    assert [payment.status for payment in capture_order(order=order)] == ["captured"]
    outbox.drain()
    assert order.invoices.count() == 1


def test_a_label_isnt_bought_for_what_was_set_aside_before(buyer, shop):
    rule(shop, "amount", amount=1000)
    order = placed(buyer)
    release_order(order=order)
    [planned] = plan_whole(order=order)
    hold_order(order=order)
    with pytest.raises(OrderOnHold):
        buy_labels(shipment=planned, carrier="shipstation", service="usps")
    with pytest.raises(NothingToPick):
        make_pick_list(location=shop.near)


def test_an_unpaid_order_is_held_and_waits_for_nobody(buyer, shop, simulator):
    rule(shop, "amount", amount=1000)
    order = placed(buyer, gateway="stripe", method="pm_card_chargeDeclined")
    assert (order.status, order.on_hold) == ("pending", True)
    assert not Assessment.objects.waiting().exists()
    assert not Order.objects.held().exists()
    cancel(order=order)
    outbox.drain()
    # The same cart is judged again: this time nothing is wrong with it.
    FraudRule.objects.all().delete()
    assert buyer.checkout().status_code == 201
    again = Order.objects.exclude(pk=order.pk).get()
    outbox.drain()
    row = Assessment.objects.get()
    assert (again.on_hold, row.verdict, row.order) == (False, "allow", again)


def test_whose_judgement_wrote_the_order_counts(buyer, shop):
    """Two requests for one cart, each with an engine's answer of its own."""
    found = rule(shop, "amount", amount=1000)
    buyer.fill(("BOOK", 1))
    cart = Cart.objects.get()
    suspicious = services.check_cart(cart)
    FraudRule.objects.filter(pk=found.pk).update(is_active=False)
    assert services.check_cart(cart) is None
    assert buyer.checkout().status_code == 201
    order = Order.objects.get()
    with transaction.atomic():
        suspicious(order)
    # The slower one comes when the order is written.
    assert services.check_cart(cart) is None
    outbox.drain()
    row = Assessment.objects.get()
    assert (row.verdict, row.score, row.order.on_hold, row.hits.count()) == ("review", 60, True, 1)


def test_fraud_is_cancelled_and_its_money_goes_back(buyer, shop, simulator):
    rule(shop, "amount", amount=1000)
    order = placed(buyer, gateway="stripe", method="pm_card_visa")
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
        RuleReport("amount", str(suspicious.public_id), 3, 0, 1, 1),
        RuleReport("blocked", str(blocked.public_id), 1, 1, 0, 0),
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
