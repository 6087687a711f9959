"""Prices, price lists and the history that no price leaves out."""

from __future__ import annotations

from datetime import UTC

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import AppendOnlyModel, PublicModel, TimestampedModel
from apps.core.money import CURRENCY_CHOICES, MAX_AMOUNT, Money

# A line of a million pieces at this price still fits a BIGINT.
MAX_PRICE = MAX_AMOUNT // 10_000_000


class PriceList(TimestampedModel):
    """Prices for a customer group."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    group = models.ForeignKey(
        "customers.CustomerGroup",
        models.PROTECT,
        related_name="price_lists",
        verbose_name=_("customer group"),
    )
    priority = models.IntegerField(
        _("priority"), default=0, help_text=_("The highest list that prices a variant wins.")
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("price list")
        verbose_name_plural = _("price lists")
        ordering = ["-priority", "code"]

    def __str__(self) -> str:
        return self.name


class Price(PublicModel):
    """What one piece costs. The most specific row wins: list, store, quantity, latest start."""

    scope_by = {"store": "store"}

    variant = models.ForeignKey(
        "products.Variant", models.CASCADE, related_name="prices", verbose_name=_("variant")
    )
    store = models.ForeignKey(
        "stores.Store",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="prices",
        verbose_name=_("store"),
        help_text=_("Empty: in every store."),
    )
    price_list = models.ForeignKey(
        PriceList,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="prices",
        verbose_name=_("price list"),
        help_text=_("Empty: for everybody."),
    )
    currency = models.CharField(_("currency"), max_length=3, choices=CURRENCY_CHOICES)
    min_quantity = models.PositiveIntegerField(_("from pieces"), default=1)
    amount = AmountField(_("price"))
    compare_at = AmountField(_("compare-at price"), null=True, blank=True)
    valid_from = models.DateTimeField(_("from"), null=True, blank=True)
    valid_to = models.DateTimeField(_("until"), null=True, blank=True)
    # The scope as one text: unique on engines whose unique indexes ignore NULLs.
    scope = models.CharField(max_length=120, unique=True, editable=False)

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        constraints = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="price_not_negative"),
            models.CheckConstraint(condition=Q(min_quantity__gte=1), name="price_from_a_piece"),
            models.CheckConstraint(
                condition=Q(valid_from__isnull=True)
                | Q(valid_to__isnull=True)
                | Q(valid_from__lt=F("valid_to")),
                name="price_window_ordered",
            ),
        ]
        # The till reads the prices of a cart's variants in one currency.
        indexes = [models.Index(fields=["variant", "currency"], name="price_lookup")]

    def __str__(self) -> str:
        return str(Money(self.amount, self.currency))

    def scope_text(self) -> str:
        # One moment, one text, whatever the time zone it was typed in.
        start = self.valid_from.astimezone(UTC).isoformat() if self.valid_from else ""
        return ":".join(
            str(part or 0)
            for part in (
                self.variant_id,
                self.store_id,
                self.price_list_id,
                self.currency,
                self.min_quantity,
                start,
            )
        )


class PricePoint(AppendOnlyModel):
    """Every price that ever was, and since when: the reference for reductions (EU 98/6/EC, 6a)."""

    scope_by = {"store": "store"}

    variant = models.ForeignKey(
        "products.Variant", models.CASCADE, related_name="price_points", verbose_name=_("variant")
    )
    store = models.ForeignKey(
        "stores.Store", models.CASCADE, null=True, related_name="+", verbose_name=_("store")
    )
    # Protected: without its list, a price for some would read as a price for everybody.
    price_list = models.ForeignKey(
        PriceList, models.PROTECT, null=True, related_name="+", verbose_name=_("price list")
    )
    currency = models.CharField(_("currency"), max_length=3)
    min_quantity = models.PositiveIntegerField(_("from pieces"), default=1)
    # Null: the price was removed.
    amount = AmountField(_("price"), null=True)
    compare_at = AmountField(_("compare-at price"), null=True)
    valid_from = models.DateTimeField(_("from"), null=True)
    valid_to = models.DateTimeField(_("until"), null=True)
    # The catalogue promotion that made this price of the lists; without an amount it ended.
    promotion = models.CharField(_("promotion"), max_length=60, blank=True)
    actor = models.CharField(_("actor"), max_length=254, blank=True)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("price change")
        verbose_name_plural = _("price history")
        indexes = [models.Index(fields=["variant", "currency", "created_at"], name="price_past")]

    def __str__(self) -> str:
        return "–" if self.amount is None else str(Money(self.amount, self.currency))


class CurrencyRule(PublicModel):
    """Where a store's prices in a currency come from when a variant has none of its own."""

    scope_by = {"store": "store"}

    class Mode(models.TextChoices):
        FIXED = "fixed", _("only prices of its own")
        DERIVED = "derived", _("from another currency, by the day's rate")

    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="currency_rules", verbose_name=_("store")
    )
    currency = models.CharField(_("currency"), max_length=3, choices=CURRENCY_CHOICES)
    mode = models.CharField(_("prices"), max_length=8, choices=Mode, default=Mode.DERIVED)
    base = models.CharField(
        _("from"),
        max_length=3,
        choices=CURRENCY_CHOICES,
        help_text=_("The currency whose prices are converted. It needs prices of its own."),
    )
    surcharge = models.DecimalField(
        _("surcharge %"),
        max_digits=6,
        decimal_places=3,
        default=0,
        help_text=_("Added to the converted price, for the bank's margin: 2.5."),
    )
    # Minor units: what rounds euros to .99 would round yen to nothing.
    round_to = AmountField(
        _("round to"),
        default=1,
        help_text=_("A multiple of this: 1.00, 0.05, or 100 in yen. Empty: the smallest coin."),
    )
    minus = AmountField(
        _("less"),
        default=0,
        help_text=_("What prices end below the multiple: 1.00 less 0.01 gives 12.99."),
    )

    class Meta:
        verbose_name = _("currency rule")
        verbose_name_plural = _("currency rules")
        constraints = [
            models.UniqueConstraint(fields=["store", "currency"], name="currency_rule_once"),
            models.CheckConstraint(condition=~Q(base=F("currency")), name="currency_rule_of_two"),
            models.CheckConstraint(
                condition=Q(surcharge__gte=0), name="currency_rule_surcharge_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(minus__gte=0, minus__lt=F("round_to")), name="currency_rule_rounds"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.base} → {self.currency}"
