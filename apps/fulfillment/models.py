"""Shipments: what left, from where, with whom."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel


class Fulfillment(PublicModel):
    class Status(models.TextChoices):
        SHIPPED = "shipped", _("shipped")
        DELIVERED = "delivered", _("delivered")

    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="fulfillments", verbose_name=_("order")
    )
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.SHIPPED)
    carrier = models.CharField(_("carrier"), max_length=60, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=100, blank=True)
    tracking_url = models.URLField(_("tracking address"), max_length=500, blank=True)
    shipped_at = models.DateTimeField(_("shipped"), auto_now_add=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        permissions = [("ship_order", "Can ship orders")]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.carrier} {self.tracking_number}".strip()


class FulfillmentLine(models.Model):
    fulfillment = models.ForeignKey(Fulfillment, models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(
        "orders.OrderLine", models.PROTECT, related_name="fulfillment_lines"
    )
    quantity = models.PositiveIntegerField(_("quantity"))

    class Meta:
        verbose_name = _("shipment line")
        verbose_name_plural = _("shipment lines")
        constraints = [
            models.UniqueConstraint(
                fields=["fulfillment", "order_line"], name="line_once_a_shipment"
            ),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="shipped_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.order_line_id}"
