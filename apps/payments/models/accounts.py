"""Accounts at payment providers, beside those of the settings."""

from __future__ import annotations

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from apps.core.fields import SealedField
from apps.core.models import PublicModel


class GatewayAccount(PublicModel):
    """How a store, or every store, takes payments by one gateway.

    A store's own rows come before those of all stores. Where a gateway has a row for a store, the
    account of the settings isn't used there; where all its rows are off, it isn't offered.
    """

    scope_by = {"store": "store"}

    store = models.ForeignKey(
        "stores.Store",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("store"),
        help_text=_("Empty: all stores."),
    )
    gateway = models.CharField(_("gateway"), max_length=30)
    position = models.PositiveIntegerField(_("position"), default=0)
    is_enabled = models.BooleanField(_("offered"), default=True)
    is_test = models.BooleanField(
        _("test"), default=False, help_text=_("Shoppers are told that no money moves.")
    )
    # Language → what shoppers read; the gateway's own words where there is none.
    titles = models.JSONField(_("titles"), default=dict, blank=True)
    credentials = SealedField()

    class Meta:
        verbose_name = _("payment account")
        verbose_name_plural = _("payment accounts")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return f"{self.gateway} {self.public_id}"

    @property
    def title(self) -> str:
        """In the language of the request, or its base; "" if nobody wrote one."""
        language = get_language() or ""
        return str(self.titles.get(language) or self.titles.get(language.partition("-")[0]) or "")
