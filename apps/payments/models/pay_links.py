"""Links by which a customer pays what an order still owes."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel


def new_token() -> str:
    """Whoever knows it may pay: 192 random bits."""
    return secrets.token_urlsafe(24)


class PayLink(PublicModel):
    """No amount: what is paid is what the order owes at that moment. At most one is open."""

    scope_by = {"store": "order__store"}

    class State(models.TextChoices):
        OPEN = "open", _("open")
        PAID = "paid", _("paid")
        REVOKED = "revoked", _("revoked")
        EXPIRED = "expired", _("expired")

    order = models.ForeignKey(
        "orders.Order", models.CASCADE, related_name="pay_links", verbose_name=_("order")
    )
    token = models.CharField(max_length=40, default=new_token, unique=True, editable=False)
    # The order's public id while the link is open, null afterwards: one open link for an order.
    open_key = models.CharField(max_length=40, unique=True, null=True, editable=False)
    expires_at = models.DateTimeField(_("expires"))
    paid_at = models.DateTimeField(_("paid"), null=True, editable=False)
    revoked_at = models.DateTimeField(_("revoked"), null=True, editable=False)
    # How often staff had it mailed again.
    mails = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("pay link")
        verbose_name_plural = _("pay links")

    def __str__(self) -> str:
        return f"{self.order_id} {self.state}"

    @property
    def state(self) -> str:
        if self.paid_at:
            return self.State.PAID
        if self.revoked_at:
            return self.State.REVOKED
        over = self.open_key is None or self.expires_at <= timezone.now()
        return self.State.EXPIRED if over else self.State.OPEN
