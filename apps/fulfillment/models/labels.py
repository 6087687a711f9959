"""Parcels, the labels bought for them, and what carriers tell of them."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel


class Parcel(PublicModel):
    """A box of a shipment. Weight in grams, lengths in mm; 0 where they aren't known."""

    scope_by = {"store": "fulfillment__order__store", "location": "fulfillment__location"}

    class Status(models.TextChoices):
        NONE = "", "–"
        IN_TRANSIT = "in_transit", _("in transit")
        OUT_FOR_DELIVERY = "out_for_delivery", _("out for delivery")
        FAILED = "failed", _("delivery failed")
        DELIVERED = "delivered", _("delivered")
        RETURNED = "returned", _("returned to sender")

    fulfillment = models.ForeignKey(
        "fulfillment.Fulfillment", models.CASCADE, related_name="parcels"
    )
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    weight = models.PositiveIntegerField(_("weight in grams"), default=0)
    length = models.PositiveIntegerField(_("length in mm"), default=0)
    width = models.PositiveIntegerField(_("width in mm"), default=0)
    height = models.PositiveIntegerField(_("height in mm"), default=0)
    # The code of the carrier that is asked about it; "": nobody is.
    carrier = models.SlugField(_("carrier"), max_length=40, blank=True)
    tracking_number = models.CharField(
        _("tracking number"), max_length=100, blank=True, db_index=True
    )
    status = models.CharField(
        _("status"), max_length=16, choices=Status, default=Status.NONE, blank=True
    )
    # When the carrier is asked next; null: never again.
    ask_at = models.DateTimeField(null=True, editable=False, db_index=True)

    class Meta:
        verbose_name = _("parcel")
        verbose_name_plural = _("parcels")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["fulfillment", "position"], name="parcel_position_once")
        ]

    def __str__(self) -> str:
        return f"{self.fulfillment_id}/{self.position + 1}"


class CarrierLabel(PublicModel):
    """A label bought of a carrier; the row is there before the carrier is called.

    `public_id` keys the call, so that a label whose answer was lost isn't bought again.
    """

    class Status(models.TextChoices):
        PENDING = "pending", _("being bought")
        BOUGHT = "bought", _("bought")
        REFUSED = "refused", _("refused")
        VOIDING = "voiding", _("being given back")
        VOIDED = "voided", _("given back")

    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PENDING)
    # True, or null once it is refused or given back: one that counts for each parcel.
    is_alive = models.BooleanField(null=True, default=True, editable=False)
    carrier = models.SlugField(_("carrier"), max_length=40)
    service = models.CharField(_("service"), max_length=60, blank=True)
    provider_id = models.CharField(_("carrier's id"), max_length=100, blank=True)
    tracking_number = models.CharField(_("tracking number"), max_length=100, blank=True)
    tracking_url = models.URLField(_("tracking address"), max_length=500, blank=True)
    # As customers know it, where that isn't us.
    carrier_name = models.CharField(max_length=60, blank=True, editable=False)
    amount = AmountField(_("price"), default=0)
    currency = models.CharField(_("currency"), max_length=3, blank=True)
    document = models.BinaryField(default=bytes, editable=False)
    content_type = models.CharField(max_length=80, blank=True, editable=False)
    error = models.CharField(_("error"), max_length=300, blank=True)
    # Nobody else calls the carrier for it until then.
    claimed_until = models.DateTimeField(null=True, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.carrier} {self.tracking_number or self.status}"


ALIVE_WHILE_IT_COUNTS = Q(status__in=["pending", "bought", "voiding"], is_alive=True) | Q(
    status__in=["refused", "voided"], is_alive__isnull=True
)


class ShippingLabel(CarrierLabel):
    """A label for a parcel."""

    parcel = models.ForeignKey(Parcel, models.PROTECT, related_name="labels")

    class Meta:
        verbose_name = _("shipping label")
        verbose_name_plural = _("shipping labels")
        constraints = [
            models.UniqueConstraint(fields=["parcel", "is_alive"], name="label_alive_once"),
            models.CheckConstraint(
                condition=ALIVE_WHILE_IT_COUNTS, name="label_alive_while_it_counts"
            ),
        ]
        # What is still to be settled with the carrier.
        indexes = [models.Index(fields=["status", "updated_at"], name="label_undecided")]


class TrackingEvent(models.Model):
    """What a carrier told; the same news once, however often and in which order it is told."""

    parcel = models.ForeignKey(Parcel, models.CASCADE, related_name="events")
    at = models.DateTimeField(_("at"))
    status = models.CharField(_("status"), max_length=16)
    message = models.CharField(_("message"), max_length=200, blank=True)
    location = models.CharField(_("location"), max_length=120, blank=True)

    class Meta:
        verbose_name = _("tracking event")
        verbose_name_plural = _("tracking events")
        ordering = ["at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["parcel", "at", "status", "message"], name="tracking_event_once"
            )
        ]

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M} {self.status}"
