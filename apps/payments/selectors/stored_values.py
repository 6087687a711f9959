"""Reads of gift cards and store credit, and the truths that must hold about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.core.errors import DomainError
from apps.core.invariants import invariant
from apps.customers.models import Customer
from apps.payments.models import (
    GiftCard,
    InvalidGiftCard,
    Payment,
    StoreCredit,
    StoredValue,
    StoredValueEntry,
)
from apps.payments.models.codes import possible_indexes

GATEWAYS = tuple(StoredValue.Kind.values)


@dataclass(frozen=True, slots=True)
class Spendable:
    """A gift card that pays now. `id` is its public id; `balance` minor units."""

    id: UUID
    last4: str
    currency: str
    balance: int
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Tender:
    """What a balance pays of one total: `amount` of `balance`, minor units of the total's
    currency. `gateway` is "gift_card" or "store_credit"; `problem` a stable code where it pays
    nothing because something changed (`gift_card_expired`), else ""."""

    id: UUID
    gateway: str
    last4: str
    balance: int
    amount: int
    expires_at: datetime | None = None
    problem: str = ""


def find_gift_card(code: str) -> GiftCard | None:
    """The card of a code, however it was typed; None for one that isn't or is disabled."""
    return GiftCard.objects.filter(
        code_index__in=possible_indexes(code), status=StoredValue.Status.ACTIVE
    ).first()


def spendable(code: str, currency: str, at: datetime) -> Spendable:
    """The gift card behind a code, if it pays in `currency` at `at`.

    Raises InvalidGiftCard (the same for unknown and disabled), WrongCurrency, GiftCardExpired,
    GiftCardEmpty. Asked for a stranger's input, go by `services.look_up`, which counts attempts.
    """
    card = find_gift_card(code)
    if card is None:
        raise InvalidGiftCard(field="code")
    card.check_spendable(amount=1, currency=currency, at=at)
    return Spendable(card.public_id, card.last4, card.currency, card.balance, card.expires_at)


def store_credit_of(customer: Customer) -> list[StoreCredit]:
    """A customer's accounts by currency, empty ones too."""
    return list(StoreCredit.objects.filter(customer=customer).order_by("currency"))


def plan_tenders(
    *, total: int, currency: str, ids: Sequence[UUID], customer_id: int | None, at: datetime
) -> list[Tender]:
    """Who pays how much of `total`: gift cards in their order, then store credit. One query.

    `ids` are public ids. What doesn't pay any more is in the list with its problem and an amount
    of zero; another customer's store credit isn't in it.
    """
    known = {row.public_id: row for row in StoredValue.objects.filter(public_id__in=ids)}
    rows = [known[wanted] for wanted in dict.fromkeys(ids) if wanted in known]
    cards = [row for row in rows if row.kind == StoredValue.Kind.GIFT_CARD]
    credit = [
        row
        for row in rows
        if row.kind == StoredValue.Kind.STORE_CREDIT and row.customer_id == customer_id
    ]
    tenders = []
    for row in (*cards, *credit):
        problem = _problem(row, currency, at)
        amount = 0 if problem else min(row.balance, total)
        total -= amount
        tenders.append(
            Tender(
                id=row.public_id,
                gateway=row.kind,
                last4=row.last4,
                balance=row.balance,
                amount=amount,
                expires_at=row.expires_at,
                problem=problem,
            )
        )
    return tenders


def _problem(row: StoredValue, currency: str, at: datetime) -> str:
    try:
        row.check_spendable(amount=1, currency=currency, at=at)
    except DomainError as refusal:
        return refusal.code
    return ""


def liabilities() -> list[tuple[str, int, int]]:
    """What is owed on gift cards: (currency, minor units, cards with a balance), by currency."""
    owed = GiftCard.objects.filter(balance__gt=0).order_by().values("currency")
    sums = owed.annotate(sum=Sum("balance"), cards=Count("pk")).order_by("currency")
    return [(row["currency"], row["sum"], row["cards"]) for row in sums]


@invariant("gift cards and store credit equal their ledger, and are never below zero")
def _ledger() -> Iterator[str]:
    entries = StoredValueEntry.objects.filter(stored_value=OuterRef("pk")).order_by()
    total = entries.values("stored_value").annotate(n=Sum("delta")).values("n")
    rows = StoredValue.objects.annotate(ledger=Coalesce(Subquery(total), 0))
    for row in rows.filter(~Q(balance=F("ledger")) | Q(balance__lt=0)):
        yield f"{row.kind} {row.public_id}: {row.balance}, ledger {row.ledger}"


@invariant("payments by gift card and store credit equal what was taken and given back")
def _payments() -> Iterator[str]:
    sums = (
        StoredValueEntry.objects.filter(reference__startswith="payment:")
        .order_by()
        .values("reference")
        .annotate(
            taken=Coalesce(Sum("delta", filter=Q(kind=StoredValueEntry.Kind.REDEEM)), 0),
            given=Coalesce(Sum("delta", filter=Q(kind=StoredValueEntry.Kind.REFUND)), 0),
        )
    )
    booked = {row["reference"]: (-row["taken"], row["given"]) for row in sums}
    paid = Payment.objects.filter(gateway__in=GATEWAYS, captured_amount__gt=0)
    for payment in paid.iterator(chunk_size=1000):
        have = payment.captured_amount, payment.refunded_amount
        told = booked.pop(f"payment:{payment.provider_id}", (0, 0))
        if have != told:
            yield f"payment {payment.public_id}: {have}, ledger {told}"
    for reference in booked:
        yield f"{reference} took money, and there is no such payment"
