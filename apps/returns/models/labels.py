"""Labels by which customers send their returns back."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.fulfillment.models import ALIVE_WHILE_IT_COUNTS, CarrierLabel, Parcel


class ReturnLabel(CarrierLabel):
    """A label from the customer to `location`, and how far its parcel is."""

    request = models.ForeignKey("returns.ReturnRequest", models.PROTECT, related_name="labels")
    location = models.ForeignKey(
        "inventory.Location", models.PROTECT, related_name="+", verbose_name=_("to")
    )
    # As the policy said when it was bought.
    is_deducted = models.BooleanField(_("taken off the refund"), default=False)
    parcel_status = models.CharField(
        _("parcel"),
        max_length=16,
        choices=Parcel.Status,
        default=Parcel.Status.NONE,
        blank=True,
    )
    # When the carrier is asked next; null: never again.
    ask_at = models.DateTimeField(null=True, editable=False, db_index=True)

    class Meta:
        verbose_name = _("return label")
        verbose_name_plural = _("return labels")
        constraints = [
            models.UniqueConstraint(fields=["request", "is_alive"], name="return_label_once"),
            models.CheckConstraint(
                condition=ALIVE_WHILE_IT_COUNTS, name="return_label_alive_while_it_counts"
            ),
        ]
        indexes = [
            # What is still to be settled with the carrier.
            models.Index(fields=["status", "updated_at"], name="return_label_undecided"),
            # Of which parcel a carrier has news.
            models.Index(fields=["tracking_number"], name="return_label_tracked"),
        ]
