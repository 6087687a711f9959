from __future__ import annotations

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.core.money import Money
from apps.customers.models import Customer
from apps.payments import services
from apps.payments.models import (
    GiftCard,
    PayLink,
    Payment,
    Payout,
    ReconciliationDifference,
    SavedMethod,
    StoreCredit,
)
from apps.stores.models import Store
from tests.factories.customers import CustomerFactory
from tests.factories.stores import StoreFactory


def issue(amount: int = 10_000, currency: str = "EUR", **draft: Any) -> services.Issued:
    """A gift card and its code, by the service: its ledger is right from the start."""
    store = draft.pop("store", None) or Store.objects.first() or StoreFactory()
    return services.issue_gift_card(
        draft=services.GiftCardDraft(store=store, currency=currency, amount=amount, **draft)
    )


def gift_card(amount: int = 10_000, currency: str = "EUR", **draft: Any) -> GiftCard:
    return issue(amount, currency, **draft).card


def store_credit(customer: Customer, amount: int = 10_000, currency: str = "EUR") -> StoreCredit:
    entry = services.grant_store_credit(
        customer=customer, amount=Money(amount, currency), reason="Sorry"
    )
    return StoreCredit.objects.get(pk=entry.stored_value_id)


def payout_difference(payment: Payment) -> ReconciliationDifference:
    """Of a payout whose one line, of `payment`, isn't all of it."""
    payout = Payout.objects.create(
        gateway="stripe",
        provider_id=f"po_{payment.pk}",
        amount=1_000,
        currency=payment.currency,
        arrives_on=timezone.now().date(),
        status="paid",
        is_complete=True,
    )
    payout.lines.create(
        provider_id=f"txn_{payment.pk}",
        kind="charge",
        gross=900,
        fee=50,
        net=850,
        payment=payment,
        booked_at=timezone.now(),
    )
    return ReconciliationDifference.objects.create(
        payout=payout, kind="payout_sum", ours=850, theirs=1_000
    )


class PayLinkFactory(DjangoModelFactory[PayLink]):
    """An open one, of an order that need owe nothing."""

    class Meta:
        model = PayLink

    open_key = factory.LazyAttribute(lambda link: str(link.order.public_id))
    expires_at = factory.LazyFunction(lambda: timezone.now() + timedelta(days=14))


class SavedMethodFactory(DjangoModelFactory[SavedMethod]):
    """A card that no gateway knows."""

    class Meta:
        model = SavedMethod

    customer = factory.SubFactory(CustomerFactory)
    gateway = "stripe"
    provider_customer = factory.Sequence(lambda n: f"cus_{n}")
    provider_id = factory.Sequence(lambda n: f"pm_{n}")
    brand = "visa"
    last4 = "4242"
    expiry_month = 12
    expiry_year = 2034
