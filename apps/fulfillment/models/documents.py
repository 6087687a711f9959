"""Papers of many shipments in one file."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import private_storage
from apps.core.models import PublicModel


class PrintJob(PublicModel):
    """Packing slips and labels of shipments, made in the background into one PDF."""

    scope_by = {"user": "created_by"}

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    status = models.CharField(
        _("status"), max_length=7, choices=Status, default=Status.QUEUED, editable=False
    )
    slips = models.BooleanField(_("packing slips"), default=True)
    labels = models.BooleanField(_("labels"), default=True)
    done = models.PositiveIntegerField(_("progress"), default=0, editable=False)
    total = models.PositiveIntegerField(_("shipments"), default=0, editable=False)
    pages = models.PositiveIntegerField(_("pages"), default=0, editable=False)
    file = models.FileField(
        _("file"), upload_to="papers/%Y/%m/", storage=private_storage, blank=True, max_length=255
    )
    requested_by = models.CharField(_("requested by"), max_length=254, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.SET_NULL, null=True, related_name="+", editable=False
    )
    # A worker that died leaves its lease; another one begins again after it.
    lease_until = models.DateTimeField(null=True, editable=False)
    finished_at = models.DateTimeField(_("finished"), null=True, editable=False)

    class Meta:
        verbose_name = _("print job")
        verbose_name_plural = _("print jobs")
        permissions = [("print_papers", "Can print packing slips and labels")]

    def __str__(self) -> str:
        return str(self.public_id)


class PrintRow(models.Model):
    """A shipment in a print job, and how it went."""

    job = models.ForeignKey(PrintJob, models.CASCADE, related_name="rows")
    fulfillment = models.ForeignKey(
        "fulfillment.Fulfillment", models.CASCADE, related_name="print_rows"
    )
    # "": waiting, "ok", "no_label", "unreadable_label".
    result = models.CharField(_("result"), max_length=20, blank=True)

    class Meta:
        verbose_name = _("line of a print job")
        verbose_name_plural = _("lines of a print job")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["job", "fulfillment"], name="printed_once_a_job")
        ]

    def __str__(self) -> str:
        return f"{self.fulfillment_id}: {self.result}"
