"""Gift cards and store credit over HTTP: staff, holders, strangers."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.models import IdempotencyRecord
from apps.payments import services
from apps.payments.models import GiftCard, StoredValue
from tests.factories.payments import gift_card, issue, store_credit

STAFF, URL = "/api/v1/admin/", "/api/v1/admin/gift-cards/"
BALANCE = "/api/v1/gift-cards/balance/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants", "store")]


def _money(amount: str, currency: str = "EUR") -> dict[str, str]:
    return {"amount": amount, "currency": currency}


def test_staff_issue_a_card_and_see_its_code_once(as_merchant, merchant, shopper, drain):
    made = as_merchant.post(
        URL,
        {
            "amount": _money("50.00"),
            "customer": str(shopper.customer.public_id),
            "recipient_email": "ana@example.com",
            "sender_name": "Bob",
            "message": "Happy <b>birthday</b>",
            "reference": "erp-1",
        },
    )
    drain()
    body = made.json()
    code = body.pop("code")
    assert made.status_code == 201
    created_at = body["created_at"]
    assert body == {
        "id": body["id"],
        "last4": code[-4:],
        "status": "active",
        "initial_amount": _money("50.00"),
        "balance": _money("50.00"),
        "expires_at": None,
        "store": "main",
        "customer": str(shopper.customer.public_id),
        "recipient_email": "ana@example.com",
        "sender_name": "Bob",
        "message": "Happy <b>birthday</b>",
        "reference": "erp-1",
        "created_at": created_at,
    }
    listed = as_merchant.get(URL, {"last4": code[-4:], "status": "active"}).json()["results"]
    shown = as_merchant.get(f"{URL}{body['id']}/").json()
    assert listed == [body]
    entry = shown.pop("entries")[0]
    assert shown == body
    assert entry == {
        "kind": "issue",
        "amount": _money("50.00"),
        "balance": _money("50.00"),
        "reference": "",
        "reason": "",
        "actor": merchant.email,
        "created_at": entry["created_at"],
    }
    message = mail.outbox[0]
    assert message.subject == "Bob sends you a gift card of Main"
    assert code in message.body
    assert "Happy &lt;b&gt;birthday&lt;/b&gt;" in message.alternatives[0][0]


def test_a_key_does_not_keep_the_answer_with_the_code(as_merchant):
    body = {"amount": _money("50.00"), "reference": "erp-1"}
    headers = {"HTTP_IDEMPOTENCY_KEY": "k1"}
    first = as_merchant.post(URL, body, **headers)
    again = as_merchant.post(URL, body, **headers)
    assert (first.status_code, again.status_code) == (201, 409)
    assert again.json()["code"] == "gift_card_issued"
    assert again.json()["id"] == first.json()["id"]
    kept = b"".join(bytes(record.body) for record in IdempotencyRecord.objects.all())
    assert first.json()["code"].encode() not in kept


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"amount": _money("0.00")}, "amount"),
        ({"amount": _money("1.5", "JPY")}, "amount"),
        ({"balance": _money("1.00")}, "balance"),
        ({"customer": "no-uuid"}, "customer"),
        ({"customer": "01900000-0000-7000-8000-000000000000"}, "customer"),
        ({"store": "nowhere"}, "store"),
        ({"expires_at": "2001-01-01T00:00:00Z"}, "expires_at"),
    ],
)
def test_issue_refuses_what_is_wrong(as_merchant, change, field):
    answer = as_merchant.post(URL, {"amount": _money("50.00"), **change})
    assert answer.status_code == 400
    assert answer.json()["errors"][0]["field"] == field
    assert GiftCard.objects.count() == 0


def test_adjust_is_done_once_for_a_key(as_merchant):
    card = gift_card()
    url, body = f"{URL}{card.public_id}/adjust/", {"amount": _money("-25.00"), "reason": "Typo"}
    answers = [as_merchant.post(url, body, HTTP_IDEMPOTENCY_KEY="k1") for _time in range(2)]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json() == answers[1].json()
    assert answers[0].json()["balance"] == _money("75.00")
    too_much = as_merchant.post(url, {"amount": _money("-75.01"), "reason": "Typo"})
    other = as_merchant.post(url, {"amount": _money("1.00", "USD"), "reason": "Typo"})
    assert (too_much.status_code, too_much.json()["code"]) == (409, "gift_card_empty")
    assert (other.status_code, other.json()["code"]) == (400, "wrong_currency")


def test_disable_and_resend(as_merchant, drain):
    card = gift_card(recipient_email="wrong@example.com")
    url = f"{URL}{card.public_id}/"
    sent = as_merchant.post(f"{url}resend/", {"recipient_email": "ana@example.com"})
    drain()
    assert sent.json()["recipient_email"] == "ana@example.com"
    assert [message.to[0] for message in mail.outbox] == ["wrong@example.com", "ana@example.com"]
    disabled = as_merchant.post(f"{url}disable/", {"reason": "Stolen"})
    assert (disabled.status_code, disabled.json()["status"]) == (200, "disabled")
    assert as_merchant.post(f"{url}resend/", {}).json()["code"] == "gift_card_disabled"


def test_list_costs_the_same_for_more_cards(as_merchant, shopper):
    def queries() -> int:
        with CaptureQueriesContext(connection) as seen:
            assert as_merchant.get(URL).status_code == 200
        return len(seen)

    gift_card(customer=shopper.customer)
    few = queries()
    for _number in range(10):
        gift_card(customer=shopper.customer)
    assert queries() == few


def test_holder_asks_for_the_balance(api):
    until = timezone.now() + timedelta(days=10)
    issued = issue(1_234, "KWD", expires_at=until)
    body = api.post(BALANCE, {"code": issued.code.lower().replace("-", " ")}).json()
    assert body == {
        "last4": issued.card.last4,
        "balance": _money("1.234", "KWD"),
        "expires_at": body["expires_at"],
    }


def test_unknown_and_disabled_codes_look_the_same(api):
    issued = issue()
    services.disable(stored_value=issued.card)
    answers = [
        api.post(BALANCE, {"code": code}) for code in (issued.code, "AAAA-BBBB-CCCC-DDDD-EEEE")
    ]
    bodies = [{**answer.json(), "request_id": "", "instance": ""} for answer in answers]
    assert [answer.status_code for answer in answers] == [400, 400]
    assert bodies[0] == bodies[1]
    assert bodies[0]["code"] == "invalid_gift_card"


def test_guessing_is_stopped(api):
    guesses = [f"AAAA-BBBB-CCCC-DDDD-{number:04}" for number in range(61)]
    codes = [api.post(BALANCE, {"code": guess}).status_code for guess in guesses]
    assert codes == [400] * 60 + [429]
    right = issue()
    stopped = api.post(BALANCE, {"code": right.code})
    assert (stopped.status_code, stopped.json()["code"]) == (429, "rate_limited")
    assert int(stopped["Retry-After"]) > 0


def test_store_credit_is_given_taken_and_shown_to_its_owner(
    as_merchant, as_shopper, as_stranger, shopper
):
    customer = str(shopper.customer.public_id)
    url = f"{STAFF}store-credit/"
    given = as_merchant.post(
        url, {"customer": customer, "amount": _money("30.00"), "reason": "Late parcel"}
    )
    taken = as_merchant.post(
        url, {"customer": customer, "amount": _money("-10.00"), "reason": "Mistake"}
    )
    too_much = as_merchant.post(
        url, {"customer": customer, "amount": _money("-20.01"), "reason": "Mistake"}
    )
    assert (given.status_code, taken.status_code, too_much.status_code) == (201, 201, 409)
    assert taken.json()["balance"] == _money("20.00")
    assert [entry["reason"] for entry in taken.json()["entries"]] == ["Late parcel", "Mistake"]
    found = as_merchant.get(url, {"customer": customer}).json()["results"]
    assert [row["balance"] for row in found] == [_money("20.00")]
    mine = as_shopper.get("/api/v1/me/store-credit/").json()
    assert mine == {"accounts": [{"balance": _money("20.00")}]}
    assert as_stranger.get("/api/v1/me/store-credit/").json() == {"accounts": []}


def test_cards_and_credit_are_kept_apart(as_merchant, shopper):
    card, credit = gift_card(), store_credit(shopper.customer)
    assert as_merchant.get(f"{URL}{credit.public_id}/").status_code == 404
    assert as_merchant.get(f"{STAFF}store-credit/{card.public_id}/").status_code == 404
    assert StoredValue.objects.count() == 2


def test_readonly_staff_change_nothing(as_readonly):
    card = gift_card()
    body = {"amount": _money("-25.00"), "reason": "Typo"}
    assert as_readonly.get(f"{URL}{card.public_id}/").status_code == 200
    assert as_readonly.post(URL, {"amount": _money("1.00")}).status_code == 403
    assert as_readonly.post(f"{URL}{card.public_id}/adjust/", body).status_code == 403
