"""Four eyes: what staff may not do alone."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel, TimestampedModel
from apps.core.money import CURRENCY_CHOICES
from apps.stores.models import Store


class ApprovalLimit(TimestampedModel):
    """Above it, what staff give away waits for another person. No row: nothing does."""

    store = models.ForeignKey(
        Store, models.CASCADE, related_name="approval_limits", verbose_name=_("store")
    )
    currency = models.CharField(_("currency"), max_length=3, choices=CURRENCY_CHOICES)
    amount = AmountField(
        _("amount"),
        help_text=_("What one order may be given within 24 hours without another's approval."),
    )

    class Meta:
        verbose_name = _("approval limit")
        verbose_name_plural = _("approval limits")
        ordering = ["currency"]
        constraints = [
            models.UniqueConstraint(fields=["store", "currency"], name="approval_limit_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="approval_limit_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.store_id}: {self.amount} {self.currency}"


class Approval(PublicModel):
    """What somebody of the staff asked for, and what another one said to it.

    `verb` is one of those registered in `services.approving`, `arguments` are its own.
    """

    scope_by = {"store": "order__store"}

    class Status(models.TextChoices):
        ASKED = "asked", _("waits")
        DONE = "done", _("approved and done")
        FAILED = "failed", _("approved, but failed")
        REFUSED = "refused", _("refused")
        EXPIRED = "expired", _("expired")

    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="approvals", verbose_name=_("order")
    )
    verb = models.CharField(_("what"), max_length=20)
    arguments = models.JSONField(_("arguments"), default=dict)
    amount = AmountField(_("amount"), currency="order.currency")
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.ASKED)
    asked_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("asked by"),
    )
    expires_at = models.DateTimeField(_("expires"))
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("decided by"),
    )
    decided_at = models.DateTimeField(_("decided"), null=True)
    # Why it was refused, or failed.
    note = models.CharField(_("note"), max_length=500, blank=True)

    class Meta:
        verbose_name = _("approval")
        verbose_name_plural = _("approvals")
        permissions = [("decide_approval", "Can approve what others of the staff ask for")]
        constraints = [
            models.CheckConstraint(
                condition=~Q(decided_by=F("asked_by")), name="approval_by_another_person"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="approval_amount_positive"),
        ]
        # The queue, and what expires.
        indexes = [models.Index(fields=["status", "expires_at"], name="approval_waiting")]

    def __str__(self) -> str:
        return f"{self.order}: {self.verb}"
