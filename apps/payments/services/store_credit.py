"""Store credit: what the shop owes to one customer, in one currency."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from apps.core.locks import locked
from apps.core.money import Money
from apps.customers.models import Customer
from apps.customers.services.merging import moves
from apps.payments.models import SavedMethod, StoreCredit, StoredValue, StoredValueEntry
from apps.payments.services.gift_cards import adjust


@transaction.atomic
def grant_store_credit(
    *, customer: Customer, amount: Money, reason: str, key: str | None = None
) -> StoredValueEntry:
    """Add `amount` to a customer's account of its currency; below zero takes it off. A key moves
    money once.

    Raises GiftCardEmpty when less than that is left.
    """
    account = _account(customer, amount.currency)
    return adjust(stored_value=account, delta=amount.amount, reason=reason, key=key)


def lock_store_credit(*, customer: Customer, currency: str) -> None:
    """Take the account's lock, in a transaction that takes stock's locks next."""
    list(locked(StoreCredit.objects.filter(account_key=f"{customer.pk}:{currency}")))


@moves(StoredValue)
def move_stored_values(kept: Customer, merged: Customer) -> None:
    """Gift cards go along. Store credit of a currency that both have is booked over to the one
    account; the other, empty now, goes along for its history and for refunds yet to come."""
    for account in locked(StoreCredit.objects.filter(customer=merged)):
        key = f"{kept.pk}:{account.currency}"
        taken = StoreCredit.objects.filter(account_key=key).first()
        if taken is not None and account.account_key and account.balance:
            reason = f"merge: {merged.email}"
            booking = f"merge:{account.public_id}"
            adjust(stored_value=taken, delta=account.balance, reason=reason, key=f"{booking}:in")
            adjust(stored_value=account, delta=-account.balance, reason=reason, key=booking)
        keyed = key if taken is None and account.account_key else None
        StoredValue.objects.filter(pk=account.pk).update(account_key=keyed)
    StoredValue.objects.filter(customer=merged).update(customer=kept)


@moves(SavedMethod)
def move_saved_methods(kept: Customer, merged: Customer) -> None:
    """The default one is that of the customer who is kept, if they have any."""
    rows = SavedMethod.objects.filter(customer=merged)
    if SavedMethod.objects.filter(customer=kept, is_default=True).exists():
        rows.update(is_default=False)
    rows.update(customer=kept)


def _account(customer: Customer, currency: str) -> StoreCredit:
    key = f"{customer.pk}:{currency}"
    account = StoreCredit.objects.filter(account_key=key).first()
    if account is not None:
        return account
    try:
        with transaction.atomic():
            return StoreCredit.objects.create(
                kind=StoredValue.Kind.STORE_CREDIT,
                account_key=key,
                customer=customer,
                currency=currency,
            )
    except IntegrityError:
        return StoreCredit.objects.get(account_key=key)
