"""Gift cards: issued, looked up by their code, corrected, switched off, written off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.ids import uuid7
from apps.core.locks import locked
from apps.core.money import MoneyError, exponent
from apps.core.ratelimit import ACCOUNT, ALL, NETWORK, Limit, hit_caller
from apps.customers.models import Customer
from apps.notifications.services import notify
from apps.orders.services.mails import money_text
from apps.payments.gateways.stored_value import ledger
from apps.payments.models import (
    GiftCard,
    GiftCardEmpty,
    InvalidGiftCard,
    StoredValue,
    StoredValueEntry,
)
from apps.payments.models.codes import index_of, new_code, normalised
from apps.payments.selectors import Spendable, find_gift_card, spendable
from apps.stores.models import Store

_Kind = StoredValueEntry.Kind
# A shopper mistypes a few times, and many share a network; who guesses needs 2^99 tries. The
# limit of all together is a brake on one who has many addresses.
LOOKUPS = (
    Limit("gift-card", by=NETWORK, most=60, seconds=15 * 60),
    Limit("gift-card", by=ACCOUNT, most=20, seconds=15 * 60),
    Limit("gift-card", by=ALL, most=2_000, seconds=15 * 60),
)
MOST_AT_ONCE = 1_000


class InvalidGiftCardDraft(DomainError):
    code = "invalid_gift_card_draft"
    message = _("A gift card needs an amount above zero.")


class AlreadyIssued(Conflict):
    """`extra["id"]`: the card that has the reference."""

    code = "gift_card_issued"
    message = _("A gift card was issued for this reference before.")


class NoRecipient(Conflict):
    code = "no_recipient"
    message = _("The gift card has no recipient.")


class NotActive(Conflict):
    code = "gift_card_disabled"
    message = _("The gift card is disabled.")


@dataclass(frozen=True, slots=True)
class GiftCardDraft:
    """What a card is to be. `amount` in minor units; `reference` once over all cards; with a
    `recipient_email` the code is mailed there."""

    store: Store
    currency: str
    amount: int
    expires_at: datetime | None = None
    customer: Customer | None = None
    recipient_email: str = ""
    sender_name: str = ""
    message: str = ""
    language: str = "en"
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class Issued:
    """A card, and its code: for this once."""

    card: GiftCard
    code: str

    def __repr__(self) -> str:
        return f"Issued({self.card})"


@transaction.atomic
def issue_gift_card(*, draft: GiftCardDraft) -> Issued:
    """Make a card worth `draft.amount`, and mail it to its recipient, if it has one.

    The code is in the answer (and in the mail) and nowhere else. Raises InvalidGiftCardDraft;
    AlreadyIssued for a reference that has a card.
    """
    _check(draft)
    code = new_code()
    card = GiftCard(
        kind=StoredValue.Kind.GIFT_CARD,
        store=draft.store,
        currency=draft.currency,
        initial_amount=draft.amount,
        expires_at=draft.expires_at,
        customer=draft.customer,
        recipient_email=draft.recipient_email,
        sender_name=draft.sender_name,
        message=draft.message,
        language=draft.language,
        reference=draft.reference or None,
        code_index=index_of(code),
        last4=normalised(code)[-4:],
    )
    try:
        with transaction.atomic():
            card.save()
    except IntegrityError as error:
        same = GiftCard.objects.filter(reference=draft.reference).first()
        if draft.reference is None or same is None:
            raise
        raise AlreadyIssued(field="reference", extra={"id": str(same.public_id)}) from error
    _post(card, ledger.Posting(_Kind.ISSUE, draft.amount, f"issue:{card.public_id}"))
    audit.record("gift_card.issue", card, {"amount": draft.amount, "currency": draft.currency})
    if card.recipient_email:
        _mail(card, code, 0)
    return Issued(card, code)


def _check(draft: GiftCardDraft) -> None:
    if draft.amount <= 0:
        raise InvalidGiftCardDraft(field="amount")
    try:
        exponent(draft.currency)
        if draft.recipient_email:
            validate_email(draft.recipient_email)
    except (MoneyError, ValidationError) as error:
        raise InvalidGiftCardDraft(str(error)) from error
    if draft.expires_at is not None and draft.expires_at <= timezone.now():
        raise InvalidGiftCardDraft(_("It would have expired already."), field="expires_at")


@transaction.atomic
def issue_many(*, draft: GiftCardDraft, number: int) -> list[Issued]:
    """`number` cards of one kind, for a campaign or for printing; at most MOST_AT_ONCE.

    All or none; the draft's reference is used once for all of them. Raises AlreadyIssued.
    """
    if not 1 <= number <= MOST_AT_ONCE:
        raise InvalidGiftCardDraft(field="number")
    reference = draft.reference
    return [
        issue_gift_card(draft=replace(draft, reference=reference and f"{reference}:{turn}"))
        for turn in range(number)
    ]


def look_up(*, code: str, currency: str) -> Spendable:
    """The card of a code that somebody typed, if it pays in `currency` now.

    Counts the attempt first, per account, per network and over all, and fails closed: must not
    run in a transaction that may be rolled back. Raises RateLimited and what `spendable` raises.
    """
    hit_caller(*LOOKUPS)
    return spendable(code, currency, timezone.now())


def look_up_balance(*, code: str) -> GiftCard:
    """The card of a code that somebody typed, empty or expired too; counted like `look_up`.

    Raises InvalidGiftCard, the same for unknown and disabled codes; RateLimited.
    """
    hit_caller(*LOOKUPS)
    card = find_gift_card(code)
    if card is None:
        raise InvalidGiftCard(field="code")
    return card


@transaction.atomic
def adjust(
    *, stored_value: StoredValue, delta: int, reason: str, key: str | None = None
) -> StoredValueEntry:
    """Staff's correction by `delta` minor units, up or down, with a reason. A key moves once.

    Raises GiftCardEmpty when less than that is left.
    """
    if not delta or not reason.strip():
        raise InvalidGiftCardDraft(_("A correction needs an amount and a reason."), field="amount")
    posting = ledger.Posting(_Kind.ADJUST, delta, f"adjust:{key or uuid7()}", reason=reason)
    entry = _post(stored_value, posting)
    audit.record("stored_value.adjust", stored_value, {"amount": delta, "reason": reason})
    return entry


def _post(row: StoredValue, posting: ledger.Posting) -> StoredValueEntry:
    entry = ledger.post(rows=StoredValue.objects.filter(pk=row.pk), posting=posting)
    if entry is None:
        raise GiftCardEmpty()
    row.refresh_from_db()
    return ledger.same_row(entry, row)


@transaction.atomic
def disable(*, stored_value: StoredValue, reason: str = "") -> None:
    """Nobody can spend it any more; what is on it stays owed until staff adjust it."""
    rows = StoredValue.objects.filter(pk=stored_value.pk, status=StoredValue.Status.ACTIVE)
    if rows.update(status=StoredValue.Status.DISABLED, updated_at=timezone.now()):
        audit.record("stored_value.disable", stored_value, {"reason": reason})
    stored_value.refresh_from_db()


@transaction.atomic
def resend(*, card: GiftCard, recipient_email: str = "") -> None:
    """Mail a card again, to another recipient if one is named, with a new code.

    Nobody knows the old code, and it may lie in the wrong mailbox: it is dead from now on.
    Raises NoRecipient, NotActive.
    """
    row = locked(GiftCard.objects.filter(pk=card.pk)).get()
    row.recipient_email = recipient_email or row.recipient_email
    if not row.recipient_email:
        raise NoRecipient(field="recipient_email")
    if row.status != StoredValue.Status.ACTIVE:
        raise NotActive()
    code = new_code()
    row.code_index, row.last4 = index_of(code), normalised(code)[-4:]
    row.save(update_fields=["code_index", "last4", "recipient_email", "updated_at"])
    audit.record("gift_card.resend", row, {"recipient_email": row.recipient_email})
    _mail(row, code, row.updated_at.isoformat())
    card.refresh_from_db()


def expire_due(*, now: datetime | None = None, limit: int = 500) -> int:
    """Write off what is left on expired cards; the number of cards."""
    now = now or timezone.now()
    rows = StoredValue.objects.filter(expires_at__lte=now, balance__gt=0).order_by("pk")[:limit]
    return sum(ledger.expire(row=row, at=now) is not None for row in rows)


def _mail(card: GiftCard, code: str, turn: object) -> None:
    with override(card.language):
        expires = date_format(card.expires_at, "DATE_FORMAT") if card.expires_at else ""
    notify(
        kind="gift_cards/issued",
        recipient=card.recipient_email,
        language=card.language,
        context={
            "store_name": card.store.name if card.store else "",
            "store_email": card.store.email if card.store else "",
            "amount": money_text(card.balance, card.currency, card.language),
            "code": code,
            "expires": expires,
            "sender_name": card.sender_name,
            "message": card.message,
            "shop_url": settings.SITE_URL,
        },
        dedupe_key=f"gift-card:{card.public_id}:{turn}",
        is_confidential=True,
    )
