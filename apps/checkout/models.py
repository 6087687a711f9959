"""Carts."""

from __future__ import annotations

import secrets

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel, TimestampedModel


def new_cart_id() -> str:
    """A guest holds nothing but this id, so it has 192 random bits."""
    return secrets.token_urlsafe(24)


class Cart(TimestampedModel):
    """What somebody means to buy. Prices are asked of the till whenever the cart is shown."""

    scope_by = {"store": "store"}

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        # An order stands for it; its payment may still be retried.
        ORDERED = "ordered", _("ordered")
        MERGED = "merged", _("merged")

    public_id = models.CharField(max_length=40, unique=True, default=new_cart_id, editable=False)
    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="carts", verbose_name=_("store")
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="carts",
        verbose_name=_("customer"),
    )
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.OPEN)
    currency = models.CharField(_("currency"), max_length=3)
    email = models.EmailField(_("e-mail"), blank=True)
    language = models.CharField(_("language"), max_length=10, default="en")
    shipping_address = models.JSONField(_("shipping address"), default=dict, blank=True)
    billing_address = models.JSONField(_("billing address"), default=dict, blank=True)
    shipping_method = models.CharField(_("shipping method"), max_length=60, blank=True)
    note = models.TextField(_("note"), blank=True)
    # The discount codes that the shopper typed, in capitals, in the order typed.
    codes = models.JSONField(_("codes"), default=list, blank=True)
    # Gift cards and store credit that pay: [{"id": public id, "seen": balance the shopper saw}].
    tenders = models.JSONField(default=list, blank=True, editable=False)
    # The digest of the keyed one-call checkout that made it: a retry finds its cart again.
    source_key = models.CharField(max_length=64, unique=True, null=True, editable=False)
    # Made by staff for somebody: no shopper finds it, and it waits until it is placed.
    is_draft = models.BooleanField(_("draft by staff"), default=False, editable=False)

    class Meta:
        verbose_name = _("cart")
        verbose_name_plural = _("carts")
        # The clean-up of abandoned carts.
        indexes = [models.Index(fields=["status", "updated_at"], name="cart_abandoned")]

    def __str__(self) -> str:
        return f"#{self.pk}"


class CartLine(PublicModel):
    cart = models.ForeignKey(Cart, models.CASCADE, related_name="lines")
    variant = models.ForeignKey("products.Variant", models.CASCADE, related_name="+")
    quantity = models.PositiveIntegerField(_("quantity"))
    # What the shopper saw last, so that a change is told and not slipped in.
    seen_price = AmountField(_("seen price"), currency="cart.currency", null=True)
    # Set by staff, in place of the price list's, and why.
    agreed_price = AmountField(_("agreed price"), currency="cart.currency", null=True)
    agreed_reason = models.CharField(_("reason"), max_length=300, blank=True)
    # Who gets the gift cards of this line: recipient_email, sender_name, message. {}: the buyer.
    gift_card = models.JSONField(_("gift card for"), default=dict, blank=True)

    class Meta:
        verbose_name = _("cart line")
        verbose_name_plural = _("cart lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["cart", "variant"], name="variant_once_a_cart"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="cart_quantity_positive"),
            models.CheckConstraint(
                condition=Q(agreed_price__isnull=True) | Q(agreed_price__gte=0),
                name="cart_agreed_price_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.variant_id}"
