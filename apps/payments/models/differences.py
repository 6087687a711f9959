"""Where a gateway and our books don't say the same: a to-do for staff."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel
from apps.payments.models.payments import Payment
from apps.payments.models.payouts import Payout


class ReconciliationDifference(PublicModel):
    """One payment or payout, one sum: what we have booked, and what its gateway says. In minor
    units.

    At most one is open for a payment, or payout, and kind. It closes itself once both say the
    same.
    """

    scope_by = {"store": "payment__order__store"}

    class Kind(models.TextChoices):
        # What may still be captured.
        AUTHORIZED = "authorized", _("authorized")
        CAPTURED = "captured", _("captured")
        REFUNDED = "refunded", _("refunded")
        # Another amount, currency or reference than ours.
        MISMATCH = "mismatch", _("another payment")
        MISSING = "missing", _("unknown to the provider")
        # Of a payout: its lines' sum beside its amount; the lines of no payment of ours.
        PAYOUT_SUM = "payout_sum", _("the payout's lines")
        NAMELESS = "nameless", _("of no payment")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("resolved")
        EQUAL = "equal", _("equal again")

    payment = models.ForeignKey(
        "payments.Payment",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="differences",
        verbose_name=_("payment"),
    )
    payout = models.ForeignKey(
        "payments.Payout",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="differences",
        verbose_name=_("payout"),
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    ours = AmountField(_("ours"))
    theirs = AmountField(_("the provider's"))
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.OPEN)
    # True while it is open, else null, which doesn't clash.
    is_open = models.BooleanField(null=True, default=True, editable=False)
    note = models.CharField(_("note"), max_length=500, blank=True)
    decided_by = models.CharField(_("resolved by"), max_length=254, blank=True)
    closed_at = models.DateTimeField(_("closed"), null=True, editable=False)

    class Meta:
        verbose_name = _("difference with a provider")
        verbose_name_plural = _("differences with providers")
        permissions = [("resolve_difference", "Can resolve differences with payment providers")]
        constraints = [
            models.UniqueConstraint(
                fields=["payment", "kind", "is_open"], name="difference_open_once"
            ),
            models.UniqueConstraint(
                fields=["payout", "kind", "is_open"], name="payout_difference_open_once"
            ),
            models.CheckConstraint(
                condition=Q(payment__isnull=False, payout__isnull=True)
                | Q(payment__isnull=True, payout__isnull=False),
                name="difference_of_one",
            ),
            models.CheckConstraint(
                condition=Q(status="open", is_open=True)
                | Q(status__in=("resolved", "equal"), is_open__isnull=True),
                name="difference_open_or_closed",
            ),
        ]
        # The dashboard's count and the list of what is to do.
        indexes = [models.Index(fields=["status"], name="difference_status")]

    def __str__(self) -> str:
        return f"{self.payment_id or self.payout_id}: {self.get_kind_display()}"

    @property
    def subject(self) -> Payment | Payout:
        """The payment or the payout: both have a gateway, an account and a currency."""
        subject = self.payment or self.payout
        assert subject is not None  # noqa: S101 (the constraint)
        return subject

    @property
    def currency(self) -> str:
        return self.subject.currency
