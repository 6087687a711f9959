"""Money the shop owes its customers: gift cards and store credit, one mechanism.

A tender, never a discount: it pays orders, and refunds can go back onto it.
"""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError
from apps.core.fields import AmountField
from apps.core.models import AppendOnlyModel, PublicModel
from apps.core.money import CURRENCY_CHOICES


class InvalidGiftCard(DomainError):
    """No such code, or one that is switched off: a guess learns nothing from the difference."""

    code = "invalid_gift_card"
    message = _("This gift card isn't valid.")


class GiftCardExpired(DomainError):
    code = "gift_card_expired"
    message = _("This gift card has expired.")


class GiftCardEmpty(Conflict):
    code = "gift_card_empty"
    message = _("There isn't enough left on it.")


class WrongCurrency(DomainError):
    """`extra["currency"]`: the one it is in."""

    code = "wrong_currency"
    message = _("It is in another currency.")


class StoredValue(PublicModel):
    """A balance, in minor units of `currency`: always the sum of its entries, never below zero."""

    scope_by = {"store": "store"}

    class Kind(models.TextChoices):
        GIFT_CARD = "gift_card", _("gift card")
        STORE_CREDIT = "store_credit", _("store credit")
        # What a return gives back, set against its replacement; nobody else can spend it.
        EXCHANGE = "exchange", _("credit for an exchange")

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        DISABLED = "disabled", _("disabled")

    kind = models.CharField(max_length=12, choices=Kind, editable=False)
    status = models.CharField(
        _("status"), max_length=8, choices=Status, default=Status.ACTIVE, editable=False
    )
    currency = models.CharField(_("currency"), max_length=3, choices=CURRENCY_CHOICES)
    initial_amount = AmountField(_("initial amount"), default=0)
    balance = AmountField(_("balance"), default=0, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)
    # A gift card's shop: its name stands in the mails. It pays in every store of the currency.
    store = models.ForeignKey(
        "stores.Store", models.PROTECT, null=True, related_name="+", verbose_name=_("store")
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="stored_values",
        verbose_name=_("customer"),
    )
    # Only a gift card has a code; nobody, not even the shop, can read it here.
    code_index = models.CharField(max_length=64, unique=True, null=True, editable=False)
    last4 = models.CharField(_("last four"), max_length=4, blank=True, db_index=True)
    # One account per customer and currency ("<customer>:EUR"); null for gift cards.
    account_key = models.CharField(max_length=40, unique=True, null=True, editable=False)
    recipient_email = models.EmailField(_("recipient"), blank=True)
    sender_name = models.CharField(_("from"), max_length=100, blank=True)
    message = models.TextField(_("message"), max_length=500, blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    # What it was issued for ("order-line:<id>:0"): once each, whatever is retried.
    reference = models.CharField(_("reference"), max_length=120, unique=True, null=True, blank=True)

    class Meta:
        verbose_name = _("stored value")
        verbose_name_plural = _("stored values")
        constraints = [
            models.CheckConstraint(condition=Q(balance__gte=0), name="stored_value_not_negative"),
            models.CheckConstraint(
                condition=Q(kind="gift_card", code_index__isnull=False, account_key__isnull=True)
                | Q(kind="store_credit", code_index__isnull=True, customer__isnull=False)
                | Q(kind="exchange", code_index__isnull=True, reference__isnull=False),
                name="stored_value_of_one_kind",
            ),
        ]
        indexes = [
            # Lists by kind and state, the newest first; and the sum of what is owed.
            models.Index(fields=["kind", "status", "-id"], name="stored_value_list"),
            # The task that writes off what has expired.
            models.Index(fields=["expires_at"], name="stored_value_expiry"),
        ]

    def __str__(self) -> str:
        return f"•••• {self.last4}" if self.last4 else f"{self.customer_id} {self.currency}"

    def check_spendable(self, *, amount: int, currency: str, at: datetime) -> None:
        """Raises what stands against spending `amount` (minor units) of `currency` at `at`:
        InvalidGiftCard, WrongCurrency, GiftCardExpired, GiftCardEmpty."""
        if self.status != self.Status.ACTIVE:
            raise InvalidGiftCard()
        if self.currency != currency:
            raise WrongCurrency(extra={"currency": self.currency})
        if self.expires_at is not None and self.expires_at <= at:
            raise GiftCardExpired()
        if self.balance < amount:
            raise GiftCardEmpty()


class _GiftCards(models.Manager["GiftCard"]):
    def get_queryset(self) -> models.QuerySet[GiftCard]:
        return super().get_queryset().filter(kind=StoredValue.Kind.GIFT_CARD)


class GiftCard(StoredValue):
    """Whoever knows its code may spend it."""

    objects: ClassVar[_GiftCards] = _GiftCards()

    class Meta:
        proxy = True
        verbose_name = _("gift card")
        verbose_name_plural = _("gift cards")


class _StoreCredits(models.Manager["StoreCredit"]):
    def get_queryset(self) -> models.QuerySet[StoreCredit]:
        return super().get_queryset().filter(kind=StoredValue.Kind.STORE_CREDIT)


class StoreCredit(StoredValue):
    """What the shop owes to one customer in one currency."""

    objects: ClassVar[_StoreCredits] = _StoreCredits()

    class Meta:
        proxy = True
        verbose_name = _("store credit")
        verbose_name_plural = _("store credit")

    def __str__(self) -> str:
        return f"{self.customer} {self.currency}"


class StoredValueEntry(AppendOnlyModel):
    """The ledger behind the balances: every movement once, by its key."""

    class Kind(models.TextChoices):
        ISSUE = "issue", _("issued")
        REDEEM = "redeem", _("redeemed")
        REFUND = "refund", _("refunded")
        ADJUST = "adjust", _("adjusted")
        EXPIRE = "expire", _("expired")

    stored_value = models.ForeignKey(StoredValue, models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=6, choices=Kind)
    delta = AmountField(_("amount"), currency="stored_value.currency")
    balance_after = AmountField(
        _("balance"),
        currency="stored_value.currency",
    )
    key = models.CharField(max_length=150, unique=True)
    # What moved it ("payment:<id>"), by which a payment finds its movements.
    reference = models.CharField(_("reference"), max_length=120, blank=True, db_index=True)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.CharField(_("actor"), max_length=254)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger entries")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(balance_after__gte=0), name="stored_value_entry_not_negative"
            )
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.delta}"
