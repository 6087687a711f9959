"""Promotions, their codes, and who used them."""

from __future__ import annotations

from datetime import datetime

from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.ids import uuid7
from apps.core.models import PublicModel, TimestampedModel
from apps.promotions.querysets import PromotionQuerySet


class Promotion(TimestampedModel):
    """One offer. `conditions` and `effect` are checked by the service that saves it.

    `effect`: {"type": "percentage", "percent": "10", "of": "order"} and the like;
    `conditions`: {"items": {"category": ["mugs"]}, "min_spend": {"EUR": "50.00"}, …}; see
    `engines.schema` for every member.
    """

    class Status(models.TextChoices):
        """Not a column: the clock decides."""

        INACTIVE = "inactive", _("inactive")
        USED_UP = "used_up", _("used up")
        ENDED = "ended", _("ended")
        SCHEDULED = "scheduled", _("scheduled")
        RUNNING = "running", _("running")

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(
        _("name"), max_length=120, help_text=_("As shoppers see it: Summer sale.")
    )
    is_active = models.BooleanField(_("active"), default=False)
    stores = models.ManyToManyField(
        "stores.Store",
        blank=True,
        related_name="promotions",
        verbose_name=_("stores"),
        help_text=_("Empty: in every store."),
    )
    is_catalogue = models.BooleanField(
        _("shown as the price in lists"),
        default=False,
        help_text=_("The reduced price is shown everywhere, before anything is in a cart."),
    )
    needs_code = models.BooleanField(_("needs a code"), default=False)
    effect = models.JSONField(_("effect"), default=dict)
    conditions = models.JSONField(_("conditions"), default=dict, blank=True)
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    # Of the store's own clock: [0 … 6], Monday first, and "HH:MM".
    weekdays = models.JSONField(_("weekdays"), default=list, blank=True)
    hours_from = models.TimeField(_("hours from"), null=True, blank=True)
    hours_to = models.TimeField(_("hours until"), null=True, blank=True)
    stacking_group = models.SlugField(
        _("stacking group"),
        max_length=40,
        blank=True,
        help_text=_("Of the promotions of one group, only the best counts."),
    )
    priority = models.IntegerField(_("priority"), default=0, help_text=_("The highest goes first."))
    is_exclusive = models.BooleanField(
        _("exclusive"), default=False, help_text=_("Where it applies, no other one does.")
    )
    usage_limit = models.PositiveIntegerField(_("orders, at most"), null=True, blank=True)
    usage_limit_per_customer = models.PositiveIntegerField(
        _("orders of one customer, at most"), null=True, blank=True
    )
    max_per_order = models.PositiveIntegerField(
        _("pieces in one order, at most"),
        null=True,
        blank=True,
        help_text=_("For buy X get Y: how often it counts in one order."),
    )
    # Orders that use it, counted where there is a limit: the limit's guard.
    used = models.PositiveIntegerField(_("used"), default=0, editable=False)
    # New with every save, so that what was compiled from an older one is thrown away.
    version = models.UUIDField(default=uuid7, editable=False)

    objects = PromotionQuerySet.as_manager()

    class Meta:
        verbose_name = _("promotion")
        verbose_name_plural = _("promotions")
        ordering = ["-priority", "code"]
        constraints = [
            models.CheckConstraint(
                condition=Q(usage_limit__isnull=True) | Q(used__lte=F("usage_limit")),
                name="promotion_used_within_limit",
            ),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(starts_at__lt=F("ends_at")),
                name="promotion_window_ordered",
            ),
        ]
        # The till asks for what is active now.
        indexes = [models.Index(fields=["is_active", "needs_code"], name="promotion_active")]

    def __str__(self) -> str:
        return self.name

    def status_at(self, at: datetime) -> Status:
        """What it is doing at a moment, weekdays and hours apart."""
        if not self.is_active:
            return self.Status.INACTIVE
        if self.usage_limit is not None and self.used >= self.usage_limit:
            return self.Status.USED_UP
        if self.ends_at is not None and self.ends_at <= at:
            return self.Status.ENDED
        if self.starts_at is not None and self.starts_at > at:
            return self.Status.SCHEDULED
        return self.Status.RUNNING


class Coupon(PublicModel):
    """A code that a shopper types; kept in capitals, as it is compared."""

    promotion = models.ForeignKey(
        Promotion, models.CASCADE, related_name="coupons", verbose_name=_("promotion")
    )
    code = models.CharField(
        _("code"),
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[A-Z0-9][A-Z0-9_-]*$", _("Letters, digits and hyphens."))],
    )
    batch = models.CharField(_("batch"), max_length=60, blank=True, db_index=True)
    is_active = models.BooleanField(_("active"), default=True)
    usage_limit = models.PositiveIntegerField(_("orders, at most"), null=True, blank=True)
    used = models.PositiveIntegerField(_("used"), default=0, editable=False)

    class Meta:
        verbose_name = _("code")
        verbose_name_plural = _("codes")
        constraints = [
            models.CheckConstraint(
                condition=Q(usage_limit__isnull=True) | Q(used__lte=F("usage_limit")),
                name="coupon_used_within_limit",
            )
        ]

    def __str__(self) -> str:
        return self.code


class Redemption(TimestampedModel):
    """An order that uses a promotion. Deleted when the order is cancelled.

    Orders that were one share its `use`, which is counted once.

    `customer_key` is a digest of the normalised e-mail address; `slot` numbers the uses of one
    customer where they are limited, so that the database refuses one too many.
    """

    promotion = models.ForeignKey(Promotion, models.PROTECT, related_name="redemptions")
    coupon = models.ForeignKey(Coupon, models.PROTECT, null=True, related_name="redemptions")
    use = models.UUIDField(default=uuid7, db_index=True, editable=False)
    reference = models.CharField(_("reference"), max_length=80, db_index=True)
    customer_key = models.CharField(max_length=64)
    slot = models.PositiveIntegerField(null=True)
    currency = models.CharField(_("currency"), max_length=3)
    amount = AmountField(_("amount"))

    class Meta:
        verbose_name = _("redemption")
        verbose_name_plural = _("redemptions")
        constraints = [
            models.UniqueConstraint(fields=["promotion", "reference"], name="redeemed_once"),
            models.UniqueConstraint(
                fields=["promotion", "customer_key", "slot"], name="redemption_slot"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.promotion_id}: {self.reference}"
