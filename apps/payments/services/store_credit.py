"""Store credit: what the shop owes to one customer, in one currency."""

from __future__ import annotations

from django.db import IntegrityError, transaction

from apps.core.locks import locked
from apps.core.money import Money
from apps.customers.models import Customer
from apps.payments.models import StoreCredit, StoredValue, StoredValueEntry
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
