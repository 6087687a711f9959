"""The Stripe simulator, asked by the official SDK over real HTTP: objects, money and refusals."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import stripe

from apps.payments.gateways.stripe.simulator import StripeSimulator

CARD = {"amount": 1099, "currency": "usd", "payment_method_types": ["card"]}
PAID = {**CARD, "payment_method": "pm_card_visa", "confirm": True}
REQUEST_OPTIONS = {
    "api_key",
    "content_type",
    "headers",
    "idempotency_key",
    "max_network_retries",
    "stripe_account",
    "stripe_context",
    "stripe_version",
}


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
    return client(sim).v1


def client(sim: StripeSimulator, retries: int = 0) -> stripe.StripeClient:
    return stripe.StripeClient(
        sim.secret_key, base_addresses={"api": sim.url}, max_network_retries=retries
    )


def raw(
    sim: StripeSimulator, method: str, path: str, fields: dict[str, str], key: str | None = None
) -> tuple[int, dict[str, str], str]:
    parts = urlsplit(sim.url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=5)
    headers = {"Content-Type": "application/x-www-form-urlencoded"}
    if key:
        headers["Authorization"] = f"Bearer {key}"
    connection.request(method, path, urlencode(fields), headers)
    response = connection.getresponse()
    found = {name.lower(): value for name, value in response.getheaders()}
    body = response.read().decode()
    connection.close()
    return response.status, found, body


def refusal(act: Callable[[], Any]) -> tuple[int | None, str | None, str | None]:
    """Status, code and parameter of the error an action ends with."""
    with pytest.raises(stripe.StripeError) as caught:
        act()
    return caught.value.http_status, caught.value.code, getattr(caught.value, "param", None)


def test_a_key_is_needed_and_must_be_a_test_key(sim: StripeSimulator) -> None:
    assert raw(sim, "GET", "/v1/balance", {})[0] == 401
    assert raw(sim, "GET", "/v1/balance", {}, "sk_live_1234567890")[0] == 401
    assert raw(sim, "GET", "/v1/balance", {}, "sk_test_any")[0] == 200
    status, headers, body = raw(sim, "GET", "/v1/balance", {}, "pk_test_any")
    assert (status, json.loads(body)["error"]["code"]) == (401, "secret_key_required")
    assert headers["request-id"].startswith("req_")


def test_accepted_keys_narrow_the_keys() -> None:
    with StripeSimulator(accepted_keys=["sk_test_ours"]) as simulator:
        assert raw(simulator, "GET", "/v1/balance", {}, "sk_test_ours")[0] == 200
        assert raw(simulator, "GET", "/v1/balance", {}, "sk_test_other")[0] == 401


@pytest.mark.parametrize("path", ["/v1/prices", "/v1/accounts", "/v1/payment_intents/search"])
def test_unsupported_paths_are_unrecognized(sim: StripeSimulator, path: str) -> None:
    status, _, body = raw(sim, "GET", path, {}, sim.secret_key)
    assert status == 404
    assert "Unrecognized request URL" in json.loads(body)["error"]["message"]


def test_a_payment_is_charged_once_and_shows_its_charge(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create({**PAID, "metadata": {"order": "1001"}})
    assert (intent.status, intent.amount_received, intent.amount_capturable) == (
        "succeeded",
        1099,
        0,
    )
    assert intent.metadata.to_dict() == {"order": "1001"}
    assert intent.latest_charge.startswith("ch_")
    expanded = api.payment_intents.retrieve(
        intent.id, {"expand": ["latest_charge.balance_transaction"]}
    )
    assert (expanded.latest_charge.captured, expanded.latest_charge.amount_captured) == (True, 1099)
    assert expanded.latest_charge.balance_transaction.net == 1099
    assert sim.state()["captured"] == {"usd": 1099}
    assert [entry.amount for entry in api.balance.retrieve().available] == [1099]


def test_payment_methods_of_the_dashboard_want_a_return_url(api: Any) -> None:
    body = {"amount": 500, "currency": "eur", "payment_method": "pm_card_visa", "confirm": True}
    assert refusal(lambda: api.payment_intents.create(body)) == (400, None, "return_url")
    allowed = {"automatic_payment_methods": {"enabled": True, "allow_redirects": "never"}}
    assert api.payment_intents.create({**body, **allowed}).status == "succeeded"
    assert api.payment_intents.create({**body, "return_url": "https://x.test/"}).amount == 500


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"amount": -5}, (400, "parameter_invalid_integer", "amount")),
        ({"amount": 0}, (400, "parameter_invalid_integer", "amount")),
        ({"amount": "1.5"}, (400, "parameter_invalid_integer", "amount")),
        ({"amount": 100_000_000}, (400, "amount_too_large", "amount")),
        ({"currency": "zzz"}, (400, None, "currency")),
        ({"currency": "kwd", "amount": 1234}, (400, None, "amount")),
        ({"currency": ""}, (400, "parameter_missing", "currency")),
        ({"customer": "cus_none"}, (400, "resource_missing", "customer")),
        ({"payment_method": "pm_none"}, (400, "resource_missing", "payment_method")),
        ({"receipt_email": "nobody"}, (400, "email_invalid", "receipt_email")),
        ({"capture_method": "later"}, (400, None, "capture_method")),
        ({"colour": "red"}, (400, "parameter_unknown", "colour")),
    ],
)
def test_invalid_parameters_create_nothing(
    api: Any, sim: StripeSimulator, change: dict[str, Any], expected: tuple[Any, ...]
) -> None:
    assert refusal(lambda: api.payment_intents.create({**CARD, **change})) == expected
    assert sim.state()["payment_intents"] == {}


def test_unknown_parameters_are_refused_everywhere(api: Any) -> None:
    intents, held = api.payment_intents, api.payment_intents.create(CARD).id
    unknown = (400, "parameter_unknown", "colour")
    for act in (intents.confirm, intents.capture, intents.cancel, intents.update):
        assert refusal(lambda act=act: act(held, {"colour": "red"})) == unknown
    assert refusal(lambda: api.refunds.create({"payment_intent": held, "colour": "r"})) == unknown


def test_every_parameter_the_sdk_documents_has_a_known_name() -> None:
    from apps.payments.gateways.stripe.simulator import payment_intent_params as ours
    from apps.payments.gateways.stripe.simulator import refunds

    for documented, known in (
        (stripe.params.PaymentIntentCreateParams, set(ours.CREATE)),
        (stripe.params.PaymentIntentUpdateParams, set(ours.UPDATE)),
        (stripe.params.PaymentIntentConfirmParams, set(ours.CONFIRM)),
        (stripe.params.PaymentIntentCaptureParams, set(ours.CAPTURE)),
        (stripe.params.RefundCreateParams, set(refunds.CREATE)),
    ):
        assert set(documented.__annotations__) - REQUEST_OPTIONS - known == set()


@pytest.mark.parametrize(
    ("name", "number", "code", "decline_code"),
    [
        ("pm_card_chargeDeclined", "4000000000000002", "card_declined", "generic_decline"),
        ("InsufficientFunds", "4000000000009995", "card_declined", "insufficient_funds"),
        ("LostCard", "4000000000009987", "card_declined", "lost_card"),
        ("StolenCard", "4000000000009979", "card_declined", "stolen_card"),
        ("ExpiredCard", "4000000000000069", "expired_card", "expired_card"),
        ("IncorrectCvc", "4000000000000127", "incorrect_cvc", "incorrect_cvc"),
        ("ProcessingError", "4000000000000119", "processing_error", "processing_error"),
    ],
)
def test_declines(api: Any, name: str, number: str, code: str, decline_code: str) -> None:
    full = name if name.startswith("pm_") else f"pm_card_chargeDeclined{name}"
    branded = full.replace("pm_card_", "pm_card_visa_")
    card = {"number": number, "exp_month": 12, "exp_year": 2034, "cvc": "123"}
    typed = api.payment_methods.create({"type": "card", "card": card}).id
    for method in (full, branded, typed):
        with pytest.raises(stripe.CardError) as caught:
            api.payment_intents.create({**PAID, "payment_method": method})
        error = caught.value.error
        assert (caught.value.http_status, error.code, error.decline_code) == (
            402,
            code,
            decline_code,
        )
        intent = api.payment_intents.retrieve(error.payment_intent.id)
        assert (intent.status, intent.payment_method) == ("requires_payment_method", None)
        assert intent.last_payment_error.decline_code == decline_code
        assert api.charges.retrieve(intent.latest_charge).status == "failed"
        retried = api.payment_intents.confirm(intent.id, {"payment_method": "pm_card_visa"})
        assert (retried.status, retried.last_payment_error) == ("succeeded", None)


def test_a_wrong_number_and_a_real_looking_one_are_refused(api: Any) -> None:
    for number, code in (
        ("4242424242424241", "incorrect_number"),
        ("4111111111111111", "card_declined"),
    ):
        card = {"number": number, "exp_month": 1, "exp_year": 2034, "cvc": "123"}
        act = lambda card=card: api.payment_methods.create({"type": "card", "card": card})  # noqa: E731
        assert refusal(act)[:2] == (402, code)


@pytest.mark.parametrize("outcome", ["succeeded", "failed"])
def test_authentication_by_redirect(api: Any, sim: StripeSimulator, outcome: str) -> None:
    intent = api.payment_intents.create(
        {
            **PAID,
            "payment_method": "pm_card_threeDSecure2Required",
            "return_url": "https://shop.test/back?order=7",
        }
    )
    assert (intent.status, intent.next_action.type) == ("requires_action", "redirect_to_url")
    path = urlsplit(intent.next_action.redirect_to_url.url).path
    status, _, page = raw(sim, "GET", path, {})
    assert (status, "Authorise" in page, "$10.99" in page) == (200, True, True)
    status, headers, _ = raw(sim, "POST", path, {"outcome": outcome})
    target = urlsplit(headers["location"])
    assert (status, target.netloc, parse_qs(target.query)) == (
        303,
        "shop.test",
        {
            "order": ["7"],
            "payment_intent": [intent.id],
            "payment_intent_client_secret": [intent.client_secret],
            "redirect_status": [outcome],
        },
    )
    after = api.payment_intents.retrieve(intent.id)
    if outcome == "succeeded":
        assert (after.status, after.amount_received) == ("succeeded", 1099)
    else:
        assert after.status == "requires_payment_method"
        assert after.last_payment_error.code == "payment_intent_authentication_failure"
        assert sim.state()["charges"] == {}
    assert raw(sim, "GET", path + "x", {})[0] == 404


def test_authentication_without_return_url_and_its_later_decline(
    api: Any, sim: StripeSimulator
) -> None:
    method = "pm_card_authenticationRequiredChargeDeclinedInsufficientFunds"
    intent = api.payment_intents.create({**PAID, "payment_method": method})
    assert intent.next_action.type == "use_stripe_sdk"
    assert sim.complete_action(intent.id)["status"] == "requires_payment_method"
    after = api.payment_intents.retrieve(intent.id)
    assert after.last_payment_error.decline_code == "insufficient_funds"


def test_off_session_needs_a_card_that_was_set_up(api: Any, sim: StripeSimulator) -> None:
    customer = api.customers.create({"email": "a@b.co"}).id
    method = api.payment_methods.attach(
        "pm_card_authenticationRequiredOnSetup", {"customer": customer}
    ).id
    body = {**PAID, "customer": customer, "payment_method": method, "off_session": True}
    assert refusal(lambda: api.payment_intents.create(body))[:2] == (402, "authentication_required")
    setup = api.setup_intents.create(
        {"customer": customer, "payment_method": method, "confirm": True}
    )
    assert setup.status == "requires_action"
    assert sim.complete_setup(setup.id)["status"] == "succeeded"
    assert api.payment_intents.create(body).status == "succeeded"


def test_a_browser_confirms_with_the_client_secret(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create(CARD)
    path = f"/v1/payment_intents/{intent.id}/confirm"
    fields = {"key": sim.publishable_key, "payment_method": "pm_card_visa"}
    wrong = {**fields, "client_secret": intent.client_secret + "x"}
    assert raw(sim, "POST", path, fields)[0] == 400
    assert raw(sim, "POST", path, wrong)[0] == 400
    status, headers, body = raw(
        sim, "POST", path, {**fields, "client_secret": intent.client_secret}
    )
    assert (status, json.loads(body)["status"]) == (200, "succeeded")
    assert "metadata" not in json.loads(body)
    assert headers["access-control-allow-origin"] == "*"


def test_partial_capture_releases_the_rest(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create({**PAID, "capture_method": "manual"})
    assert (intent.status, intent.amount_capturable) == ("requires_capture", 1099)
    too_much = {"amount_to_capture": 1100}
    assert refusal(lambda: api.payment_intents.capture(intent.id, too_much)) == (
        400,
        "amount_too_large",
        "amount_to_capture",
    )
    captured = api.payment_intents.capture(intent.id, {"amount_to_capture": 500})
    assert (captured.status, captured.amount_received, captured.amount_capturable) == (
        "succeeded",
        500,
        0,
    )
    unexpected = (400, "payment_intent_unexpected_state", None)
    assert refusal(lambda: api.payment_intents.capture(intent.id)) == unexpected
    assert refusal(lambda: api.payment_intents.cancel(intent.id)) == unexpected
    assert refusal(lambda: api.payment_intents.confirm(intent.id)) == unexpected
    assert sim.state()["captured"] == {"usd": 500}
    over = {"payment_intent": intent.id, "amount": 501}
    assert refusal(lambda: api.refunds.create(over)) == (400, None, "amount")
    assert api.refunds.create({"payment_intent": intent.id}).amount == 500


def test_cancelling_gives_an_authorisation_back(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create({**PAID, "capture_method": "manual"})
    assert refusal(lambda: api.refunds.create({"payment_intent": intent.id}))[0] == 400
    cancelled = api.payment_intents.cancel(intent.id, {"cancellation_reason": "abandoned"})
    assert (cancelled.status, cancelled.cancellation_reason) == ("canceled", "abandoned")
    charge = api.charges.retrieve(cancelled.latest_charge)
    assert (charge.captured, charge.refunded, charge.amount_refunded) == (False, True, 1099)
    assert sim.state()["captured"] == {}
    assert refusal(lambda: api.payment_intents.capture(intent.id))[0] == 400


def test_capture_and_cancel_race_has_one_winner(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create({**PAID, "capture_method": "manual"}).id
    acts = [api.payment_intents.capture, api.payment_intents.cancel] * 10
    won: list[str] = []

    def attempt(act: Callable[[str], Any]) -> None:
        try:
            won.append(act(intent).status)
        except stripe.InvalidRequestError:
            return

    run_all([lambda act=act: attempt(act) for act in acts])
    assert len(won) == 1
    assert sim.state()["payment_intents"] == {won[0]: 1}


def test_never_more_is_refunded_than_was_captured(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create(PAID).id
    first = api.refunds.create(
        {
            "payment_intent": intent,
            "amount": 600,
            "reason": "requested_by_customer",
            "metadata": {"rma": "1"},
        }
    )
    assert (first.status, first.reason, first.metadata.to_dict()) == (
        "succeeded",
        "requested_by_customer",
        {"rma": "1"},
    )
    over = {"payment_intent": intent, "amount": 500}
    assert refusal(lambda: api.refunds.create(over)) == (400, None, "amount")
    bad_reason = {"payment_intent": intent, "reason": "bored"}
    assert refusal(lambda: api.refunds.create(bad_reason)) == (400, None, "reason")
    assert api.refunds.create({"charge": first.charge}).amount == 499
    again = (400, "charge_already_refunded", None)
    assert refusal(lambda: api.refunds.create({"payment_intent": intent})) == again
    assert len(api.refunds.list({"payment_intent": intent}).data) == 2
    assert sim.state()["refunded"] == {"usd": 1099}


def test_parallel_refunds_stay_within_the_charge(api: Any, sim: StripeSimulator) -> None:
    intent = api.payment_intents.create(PAID).id

    def refund() -> None:
        try:
            api.refunds.create({"payment_intent": intent, "amount": 600})
        except stripe.InvalidRequestError:
            return

    run_all([refund] * 10)
    assert sim.state()["refunded"] == {"usd": 600}


def run_all(acts: list[Callable[[], None]]) -> None:
    threads = [threading.Thread(target=act) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
