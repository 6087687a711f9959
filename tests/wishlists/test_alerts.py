"""Told once: back in stock, or cheaper. Guests confirm their mailbox first."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.core import mail
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.models import OutboxMessage
from apps.core.outbox import replay
from apps.inventory.events import StockChanged
from apps.inventory.services import Want, hold
from apps.inventory.services.stock import receive
from apps.notifications.models import Notification
from apps.pricing.services.prices import set_price
from apps.products.models import Product
from apps.products.services.product import set_status
from apps.wishlists.models import Alert
from apps.wishlists.receivers import tell_back_in_stock
from apps.wishlists.services import telling
from apps.wishlists.services.alerts import prune_alerts
from apps.wishlists.services.telling import tell_due
from tests.factories.customers import CustomerFactory
from tests.factories.promotions import PromotionFactory
from tests.factories.stores import StoreFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
MINE, GUESTS = "/api/v1/me/alerts/", "/api/v1/alerts/"


@pytest.fixture
def mug(sell):
    """Sold out, 12.00."""
    return sell(1200, slug="mug", name="Mug")


@pytest.fixture
def variant(mug):
    return mug.variants.get()


@pytest.fixture
def stock(variant):
    return {"kind": "stock", "sku": variant.sku}


@pytest.fixture
def price(variant):
    return {"kind": "price", "sku": variant.sku}


@pytest.fixture
def told():
    """The kinds of the mails that are in the log, in their order, but for questions."""

    def kinds():
        sent = Notification.objects.filter(kind__startswith="alerts/").exclude(
            kind="alerts/confirm"
        )
        return list(sent.order_by("pk").values_list("kind", "recipient"))

    return kinds


def waiting(variant, store, number, **values):
    return [
        Alert.objects.create(
            kind="stock",
            status="waiting",
            store=store,
            variant=variant,
            email=f"{n}@example.com",
            currency="EUR",
            **values,
        )
        for n in range(number)
    ]


def test_customer_is_told_once_when_it_is_back(
    as_shopper, shopper, stock, variant, location, drain, told
):
    answer = as_shopper.post(MINE, stock)
    assert (answer.status_code, answer.json()["status"]) == (201, "waiting")
    drain()
    assert told() == []
    receive(variant=variant, location=location, quantity=2)
    drain()
    receive(variant=variant, location=location, quantity=2)
    drain()
    assert told() == [("alerts/back_in_stock", shopper.customer.email)]
    (alert,) = as_shopper.get(MINE).json()["results"]
    assert alert["status"] == "told"
    body = mail.outbox[-1].body
    assert f"/products/mug/?variant={variant.sku}" in body
    assert "€12.00" in body


def test_events_that_come_twice_or_late_tell_once(
    as_shopper, stock, variant, mug, location, drain, told, store
):
    as_shopper.post(MINE, stock)
    event = StockChanged(product_ids=[str(mug.public_id)])
    # Before the stock is there: an event says only when to look.
    tell_back_in_stock(event)
    assert told() == []
    receive(variant=variant, location=location, quantity=1)
    for _again in range(2):
        tell_back_in_stock(event)
        drain()
        replay(list(OutboxMessage.objects.values_list("pk", flat=True)))
    drain()
    assert len(told()) == 1
    # And sold again before the event of its arrival came: nobody is told.
    Alert.objects.all().delete()
    hold(reference="order:1", store_id=store.pk, wants=[Want(variant.pk, 1)])
    as_shopper.post(MINE, stock)
    tell_back_in_stock(event)
    assert len(told()) == 1


@pytest.mark.race
def test_crowd_of_receivers_tells_once(sell, store, location, at_once, told):
    product = sell(1200)
    variant = product.variants.get()
    waiting(variant, store, 8)
    receive(variant=variant, location=location, quantity=1)
    event = StockChanged(product_ids=[str(product.public_id)])
    assert at_once(6, lambda _n: tell_back_in_stock(event)) == [None] * 6
    assert sorted(email for _kind, email in told()) == [f"{n}@example.com" for n in range(8)]


def test_everybody_is_told_the_longest_waiting_first(
    variant, store, location, told, monkeypatch, drain
):
    waiting(variant, store, 7)
    drain()
    receive(variant=variant, location=location, quantity=1)
    monkeypatch.setattr(telling, "BATCH", 2)
    monkeypatch.setattr(telling, "MOST_BY_EVENT", 4)
    drain()
    assert [email for _kind, email in told()] == [f"{n}@example.com" for n in range(4)]
    # The clock brings the rest.
    assert tell_due() == 3
    assert [email for _kind, email in told()] == [f"{n}@example.com" for n in range(7)]


@pytest.mark.parametrize("n", [1, 5])
def test_looking_costs_the_same_for_many_variants(
    sell, store, n, django_assert_num_queries, location
):
    for _number in range(n):
        waiting(sell(100).variants.get(), store, 1)
    with django_assert_num_queries(11):
        assert tell_due() == 0


def test_what_isnt_sold_or_is_elsewhere_is_told_to_nobody(
    variant, mug, store, location, drain, told
):
    waiting(variant, StoreFactory(), 1)
    waiting(variant, store, 1)
    set_status(products=[mug], status=Product.Status.DRAFT)
    receive(variant=variant, location=location, quantity=1)
    drain()
    assert told() == []
    set_status(products=[mug], status=Product.Status.ACTIVE)
    assert tell_due() == 1


def test_guest_confirms_the_mailbox_first(api, stock, variant, location, drain, told):
    answer = api.post(GUESTS, {**stock, "email": "Ana@Example.com"})
    assert answer.status_code == 202
    drain()
    (question,) = mail.outbox
    assert question.to == ["ana@example.com"]
    receive(variant=variant, location=location, quantity=1)
    drain()
    assert told() == []
    token = re.search(r"/alerts/(\S+)/", question.body).group(1)
    assert api.get(f"{GUESTS}{token}/").json()["status"] == "pending"
    for _twice in range(2):
        assert api.post(f"{GUESTS}{token}/confirm/").json()["status"] == "waiting"
    assert tell_due() == 1
    assert told() == [("alerts/back_in_stock", "ana@example.com")]
    assert api.delete(f"{GUESTS}{token}/").status_code == 204
    assert api.get(f"{GUESTS}{token}/").status_code == 404
    assert api.post(f"{GUESTS}{token}/confirm/").status_code == 404


def test_answer_is_the_same_for_every_mailbox(api, as_shopper, shopper, stock, drain):
    as_shopper.post(MINE, stock)
    answers = [
        api.post(GUESTS, {**stock, "email": email})
        for email in (shopper.customer.email, "new@example.com", "new@example.com")
    ]
    assert {(a.status_code, a.content) for a in answers} == {(202, answers[0].content)}
    drain()
    # The customer waits already, and the other one was asked today.
    assert [message.to for message in mail.outbox] == [["new@example.com"]]


def test_questions_to_a_mailbox_are_limited(api, stock):
    codes = [
        api.post(GUESTS, {**stock, "email": f"ana+{n}@example.com"}).status_code for n in range(6)
    ]
    assert codes == [202] * 5 + [429]


@pytest.mark.parametrize("token", ["x", "x:y", "01900000-0000-7000-8000-000000000000:AAAA"])
def test_invented_token_opens_nothing(api, store, token):
    assert api.get(f"{GUESTS}{token}/").status_code == 404
    assert api.delete(f"{GUESTS}{token}/").status_code == 404


def test_what_is_in_stock_needs_no_alert(as_shopper, api, sell):
    sku = sell(100, stock=1).variants.get().sku
    answer = as_shopper.post(MINE, {"kind": "stock", "sku": sku})
    assert (answer.status_code, answer.json()["code"]) == (409, "already_in_stock")
    unknown = as_shopper.post(MINE, {"kind": "stock", "sku": "NOTHING"})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_sku")


def test_alerts_are_ones_own(as_shopper, as_stranger, stock):
    alert = as_shopper.post(MINE, stock).json()
    assert as_stranger.get(MINE).json()["results"] == []
    assert as_stranger.delete(f"{MINE}{alert['id']}/").status_code == 404
    assert as_shopper.delete(f"{MINE}{alert['id']}/").status_code == 204
    assert not Alert.objects.exists()


def test_alerts_of_a_customer_are_limited(as_shopper, stock, price, monkeypatch):
    monkeypatch.setattr("apps.wishlists.services.alerts.MAX_ALERTS", 1)
    assert as_shopper.post(MINE, stock).status_code == 201
    full = as_shopper.post(MINE, price)
    assert (full.status_code, full.json()["code"]) == (400, "too_many_alerts")


def test_lower_price_is_told_once(as_shopper, shopper, price, variant, drain, told):
    alert = as_shopper.post(MINE, price).json()
    assert (alert["seen_price"]["amount"], alert["threshold"]["amount"]) == ("12.00", "11.99")
    for amount, sent in ((1300, 0), (1200, 0), (1100, 1), (900, 1)):
        set_price(variant=variant, currency="EUR", amount=amount)
        drain()
        assert len(told()) == sent
    assert told() == [("alerts/cheaper", shopper.customer.email)]
    assert "€11.00" in mail.outbox[-1].subject
    assert "€12.00" in mail.outbox[-1].body


def test_target_price_is_waited_for(as_shopper, price, variant, drain, told):
    def ask(amount, currency="EUR"):
        money = {"amount": amount, "currency": currency}
        answer = as_shopper.post(MINE, {**price, "target_price": money})
        return answer.status_code, answer.json().get("code")

    assert ask("12.00") == (400, "target_not_lower")
    assert ask("5.00", "USD") == (400, "unknown_currency")
    assert ask("10.00") == (201, None)
    # Asked again, it is the one alert.
    assert ask("9.00") == (201, None)
    assert Alert.objects.get().threshold == 900
    set_price(variant=variant, currency="EUR", amount=901)
    drain()
    assert told() == []
    set_price(variant=variant, currency="EUR", amount=900)
    drain()
    assert len(told()) == 1


def test_promotion_of_the_catalogue_is_a_lower_price(as_shopper, price, told):
    as_shopper.post(MINE, price)
    PromotionFactory(
        effect={"type": "percentage", "percent": "10", "of": "items"}, is_catalogue=True
    )
    assert tell_due() == 1
    assert len(told()) == 1


def test_alert_can_be_asked_for_again_when_it_was_told(as_shopper, price, variant, drain, told):
    for amount in (1100, 1000):
        assert as_shopper.post(MINE, price).status_code == 201
        set_price(variant=variant, currency="EUR", amount=amount)
        drain()
    assert len(told()) == 2
    assert Alert.objects.count() == 1


def test_addresses_are_forgotten(variant, store):
    waiting(variant, store, 1)
    now = timezone.now()
    for email, status, days, told_at in (
        ("a", "pending", 8, None),
        ("b", "pending", 6, None),
        ("c", "waiting", 400, None),
    ):
        alert = Alert.objects.create(
            kind="stock",
            status=status,
            store=store,
            variant=variant,
            email=f"{email}@example.com",
            currency="EUR",
            told_at=told_at,
        )
        Alert.objects.filter(pk=alert.pk).update(updated_at=now - timedelta(days=days))
    assert prune_alerts() == 1
    assert not Alert.objects.filter(email="a@example.com").exists()


def test_database_refuses_an_alert_twice_or_of_no_kind(variant, store):
    (one,) = waiting(variant, store, 1)
    for bad in ({}, {"kind": "price"}, {"email": "z@example.com", "threshold": 5}):
        with pytest.raises(IntegrityError), transaction.atomic():
            Alert.objects.create(
                **{
                    "kind": "stock",
                    "store": store,
                    "variant": variant,
                    "email": one.email,
                    "currency": "EUR",
                    **bad,
                }
            )


def test_merchants_see_what_is_wanted(
    as_merchant, as_shopper, client, merchant, sell, store, django_assert_max_num_queries
):
    few, many = sell(100, slug="few"), sell(100, slug="many")
    waiting(few.variants.get(), store, 1)
    waiting(many.variants.get(), store, 3, customer=CustomerFactory())
    sku = few.variants.get().sku
    assert as_shopper.post(MINE, {"kind": "price", "sku": sku}).status_code == 201
    found = as_merchant.get("/api/v1/admin/stock-alerts/").json()["results"]
    assert [(row["slug"], row["waiting"], row["cheaper"]) for row in found] == [
        ("many", 3, 0),
        ("few", 1, 1),
    ]
    client.force_login(merchant)
    with django_assert_max_num_queries(12):
        page = client.get("/admin/wishlists/wantedvariant/")
    assert [row.product.slug for row in page.context["cl"].result_list] == ["many", "few"]
    assert client.get("/admin/wishlists/alert/").status_code == 200
