"""What providers paid out to the bank, and what each payout is made of."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel


class Payout(PublicModel):
    """One transfer to the shop's bank account, as the provider tells it; below zero, from it."""

    scope_by = {"store": "account__store"}

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        IN_TRANSIT = "in_transit", _("on its way")
        PAID = "paid", _("paid")
        FAILED = "failed", _("failed")
        CANCELLED = "cancelled", _("cancelled")

    gateway = models.CharField(_("gateway"), max_length=30)
    # Null: the account of the settings.
    account = models.ForeignKey(
        "payments.GatewayAccount",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payouts",
        verbose_name=_("account"),
    )
    provider_id = models.CharField(_("provider's id"), max_length=120)
    amount = AmountField(_("amount"))
    currency = models.CharField(_("currency"), max_length=3)
    arrives_on = models.DateField(_("arrives"), db_index=True)
    status = models.CharField(_("status"), max_length=10, choices=Status)
    is_test = models.BooleanField(_("test"), default=False)
    # Whether the provider told all its lines, and they are imported.
    is_complete = models.BooleanField(_("lines complete"), default=False)

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "provider_id"], name="payout_once")
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.provider_id}"


class PayoutLine(models.Model):
    """One movement of a payout, of the payment or refund it concerns, or of neither."""

    scope_by = {"store": "payout__account__store"}

    class Kind(models.TextChoices):
        CHARGE = "charge", _("captured")
        REFUND = "refund", _("refunded")
        DISPUTE = "dispute", _("dispute")
        FEE = "fee", _("fee")
        OTHER = "other", _("other")

    payout = models.ForeignKey(
        Payout, models.CASCADE, related_name="lines", verbose_name=_("payout")
    )
    provider_id = models.CharField(_("provider's id"), max_length=120)
    kind = models.CharField(_("kind"), max_length=7, choices=Kind)
    gross = AmountField(_("gross"), currency="payout.currency")
    fee = AmountField(_("fee"), currency="payout.currency")
    net = AmountField(_("net"), currency="payout.currency")
    # The provider's id of the payment, also where there is no such payment here.
    reference = models.CharField(_("payment's id"), max_length=120, blank=True)
    payment = models.ForeignKey(
        "payments.Payment",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payout_lines",
        verbose_name=_("payment"),
    )
    refund = models.ForeignKey(
        "payments.Refund",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payout_lines",
        verbose_name=_("refund"),
    )
    description = models.CharField(_("description"), max_length=300, blank=True)
    booked_at = models.DateTimeField(_("booked"))

    # Kinds that are a customer's money, and must name a payment.
    NAMED = (Kind.CHARGE, Kind.REFUND, Kind.DISPUTE)

    class Meta:
        verbose_name = _("payout line")
        verbose_name_plural = _("payout lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["payout", "provider_id"], name="payout_line_once"),
            models.CheckConstraint(
                condition=Q(net=F("gross") - F("fee")), name="payout_line_adds_up"
            ),
        ]

    def __str__(self) -> str:
        return self.provider_id
