"""Gift cards and store credit by themselves: codes, balances, the ledger."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.core.context import Actor, acting
from apps.core.errors import Conflict, DomainError
from apps.core.invariants import violations
from apps.core.models import AuditEntry, OutboxMessage
from apps.core.money import Money
from apps.core.ratelimit import ALL, Limit
from apps.notifications.models import Notification
from apps.payments import services
from apps.payments.gateways.stored_value.ledger import REFUND_LIFETIME
from apps.payments.models import (
    GiftCard,
    GiftCardEmpty,
    GiftCardExpired,
    InvalidGiftCard,
    StoreCredit,
    StoredValue,
    StoredValueEntry,
    WrongCurrency,
)
from apps.payments.models.codes import ALPHABET, new_code, normalised
from apps.payments.selectors import liabilities, spendable
from tests.factories.payments import gift_card, issue, store_credit

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants", "store")]


def _charge(card: StoredValue, amount: int, key: str = "k", currency: str = "EUR"):
    return services.charge(
        stored_value_id=card.public_id,
        amount=amount,
        currency=currency,
        key=key,
        reference="test:1",
    )


def _ledger(card: StoredValue) -> list[tuple[str, int, int]]:
    return list(card.entries.values_list("kind", "delta", "balance_after"))


def _balance(card: StoredValue) -> int:
    card.refresh_from_db()
    return card.balance


def test_code_has_a_hundred_bits_and_no_lookalikes():
    codes = {new_code() for _number in range(200)}
    assert len(codes) == 200
    assert {len(code) for code in codes} == {24}
    assert len(ALPHABET) == len(set(ALPHABET)) == 32
    assert not {"0", "O", "1", "I"} & set(ALPHABET)
    assert {len(part) for code in codes for part in code.split("-")} == {4}


@pytest.mark.parametrize(
    "spell",
    [
        str.lower,
        lambda code: code.replace("-", ""),
        lambda code: f"  {code.replace('-', ' ')}\n",
        lambda code: code.replace("-", "\u2013"),
        lambda code: "".join(chr(ord(c) + 0xFEE0) if c != "-" else c for c in code),
    ],
)
def test_code_is_found_however_it_is_typed(spell):
    issued = issue()
    assert spendable(spell(issued.code), "EUR", timezone.now()).id == issued.card.public_id


def test_database_holds_no_code(tmp_path, drain):
    """Not in a row, an outbox message, the audit log, nor, once it was sent, in a mail."""
    issued = issue(recipient_email="ana@example.com")
    drain()
    file = tmp_path / "dump.json"
    call_command("dumpdata", output=str(file))
    dump = file.read_text()
    assert issued.card.last4 in dump
    assert issued.code not in dump
    assert normalised(issued.code) not in dump
    assert normalised(issued.code)[:8] not in dump
    assert issued.code in mail.outbox[0].body
    assert issued.code in str(mail.outbox[0].alternatives[0][0])
    assert issued.code not in repr(issued)
    assert OutboxMessage.objects.exists()


def test_index_depends_on_the_secret_key(settings):
    issued = issue()
    first = settings.SECRET_KEY
    settings.SECRET_KEY = "another-key-" + "y" * 50
    with pytest.raises(InvalidGiftCard):
        spendable(issued.code, "EUR", timezone.now())
    settings.SECRET_KEY_FALLBACKS = [first]
    assert spendable(issued.code, "EUR", timezone.now()).balance == 10_000


def test_issue_writes_ledger_audit_and_mail_once_per_reference():
    issued = issue(5_000, reference="order-line:1:0", recipient_email="ana@example.com")
    with pytest.raises(services.AlreadyIssued) as refused:
        issue(5_000, reference="order-line:1:0")
    assert refused.value.extra == {"id": str(issued.card.public_id)}
    assert _ledger(issued.card) == [("issue", 5_000, 5_000)]
    assert Notification.objects.count() == 1
    audited = AuditEntry.objects.get(action="gift_card.issue")
    assert audited.changes == {"amount": 5_000, "currency": "EUR"}


@pytest.mark.parametrize(
    "draft",
    [
        {"amount": 0},
        {"amount": -1},
        {"currency": "XXX"},
        {"recipient_email": "nobody"},
        {"expires_at": timezone.now() - timedelta(seconds=1)},
    ],
)
def test_issue_refuses_nonsense(draft):
    with pytest.raises(services.InvalidGiftCardDraft):
        issue(**draft)
    assert GiftCard.objects.count() == 0


def test_charge_takes_once_for_a_key():
    card = gift_card()
    first = _charge(card, 6_000)
    assert _charge(card, 6_000) == first
    assert _ledger(card) == [("issue", 10_000, 10_000), ("redeem", -6_000, 4_000)]
    assert _balance(card) == 4_000


def test_charge_with_a_key_of_another_amount_is_refused():
    card = gift_card()
    _charge(card, 6_000)
    with pytest.raises(services.KeyTaken):
        _charge(card, 1)
    assert _balance(card) == 4_000


def test_charge_refuses_what_cannot_be_spent():
    now = timezone.now()
    card, disabled, expired = gift_card(), gift_card(), gift_card(expires_at=now + timedelta(1))
    services.disable(stored_value=disabled)
    StoredValue.objects.filter(pk=expired.pk).update(expires_at=now)
    for row, amount, currency, error in (
        (card, 10_001, "EUR", GiftCardEmpty),
        (card, 1, "USD", WrongCurrency),
        (disabled, 1, "EUR", InvalidGiftCard),
        (expired, 1, "EUR", GiftCardExpired),
    ):
        with pytest.raises(error):
            _charge(row, amount, currency=currency)
    assert {_balance(row) for row in (card, disabled, expired)} == {10_000}


def test_unknown_and_disabled_codes_get_one_answer():
    issued = issue()
    services.disable(stored_value=issued.card)
    answers = []
    for code in (issued.code, new_code(), "", "x" * 5_000, "'; --"):
        with pytest.raises(InvalidGiftCard) as refused:
            services.look_up(code=code, currency="EUR")
        answers.append((refused.value.code, str(refused.value), refused.value.extra))
    assert len({str(answer) for answer in answers}) == 1


def _look_up_as(actor: Actor, code: str) -> str:
    """The code of the refusal; "" where there is none."""
    try:
        with acting(actor):
            services.look_up(code=code, currency="EUR")
    except DomainError as refusal:
        return refusal.code
    return ""


@pytest.mark.parametrize(
    ("limit", "actor"),
    [
        (60, lambda number: Actor(ip="203.0.113.7", user_id=number)),
        (60, lambda number: Actor(ip="203.0.113.7")),
        # Somebody's whole IPv6 network is one.
        (60, lambda number: Actor(ip=f"2001:db8::{number:x}")),
        (60, lambda number: Actor()),
        (20, lambda number: Actor(ip=f"203.0.113.{number}", user_id=7)),
    ],
)
def test_look_ups_are_counted_and_fail_closed(limit, actor):
    """Right codes as well as wrong ones."""
    codes = [issue().code, new_code()]
    answers = [_look_up_as(actor(n), codes[n % 2]) for n in range(limit + 1)]
    assert answers == ["", "invalid_gift_card"] * (limit // 2) + ["rate_limited"]


def test_look_ups_of_everybody_together_are_limited(monkeypatch):
    issued = issue()
    of_all = Limit("gift-card", by=ALL, most=3, seconds=900)
    monkeypatch.setattr(services.gift_cards, "LOOKUPS", (of_all,))
    answers = [_look_up_as(Actor(ip=f"198.51.100.{n}"), issued.code) for n in range(4)]
    assert answers == ["", "", "", "rate_limited"]


def test_give_back_returns_at_most_what_was_taken_and_once_per_key():
    card = gift_card()
    _charge(card, 6_000)
    for _time in range(2):
        services.give_back(amount=4_000, key="r1", reference="test:1")
    with pytest.raises(Conflict):
        services.give_back(amount=2_001, key="r2", reference="test:1")
    services.give_back(amount=2_000, key="r3", reference="test:1")
    with pytest.raises(Conflict):
        services.give_back(amount=1, key="r4", reference="test:2")
    assert _balance(card) == 10_000


def test_give_back_after_expiry_can_be_spent_again():
    now = timezone.now()
    card = gift_card(expires_at=now + timedelta(days=1))
    _charge(card, 6_000)
    later = now + timedelta(days=2)
    assert services.expire_due(now=later) == 1
    assert services.expire_due(now=later) == 0
    assert _balance(card) == 0
    services.give_back(amount=6_000, key="r", reference="test:1")
    card.refresh_from_db()
    assert card.expires_at >= now + REFUND_LIFETIME
    assert services.expire_due(now=later) == 0
    assert [kind for kind, _delta, _after in _ledger(card)] == [
        *("issue", "redeem", "expire", "refund"),
    ]
    assert _charge(card, 6_000, key="again").balance_after == 0


def test_give_back_leaves_a_later_expiry_and_none_alone():
    forever, long = gift_card(), gift_card(expires_at=timezone.now() + timedelta(days=900))
    until = long.expires_at
    for number, card in enumerate((forever, long)):
        services.charge(
            stored_value_id=card.public_id,
            amount=1,
            currency="EUR",
            key=f"c{number}",
            reference=f"test:{number}",
        )
        services.give_back(amount=1, key=f"r{number}", reference=f"test:{number}")
        card.refresh_from_db()
    assert (forever.expires_at, long.expires_at) == (None, until)


def test_adjust_needs_a_reason_and_is_audited():
    card = gift_card()
    with pytest.raises(services.InvalidGiftCardDraft):
        services.adjust(stored_value=card, delta=100, reason=" ")
    with pytest.raises(GiftCardEmpty):
        services.adjust(stored_value=card, delta=-10_001, reason="Mistake")
    for _time in range(2):
        services.adjust(stored_value=card, delta=-2_500, reason="Mistake", key="once")
    assert _balance(card) == 7_500
    changes = AuditEntry.objects.filter(action="stored_value.adjust").first().changes
    assert changes == {"amount": -2_500, "reason": "Mistake"}


def test_resend_makes_the_old_code_worthless(drain):
    issued = issue(recipient_email="wrong@example.com")
    services.resend(card=issued.card, recipient_email="ana@example.com")
    drain()
    with pytest.raises(InvalidGiftCard):
        spendable(issued.code, "EUR", timezone.now())
    assert [message.to for message in mail.outbox] == [["wrong@example.com"], ["ana@example.com"]]
    code = next(line for line in mail.outbox[1].body.splitlines() if "code:" in line)
    assert spendable(code.partition(":")[2], "EUR", timezone.now()).id == issued.card.public_id


def test_resend_refuses_without_recipient_or_when_disabled():
    card = gift_card()
    with pytest.raises(services.NoRecipient):
        services.resend(card=card)
    services.disable(stored_value=card)
    with pytest.raises(services.NotActive):
        services.resend(card=card, recipient_email="ana@example.com")


def test_database_refuses_a_balance_below_zero():
    card = gift_card()
    with pytest.raises(IntegrityError), transaction.atomic():
        StoredValue.objects.filter(pk=card.pk).update(balance=-1)


def test_ledger_is_append_only():
    entry = gift_card().entries.get()
    with pytest.raises(TypeError):
        entry.save()
    with pytest.raises(TypeError):
        entry.delete()


def test_store_credit_is_one_account_per_currency(shopper, stranger):
    account = store_credit(shopper.customer, 5_000)
    store_credit(shopper.customer, 2_500)
    store_credit(shopper.customer, 700, "JPY")
    store_credit(stranger.customer, 1)
    assert _balance(account) == 7_500
    assert StoreCredit.objects.filter(customer=shopper.customer).count() == 2
    with pytest.raises(GiftCardEmpty):
        services.grant_store_credit(
            customer=shopper.customer, amount=Money(-701, "JPY"), reason="Mistake"
        )


def test_liabilities_sum_by_currency(shopper):
    gift_card(100)
    gift_card(250)
    gift_card(1_234, "KWD")
    used = gift_card(500, "JPY")
    _charge(used, 500, currency="JPY")
    store_credit(shopper.customer)
    assert liabilities() == [("EUR", 350, 2), ("KWD", 1_234, 1)]


def test_ledger_invariant_notices_a_wrong_balance():
    card = gift_card()
    StoredValue.objects.filter(pk=card.pk).update(balance=1)
    found = [line for lines in violations().values() for line in lines]
    assert found == [f"gift_card {card.public_id}: 1, ledger 10000"]
    StoredValue.objects.filter(pk=card.pk).update(balance=10_000)
    StoredValueEntry.objects.create(
        stored_value=card,
        kind="redeem",
        delta=-1,
        balance_after=0,
        key="x",
        reference="payment:lost",
        actor="test",
    )
    StoredValue.objects.filter(pk=card.pk).update(balance=9_999)
    found = [line for lines in violations().values() for line in lines]
    assert found == ["payment:lost took money, and there is no such payment"]
    with transaction.atomic():
        StoredValueEntry.objects.filter(key="x").update(reference="")
