"""Pick lists: what somebody fetches from the shelves of a location, for several shipments."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel


class PickList(PublicModel):
    scope_by = {"location": "location"}

    class Status(models.TextChoices):
        OPEN = "open", _("open")
        DONE = "done", _("done")

    location = models.ForeignKey(
        "inventory.Location", models.PROTECT, related_name="+", verbose_name=_("location")
    )
    status = models.CharField(
        _("status"), max_length=4, choices=Status, default=Status.OPEN, editable=False
    )
    picker = models.CharField(_("picker"), max_length=254, blank=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("pick list")
        verbose_name_plural = _("pick lists")
        permissions = [("pick", "Can pick and pack")]

    def __str__(self) -> str:
        return f"{self.location} {self.pk}"


class PickLine(models.Model):
    """Pieces for one line of a shipment. `bin` is the box on the trolley the shipment has."""

    scope_by = {"store": "line__fulfillment__order__store", "location": "pick_list__location"}

    pick_list = models.ForeignKey(PickList, models.CASCADE, related_name="lines")
    # A shipment's line is on one list: nobody fetches it twice.
    line = models.OneToOneField(
        "fulfillment.FulfillmentLine", models.CASCADE, related_name="pick_line"
    )
    bin = models.PositiveSmallIntegerField(_("box"))
    quantity = models.PositiveIntegerField(_("quantity"))
    picked = models.PositiveIntegerField(_("picked"), default=0)
    short = models.PositiveIntegerField(_("missing"), default=0)

    class Meta:
        verbose_name = _("line of a pick list")
        verbose_name_plural = _("lines of a pick list")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(quantity__gte=F("picked") + F("short")), name="picked_within"
            )
        ]

    def __str__(self) -> str:
        return f"{self.picked}/{self.quantity}"

    @property
    def left(self) -> int:
        return self.quantity - self.picked - self.short
