"""Where a gateway and our books don't say the same: a to-do for staff."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel


class ReconciliationDifference(PublicModel):
    """One payment, one sum: what we have booked, and what its gateway says. In minor units.

    At most one is open for a payment and kind. It closes itself once both say the same.
    """

    class Kind(models.TextChoices):
        # What may still be captured.
        AUTHORIZED = "authorized", _("authorized")
        CAPTURED = "captured", _("captured")
        REFUNDED = "refunded", _("refunded")
        # Another amount, currency or reference than ours.
        MISMATCH = "mismatch", _("another payment")
        MISSING = "missing", _("unknown to the provider")

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        RESOLVED = "resolved", _("resolved")
        EQUAL = "equal", _("equal again")

    payment = models.ForeignKey(
        "payments.Payment", models.CASCADE, related_name="differences", verbose_name=_("payment")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    ours = AmountField(_("ours"), currency="payment.currency")
    theirs = AmountField(_("the provider's"), currency="payment.currency")
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
            models.CheckConstraint(
                condition=Q(status="open", is_open=True)
                | Q(status__in=("resolved", "equal"), is_open__isnull=True),
                name="difference_open_or_closed",
            ),
        ]
        # The dashboard's count and the list of what is to do.
        indexes = [models.Index(fields=["status"], name="difference_status")]

    def __str__(self) -> str:
        return f"{self.payment_id}: {self.get_kind_display()}"
