"""The ledgers of gift cards and of payments against models of plain numbers, in any order of
calls."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from apps.checkout import services as checkout
from apps.core.errors import DomainError
from apps.payments import services
from apps.payments.models import GiftCard, Payment, StoredValue, StoredValueEntry
from apps.payments.selectors import capturable, due
from apps.products.models import Variant
from tests.factories.payments import gift_card
from tests.factories.stores import StoreFactory
from tests.flows.conftest import ADDRESS, build_shop
from tests.truths import untruths

CARDS = st.integers(0, 2)
AMOUNTS = st.integers(1, 700)
KEYS = st.integers(0, 5)


class LedgerMachine(RuleBasedStateMachine):
    """`left[card]` is the balance; `moved[key]` what a key moved, so that it moves it once."""

    @initialize()
    def begin(self) -> None:
        self.example = transaction.atomic()
        self.example.__enter__()
        StoreFactory()
        until = timezone.now() + timedelta(days=1)
        self.cards = [
            gift_card(1_000, reference="r0"),
            gift_card(1, "JPY"),
            gift_card(1_234, "KWD", expires_at=until),
        ]
        self.left = [1_000, 1, 1_234]
        self.active = [True, True, True]
        # key of a charge → (card, amount); what came back of it; keys of refunds and corrections.
        self.charged: dict[int, tuple[int, int]] = {}
        self.returned: dict[int, int] = {}
        self.refunds: dict[tuple[int, int], int] = {}
        self.adjusted: dict[int, tuple[int, int]] = {}
        self.entries = 3

    def _try(self, call) -> bool:
        try:
            with transaction.atomic():
                call()
        except DomainError:
            return False
        return True

    @rule(card=CARDS, amount=AMOUNTS, key=KEYS)
    def charge(self, card: int, amount: int, key: int) -> None:
        done = self._try(
            lambda: services.charge(
                stored_value_id=self.cards[card].public_id,
                amount=amount,
                currency=self.cards[card].currency,
                key=str(key),
                reference=f"test:{key}",
            )
        )
        if key in self.charged:
            # Answered with the first entry, or refused: nothing moves.
            assert done == (self.charged[key] == (card, amount))
            return
        assert done == (self.active[card] and amount <= self.left[card])
        if done:
            self.charged[key] = card, amount
            self.left[card] -= amount
            self.entries += 1

    @rule(key=KEYS, amount=AMOUNTS, turn=st.integers(0, 2))
    def give_back(self, key: int, amount: int, turn: int) -> None:
        done = self._try(
            lambda: services.give_back(amount=amount, key=f"{key}-{turn}", reference=f"test:{key}")
        )
        if (key, turn) in self.refunds:
            assert done == (self.refunds[key, turn] == amount)
            return
        card, taken = self.charged.get(key, (0, 0))
        assert done == (amount + self.returned.get(key, 0) <= taken)
        if done:
            self.refunds[key, turn] = amount
            self.returned[key] = self.returned.get(key, 0) + amount
            self.left[card] += amount
            self.entries += 1

    @rule(card=CARDS, delta=st.integers(-700, 700), key=KEYS)
    def adjust(self, card: int, delta: int, key: int) -> None:
        done = self._try(
            lambda: services.adjust(
                stored_value=self.cards[card], delta=delta, reason="Test", key=str(key)
            )
        )
        if key in self.adjusted:
            assert done == (delta != 0 and self.adjusted[key] == (card, delta))
            return
        assert done == (delta != 0 and self.left[card] + delta >= 0)
        if done:
            self.adjusted[key] = card, delta
            self.left[card] += delta
            self.entries += 1

    @rule(card=CARDS)
    def disable(self, card: int) -> None:
        services.disable(stored_value=self.cards[card])
        self.active[card] = False

    @rule()
    def issue_again(self) -> None:
        assert not self._try(lambda: gift_card(5, reference="r0"))

    @invariant()
    def balances_are_the_models_and_the_ledgers(self) -> None:
        if not hasattr(self, "cards"):
            return
        rows = GiftCard.objects.order_by("pk")
        assert list(rows.values_list("balance", flat=True)) == self.left
        assert min(self.left) >= 0
        assert StoredValueEntry.objects.count() == self.entries
        for row, left in zip(rows, self.left, strict=True):
            assert sum(row.entries.values_list("delta", flat=True)) == left
            assert row.entries.last().balance_after == left

    def teardown(self) -> None:
        if not hasattr(self, "cards"):
            return
        try:
            assert untruths() == {}
            assert StoredValue.objects.filter(balance__lt=0).count() == 0
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)


TOTAL = 10_000
PARTS = st.integers(1, 6_000)


def _authorized() -> Payment:
    """Five books, to be paid later."""
    shop = build_shop(StoreFactory())
    Variant.objects.filter(pk=shop.book.pk).update(requires_shipping=False)
    cart = checkout.create_cart(store=shop.store, lines=[("BOOK", 5)])
    changes = {"email": "ana@example.com", "shipping_address": ADDRESS}
    checkout.update_cart(cart=cart, changes=changes)
    checkout.place_order(cart=cart, payment=checkout.PaymentChoice("manual", "", ""))
    return Payment.objects.get()


class PaymentMachine(RuleBasedStateMachine):
    """One order of 100.00, authorized by hand; what is captured, given back and let go of it."""

    @initialize()
    def begin(self) -> None:
        self.example = transaction.atomic()
        self.example.__enter__()
        self.payment = _authorized()
        self.captured = self.refunded = 0
        self.is_open = True
        self.parts: list[int] = []

    def _try(self, call) -> bool:
        try:
            with transaction.atomic():
                call()
        except DomainError:
            return False
        return True

    @rule(amount=PARTS)
    def capture(self, amount: int) -> None:
        done = self._try(lambda: services.capture(payment=self.payment, amount=amount))
        assert done == (self.is_open and self.captured + amount <= TOTAL)
        if done:
            self._took(amount)

    @rule()
    def capture_what_is_needed(self) -> None:
        done = self._try(lambda: services.capture(payment=self.payment))
        assert done == self.is_open
        if done:
            self._took(TOTAL - self.captured)

    def _took(self, amount: int) -> None:
        self.captured += amount
        self.parts.append(amount)
        self.is_open = self.captured < TOTAL

    @rule()
    def void(self) -> None:
        done = self._try(lambda: services.void(payment=self.payment))
        assert done == self.is_open
        self.is_open = False

    @rule(amount=PARTS)
    def refund(self, amount: int) -> None:
        done = self._try(lambda: services.refund(payment=self.payment, amount=amount))
        assert done == (self.refunded + amount <= self.captured)
        if done:
            self.refunded += amount

    @invariant()
    def books_are_the_models(self) -> None:
        if not hasattr(self, "payment"):
            return
        row = Payment.objects.get()
        assert (row.captured_amount, row.refunded_amount) == (self.captured, self.refunded)
        assert 0 <= row.refunded_amount <= row.captured_amount <= row.authorized_amount == TOTAL
        assert (row.status == "authorized") == self.is_open
        assert row.order.outstanding == due(row.order, [row])
        assert capturable(row) == (TOTAL - self.captured if self.is_open else 0)
        taken = row.entries.filter(kind="capture").order_by("pk").values_list("amount", flat=True)
        assert list(taken) == self.parts
        let_go = sum(row.entries.filter(kind="void").values_list("amount", flat=True))
        assert let_go == (0 if self.is_open else TOTAL - self.captured)

    def teardown(self) -> None:
        if not hasattr(self, "payment"):
            return
        try:
            assert untruths() == {}
        finally:
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)


@pytest.mark.django_db
def test_any_order_of_calls_keeps_the_ledger_true() -> None:
    _run(LedgerMachine)


@pytest.mark.django_db
def test_any_order_of_captures_keeps_the_payment_true() -> None:
    _run(PaymentMachine)


def _run(machine: type[RuleBasedStateMachine]) -> None:
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=30,
            stateful_step_count=25,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
