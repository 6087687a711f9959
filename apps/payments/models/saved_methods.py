"""What a gateway keeps for a customer to pay by again."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel


class SavedMethod(PublicModel):
    """A card that a gateway keeps for a customer. We have its ids there, and what may be shown.

    One row for each method of the gateway; gone from there, it is gone from here.
    """

    scope_by = {"store": "account__store"}

    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="saved_methods",
        verbose_name=_("customer"),
    )
    gateway = models.CharField(_("gateway"), max_length=30)
    # Null: the account of the settings. Another account doesn't know the method.
    account = models.ForeignKey(
        "payments.GatewayAccount",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("account"),
    )
    provider_customer = models.CharField(_("provider's customer"), max_length=120)
    provider_id = models.CharField(_("provider's id"), max_length=120)
    brand = models.CharField(_("brand"), max_length=30)
    last4 = models.CharField(_("last four digits"), max_length=4)
    expiry_month = models.PositiveSmallIntegerField(_("expiry month"))
    expiry_year = models.PositiveSmallIntegerField(_("expiry year"))
    # At most one of a customer.
    is_default = models.BooleanField(_("default"), default=False)

    class Meta:
        verbose_name = _("saved payment method")
        verbose_name_plural = _("saved payment methods")
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "provider_id"], name="saved_method_once_at_provider"
            )
        ]

    def __str__(self) -> str:
        return f"{self.brand.title()} •••• {self.last4}"

    @property
    def expiry(self) -> str:
        """As it stands on the card: "04/29"."""
        return f"{self.expiry_month:02}/{self.expiry_year % 100:02}"
