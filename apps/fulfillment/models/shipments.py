"""Shipments: what leaves or left, from where, with whom."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel
from apps.fulfillment import states


class Fulfillment(PublicModel):
    """Pieces of one order that leave together. Its states are in states.py."""

    scope_by = {"store": "order__store", "location": "location"}

    class Status(models.TextChoices):
        PLANNED = states.PLANNED, _("planned")
        LABELLED = states.LABELLED, _("label bought")
        SHIPPED = states.SHIPPED, _("shipped")
        DELIVERED = states.DELIVERED, _("delivered")
        FAILED = states.FAILED, _("delivery failed")
        RETURNED = states.RETURNED, _("returned to sender")
        CANCELLED = states.CANCELLED, _("cancelled")

    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="fulfillments", verbose_name=_("order")
    )
    # Null: from wherever the order's pieces are promised.
    location = models.ForeignKey(
        "inventory.Location",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="fulfillments",
        verbose_name=_("location"),
    )
    # The shipment in whose parcels, under whose labels, this one of another order travels; null:
    # in its own. Only the first of those that share a parcel has any.
    carried_by = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="carries",
        editable=False,
        verbose_name=_("in the parcel of"),
    )
    status = models.CharField(
        _("status"), max_length=9, choices=Status, default=Status.PLANNED, editable=False
    )
    # As people are told; where labels were bought, of the first parcel.
    carrier = models.CharField(_("carrier"), max_length=60, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=100, blank=True)
    tracking_url = models.URLField(_("tracking address"), max_length=500, blank=True)
    shipped_at = models.DateTimeField(_("shipped"), null=True, blank=True)
    delivered_at = models.DateTimeField(_("delivered"), null=True, blank=True)

    class Meta:
        verbose_name = _("shipment")
        verbose_name_plural = _("shipments")
        permissions = [("ship_order", "Can ship orders")]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=states.STATES), name="shipment_status_known"
            ),
            # Who is given up leaves its parcels to the others.
            models.CheckConstraint(
                condition=Q(carried_by__isnull=True) | ~Q(status=states.CANCELLED),
                name="shipment_carried_while_it_counts",
            ),
        ]
        indexes = [
            # What waits at a location: pick lists and papers.
            models.Index(fields=["location", "status"], name="shipment_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.carrier} {self.tracking_number}".strip()

    @property
    def reference(self) -> str:
        """How the movements of its pieces are known."""
        return f"shipment:{self.public_id}"

    @property
    def together(self) -> list[Fulfillment]:
        """All that share its parcels, the one that has them first."""
        return [self.lead, *self.lead.carries.all()]

    @property
    def lead(self) -> Fulfillment:
        """Whose parcels these are: its own, if it doesn't travel with another."""
        return self.carried_by or self


class FulfillmentLine(models.Model):
    fulfillment = models.ForeignKey(Fulfillment, models.CASCADE, related_name="lines")
    # What never shipped may be taken out of its order; a cancelled shipment forgets it.
    order_line = models.ForeignKey(
        "orders.OrderLine", models.CASCADE, related_name="fulfillment_lines"
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
