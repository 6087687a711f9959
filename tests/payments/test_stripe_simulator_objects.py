"""The Stripe simulator's other objects: disputes, customers, checkout, lists and key sets."""

from __future__ import annotations

import http.client
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
import stripe

from apps.payments.gateways.stripe.simulator import StripeError, StripeSimulator

CARD = {"amount": 1099, "currency": "usd", "payment_method_types": ["card"]}
PAID = {**CARD, "payment_method": "pm_card_visa", "confirm": True}


@pytest.fixture(scope="module")
def running() -> Iterator[StripeSimulator]:
    with StripeSimulator(settle_seconds=0.05) as simulator:
        yield simulator


@pytest.fixture
def sim(running: StripeSimulator) -> StripeSimulator:
    running.reset()
    return running


@pytest.fixture
def api(sim: StripeSimulator) -> Any:
    return stripe.StripeClient(
        sim.secret_key, base_addresses={"api": sim.url}, max_network_retries=0
    ).v1


def kinds(sim: StripeSimulator) -> list[str]:
    return [event["type"] for event in sim.events()]


def test_a_dispute_withdraws_and_a_won_one_reinstates(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create(PAID)
    dispute = sim.dispute(intent.id, "product_not_received")
    assert (dispute["amount"], dispute["status"]) == (1099, "needs_response")
    assert api.charges.retrieve(intent.latest_charge).disputed is True
    # The money and a fee of 15.00, which stays withdrawn.
    assert api.balance.retrieve().available[0].amount == -1500
    with pytest.raises(stripe.InvalidRequestError) as caught:
        api.refunds.create({"payment_intent": intent.id})
    assert caught.value.code == "charge_disputed"
    evidence = {"evidence": {"uncategorized_text": "winning_evidence"}}
    assert api.disputes.update(dispute["id"], evidence).status == "won"
    assert api.balance.retrieve().available[0].amount == 1099 - 1500
    assert kinds(sim)[-4:] == [
        "charge.dispute.funds_withdrawn",
        "charge.dispute.updated",
        "charge.dispute.closed",
        "charge.dispute.funds_reinstated",
    ]
    assert api.refunds.create({"payment_intent": intent.id}).amount == 1099


def test_a_dispute_given_up_is_lost(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create({**PAID, "payment_method": "pm_card_createDispute"})
    [dispute] = api.disputes.list({"payment_intent": intent.id}).data
    assert (dispute.reason, dispute.charge) == ("fraudulent", intent.latest_charge)
    assert api.disputes.close(dispute.id).status == "lost"
    with pytest.raises(StripeError):
        sim.close_dispute(dispute.id, "won")
    with pytest.raises(StripeError):
        sim.dispute(intent.id)
    assert sim.state()["disputes"] == {"lost": 1}


def test_a_partial_dispute_and_one_too_large(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create(PAID).id
    with pytest.raises(StripeError):
        sim.dispute(intent, amount=1100)
    assert sim.dispute(intent, amount=99)["amount"] == 99


def test_a_refund_that_fails_later_gives_the_money_back(api: Any, sim: StripeSimulator) -> None:
    sim.world.settle_seconds = 60.0
    try:
        failing = api.payment_intents.create({**PAID, "payment_method": "pm_card_refundFail"}).id
        refund = api.refunds.create({"payment_intent": failing})
        assert refund.status == "succeeded"
        assert sim.finish_refund(refund.id, "failed")["status"] == "failed"
        assert api.charges.list({"payment_intent": failing}).data[0].amount_refunded == 0
        assert sim.state()["refunded"] == {}
        slow = api.payment_intents.create({**PAID, "payment_method": "pm_card_pendingRefund"}).id
        pending = api.refunds.create({"payment_intent": slow})
        assert pending.status == "pending"
        assert sim.finish_refund(pending.id, "succeeded")["status"] == "succeeded"
        assert kinds(sim).count("refund.failed") == 1
    finally:
        sim.world.settle_seconds = 0.05


def test_a_bank_debit_is_processing_until_the_bank_answers(api: Any, sim: StripeSimulator) -> None:
    sim.world.settle_seconds = 60.0
    try:
        body = {**PAID, "allowed_payment_method_types": ["card", "us_bank_account"]}
        del body["payment_method_types"]
        body["payment_method"] = "pm_usBankAccount_success"
        outcomes = {}
        for outcome in ("succeeded", "failed"):
            intent = api.payment_intents.create(body)
            assert intent.status == "processing"
            outcomes[outcome] = sim.complete_action(intent.id, outcome)["status"]  # type: ignore[arg-type]
        assert outcomes == {"succeeded": "succeeded", "failed": "requires_payment_method"}
    finally:
        sim.world.settle_seconds = 0.05


def test_customers_and_their_saved_cards(api: Any, sim: StripeSimulator) -> None:
    customer = api.customers.create(
        {
            "email": "a@b.co",
            "metadata": {"x": "1", "7": "seven"},
            "shipping": {"name": "A", "address": {"country": "DE", "line1": "Weg 1"}},
        }
    )
    assert customer.metadata.to_dict() == {"x": "1", "7": "seven"}
    assert customer.shipping.address.country == "DE"
    changed = api.customers.update(customer.id, {"name": "B", "metadata": {"x": ""}})
    assert (changed.name, changed.metadata.to_dict()) == ("B", {"7": "seven"})
    saved = api.payment_methods.attach("pm_card_mastercard", {"customer": customer.id})
    assert (saved.card.brand, saved.customer) == ("mastercard", customer.id)
    assert [row.id for row in api.payment_methods.list({"customer": customer.id}).data] == [
        saved.id
    ]
    with pytest.raises(stripe.InvalidRequestError):
        api.payment_intents.create({**PAID, "payment_method": saved.id})
    owned = {**PAID, "payment_method": saved.id, "customer": customer.id}
    assert api.payment_intents.create(owned).status == "succeeded"
    assert api.payment_methods.detach(saved.id).customer is None
    with pytest.raises(stripe.InvalidRequestError):
        api.payment_intents.create({**PAID, "payment_method": saved.id})
    with pytest.raises(stripe.CardError):
        api.payment_methods.attach("pm_card_chargeDeclined", {"customer": customer.id})
    assert api.customers.delete(customer.id).deleted is True
    assert api.customers.retrieve(customer.id).deleted is True
    with pytest.raises(stripe.InvalidRequestError):
        api.customers.update(customer.id, {"name": "C"})


def test_a_card_that_attaches_but_does_not_pay(api: Any) -> None:
    customer = api.customers.create({"email": "a@b.co"}).id
    card = {"number": "4000000000000341", "exp_month": 1, "exp_year": 2034, "cvc": "1"}
    method = api.payment_methods.create({"type": "card", "card": card}).id
    api.payment_methods.attach(method, {"customer": customer})
    with pytest.raises(stripe.CardError):
        api.payment_intents.create({**PAID, "customer": customer, "payment_method": method})


def test_future_usage_saves_the_card(api: Any) -> None:
    customer = api.customers.create({"email": "a@b.co"}).id
    body = {**PAID, "customer": customer, "setup_future_usage": "off_session"}
    intent = api.payment_intents.create(body)
    assert [row.id for row in api.payment_methods.list({"customer": customer}).data] == [
        intent.payment_method
    ]


def test_a_setup_intent_saves_without_a_payment(api: Any, sim: StripeSimulator) -> None:
    customer = api.customers.create({"email": "a@b.co"}).id
    setup = api.setup_intents.create({"customer": customer})
    assert setup.status == "requires_payment_method"
    done = api.setup_intents.confirm(
        setup.id, {"payment_method": "pm_card_visa", "return_url": "https://x.test/"}
    )
    assert done.status == "succeeded"
    assert kinds(sim)[-2:] == ["payment_method.attached", "setup_intent.succeeded"]


def test_checkout_is_paid_on_the_simulators_page(api: Any, sim: StripeSimulator) -> None:
    price = {"currency": "eur", "unit_amount": 250, "product_data": {"name": "<b>Tea"}}
    session = api.checkout.sessions.create(
        {
            "mode": "payment",
            "line_items": [{"price_data": price, "quantity": 2}],
            "success_url": "https://shop.test/done?s={CHECKOUT_SESSION_ID}",
            "metadata": {"order": "9"},
        }
    )
    assert (session.amount_total, session.status, session.payment_status) == (500, "open", "unpaid")
    path = urlsplit(session.url).path
    _, _, page = _page(sim, "GET", path, {})
    assert ("&lt;b&gt;Tea" in page, "<b>Tea" in page) == (True, False)
    action = _page(sim, "POST", path, {"payment_method": "pm_card_threeDSecure2Required"})[1]
    _, back, _ = _page(sim, "POST", urlsplit(action or "").path, {"outcome": "failed"})
    assert urlsplit(back or "").path == path
    declined, _, _ = _page(sim, "POST", path, {"payment_method": "pm_card_chargeDeclined"})
    assert declined == 402
    status, location, _ = _page(sim, "POST", path, {"payment_method": "pm_card_visa"})
    assert (status, location) == (303, f"https://shop.test/done?s={session.id}")
    after = api.checkout.sessions.retrieve(session.id, {"expand": ["payment_intent", "line_items"]})
    assert (after.status, after.payment_status, after.payment_intent.amount_received) == (
        "complete",
        "paid",
        500,
    )
    assert after.line_items.data[0].quantity == 2
    assert kinds(sim)[-1] == "checkout.session.completed"
    with pytest.raises(stripe.InvalidRequestError):
        api.checkout.sessions.expire(session.id)


def test_an_open_checkout_expires(api: Any, sim: StripeSimulator) -> None:
    price = {"currency": "eur", "unit_amount": 250, "product_data": {"name": "Tea"}}
    session = api.checkout.sessions.create(
        {"mode": "payment", "line_items": [{"price_data": price, "quantity": 1}]}
    )
    assert api.checkout.sessions.expire(session.id).status == "expired"
    assert kinds(sim) == ["checkout.session.expired"]
    with pytest.raises(StripeError):
        sim.complete_checkout(session.id)


def test_lists_page_newest_first(api: Any) -> None:
    made = [api.payment_intents.create(CARD).id for _ in range(5)]
    first = api.payment_intents.list({"limit": 2})
    assert ([row.id for row in first.data], first.has_more) == ([made[4], made[3]], True)
    rest = api.payment_intents.list({"limit": 3, "starting_after": made[3]})
    assert ([row.id for row in rest.data], rest.has_more) == ([made[2], made[1], made[0]], False)
    back = api.payment_intents.list({"limit": 2, "ending_before": made[1]})
    assert [row.id for row in back.data] == [made[3], made[2]]
    assert [row.id for row in api.payment_intents.list().auto_paging_iter()] == made[::-1]
    assert api.payment_intents.list({"created": {"gt": 4_000_000_000}}).data == []


def test_retired_parameters_are_refused_on_demand() -> None:
    with StripeSimulator(refuse_retired=True) as simulator:
        api = stripe.StripeClient(simulator.secret_key, base_addresses={"api": simulator.url}).v1
        with pytest.raises(stripe.InvalidRequestError) as caught:
            api.payment_intents.create(CARD)
        assert caught.value.code == "payment_method_types_no_longer_supported"
        body = {"amount": 1, "currency": "usd", "allowed_payment_method_types": ["card", "oxxo"]}
        assert api.payment_intents.create(body).payment_method_types == ["card"]


# Keys only expansion adds, or that are newer than the published samples.
EXTRA = {
    "payment_intent": {"allowed_payment_method_types"},
    "setup_intent": {"allowed_payment_method_types"},
    "checkout.session": {"allowed_payment_method_types"},
}
ONLY_EXPANDED = {"charge": {"refunds"}}


def test_objects_have_the_keys_of_stripes_samples(api: Any, sim: StripeSimulator) -> None:
    samples = _samples()
    customer = api.customers.create({"email": "a@b.co"}).id
    intent = api.payment_intents.create(PAID)
    api.refunds.create({"payment_intent": intent.id, "amount": 1})
    sim.dispute(intent.id)
    sim.pay_out()
    api.setup_intents.create({"customer": customer})
    price = {"currency": "eur", "unit_amount": 250, "product_data": {"name": "Tea"}}
    api.checkout.sessions.create({"mode": "payment", "line_items": [{"price_data": price}]})
    endpoint = api.webhook_endpoints.create({"url": "http://127.0.0.1:9/", "enabled_events": ["x"]})
    different = {}
    for kind, rows in sim.world.store.tables.items():
        ours = set(next(iter(rows.values())))
        expected = set(samples[kind]) - ONLY_EXPANDED.get(kind, set())
        if ours - EXTRA.get(kind, set()) != expected:
            different[kind] = sorted(ours ^ expected)
    sim.remove_webhook(endpoint.id)
    assert different == {}


def _samples() -> dict[str, dict[str, Any]]:
    root = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("COMMERCE_SHARED", root.parent / "shared"))
    files = sorted((shared / "specs" / "stripe").glob("fixtures3_*.json"))
    if not files:
        pytest.skip("Stripe's sample objects are not here (set COMMERCE_SHARED)")
    resources: dict[str, dict[str, Any]] = json.loads(files[-1].read_text())["resources"]
    return resources


def _page(
    sim: StripeSimulator, method: str, path: str, fields: dict[str, str]
) -> tuple[int, str | None, str]:
    parts = urlsplit(sim.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request(method, path, urlencode(fields), headers)
    response = connection.getresponse()
    body = response.read().decode()
    connection.close()
    return response.status, response.getheader("Location"), body
