"""The books of gift cards and store credit: every movement is one entry and one UPDATE.

They lie in the gateway's folder because they are what a provider's books are to other gateways
(docs/adr/0007-local-tenders.md). Amounts in minor units. A key moves money once: the second call
answers with the first one's entry.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import DateTimeField, F, Q, QuerySet, Sum, Value
from django.db.models.functions import Greatest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.failpoints import failpoint
from apps.core.locks import locked
from apps.payments.models import InvalidGiftCard, StoredValue, StoredValueEntry

_Kind = StoredValueEntry.Kind
# Money that comes back can be spent for at least this long, whenever the card expires.
REFUND_LIFETIME = timedelta(days=90)


class KeyTaken(Conflict):
    """The key moved something else before."""

    code = "key_taken"
    message = _("This key was used for something else.")


@dataclass(frozen=True, slots=True)
class Posting:
    """A movement: `delta` below zero takes money off. `key` is unique over all movements."""

    kind: str
    delta: int
    key: str
    reference: str = ""
    reason: str = ""


@transaction.atomic
def charge(
    *, stored_value_id: UUID, amount: int, currency: str, key: str, reference: str = ""
) -> StoredValueEntry:
    """Take `amount` off; the balance is asked and lowered by one conditional UPDATE.

    Raises InvalidGiftCard (unknown or disabled), WrongCurrency, GiftCardExpired, GiftCardEmpty,
    KeyTaken.
    """
    now = timezone.now()
    rows = StoredValue.objects.filter(public_id=stored_value_id)
    spendable = rows.filter(
        Q(expires_at__isnull=True) | Q(expires_at__gt=now),
        status=StoredValue.Status.ACTIVE,
        currency=currency,
    )
    posting = Posting(_Kind.REDEEM, -amount, f"redeem:{key}", reference)
    entry = post(rows=spendable, posting=posting)
    row = rows.first()
    if row is None:
        raise InvalidGiftCard()
    if entry is not None:
        return same_row(entry, row)
    row.check_spendable(amount=amount, currency=currency, at=now)
    # Filled up between the UPDATE and the look: the same call again will work.
    raise Conflict()


@transaction.atomic
def give_back(*, amount: int, key: str, reference: str) -> StoredValueEntry:
    """Put `amount` of what `reference` took back where it came from, expired or disabled or not.

    What comes back can be spent for REFUND_LIFETIME at least: the expiry moves, if there is one.
    Raises Conflict beyond what `reference` took.
    """
    rows = _taken_from(reference)
    key = f"refund:{key}"
    others = StoredValueEntry.objects.filter(reference=reference, kind=_Kind.REFUND)
    given = others.exclude(key=key).aggregate(n=Sum("delta"))["n"] or 0
    if amount + given > _taken(reference):
        raise Conflict()
    entry = post(rows=rows, posting=Posting(_Kind.REFUND, amount, key, reference))
    assert entry is not None  # noqa: S101 (nothing refuses money that comes back)
    until = Value(timezone.now() + REFUND_LIFETIME, DateTimeField())
    rows.filter(expires_at__isnull=False).update(expires_at=Greatest("expires_at", until))
    return entry


@transaction.atomic
def divide(*, amount: int, reference: str, to: str) -> None:
    """Let `amount` of what `reference` took be taken by `to`: off the same balance, which stays.

    Raises Conflict beyond what `reference` took.
    """
    rows = _taken_from(reference)
    if amount > _taken(reference):
        raise Conflict()
    # What was spent is spent, whatever became of the card since.
    post(rows=rows, posting=Posting(_Kind.REDEEM, amount, f"divide:{to}", reference))
    post(rows=rows, posting=Posting(_Kind.REDEEM, -amount, f"redeem:{to}", to))


def _taken_from(reference: str) -> QuerySet[StoredValue]:
    """The one row that `reference` took money off, locked. Raises Conflict for none."""
    taken = StoredValueEntry.objects.filter(reference=reference, kind=_Kind.REDEEM).first()
    if taken is None:
        raise Conflict()
    rows = StoredValue.objects.filter(pk=taken.stored_value_id)
    list(locked(rows))
    return rows


def _taken(reference: str) -> int:
    entries = StoredValueEntry.objects.filter(reference=reference, kind=_Kind.REDEEM)
    return -int(entries.aggregate(n=Sum("delta"))["n"] or 0)


@transaction.atomic
def post(*, rows: QuerySet[StoredValue], posting: Posting) -> StoredValueEntry | None:
    """Move the balance of the one row in `rows`, and write the entry. None if no row fits, or it
    hasn't so much. Raises KeyTaken."""
    try:
        with transaction.atomic():
            return _move(rows, posting)
    except IntegrityError:
        # The same key at the same time: its entry is there now, and our UPDATE undone.
        return _known(posting)


def _move(rows: QuerySet[StoredValue], posting: Posting) -> StoredValueEntry | None:
    if known := _known(posting):
        return known
    rows = rows.order_by().filter(balance__gte=max(0, -posting.delta))
    # The row is ours until the commit once it is updated; MariaDB can't name it by a join.
    pk = rows.values_list("pk", flat=True).first()
    balance = F("balance") + posting.delta
    if pk is None or not rows.filter(pk=pk).update(balance=balance, updated_at=timezone.now()):
        # Our own twin may have taken it meanwhile.
        return _known(posting)
    failpoint("balance-moved")
    return StoredValueEntry.objects.create(
        stored_value_id=pk,
        kind=posting.kind,
        delta=posting.delta,
        balance_after=StoredValue.objects.values_list("balance", flat=True).get(pk=pk),
        key=posting.key,
        reference=posting.reference,
        reason=posting.reason[:300],
        actor=current_actor().label[:254],
    )


def same_row(entry: StoredValueEntry, row: StoredValue) -> StoredValueEntry:
    """`entry`, if it is one of `row`. Raises KeyTaken."""
    if entry.stored_value_id != row.pk:
        raise KeyTaken()
    return entry


def _known(posting: Posting) -> StoredValueEntry | None:
    entry = StoredValueEntry.objects.filter(key=posting.key).first()
    if entry is not None and (entry.kind, entry.delta) != (posting.kind, posting.delta):
        raise KeyTaken()
    return entry


def expire(*, row: StoredValue, at: datetime) -> StoredValueEntry | None:
    """Write off what is left on an expired balance: the shop doesn't owe it any more."""
    rows = StoredValue.objects.filter(pk=row.pk, expires_at=row.expires_at, expires_at__lte=at)
    key = f"expire:{row.public_id}:{row.expires_at:%Y%m%dT%H%M%S%f}"
    # Less was left than we saw: a refund or a redemption came first, the next run sees it.
    rows = rows.filter(balance=row.balance)
    return post(rows=rows, posting=Posting(_Kind.EXPIRE, -row.balance, key))
