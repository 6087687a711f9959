"""Import and export jobs."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import private_storage
from apps.core.models import PublicModel


class ImportJob(PublicModel):
    """One file on its way into the catalogue. Resumes at `offset` after an interruption."""

    scope_by = {"store": "store", "location": "location"}

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    format = models.CharField(_("format"), max_length=30)
    file = models.FileField(
        _("file"), upload_to="imports/%Y/%m/", storage=private_storage, max_length=255
    )
    original_name = models.CharField(_("file name"), max_length=255)
    # SHA-256 of the content: the same file continues its own interrupted job.
    file_hash = models.CharField(_("checksum"), max_length=64, db_index=True)
    store = models.ForeignKey("stores.Store", models.CASCADE, verbose_name=_("store"))
    location = models.ForeignKey(
        "inventory.Location", models.CASCADE, null=True, blank=True, verbose_name=_("location")
    )
    update_existing = models.BooleanField(_("update existing products"), default=False)
    dry_run = models.BooleanField(_("dry run"), default=False)
    status = models.CharField(
        _("status"), max_length=8, choices=Status, default=Status.QUEUED, db_index=True
    )
    # Groups of rows (products) finished so far, of how many.
    offset = models.PositiveIntegerField(_("progress"), default=0)
    total_groups = models.PositiveIntegerField(_("products"), default=0)
    total_rows = models.PositiveIntegerField(_("rows"), default=0)
    counts = models.JSONField(_("counts"), default=dict)
    # The first changes and refusals, for the pages of the job.
    preview = models.JSONField(_("preview"), default=list)
    refusals = models.JSONField(_("refused rows"), default=list)
    # What to know about the file: columns that aren't imported, its encoding.
    notes = models.JSONField(_("notes"), default=list)
    header = models.JSONField(_("header"), default=list)
    error_file = models.FileField(
        _("refused rows"), upload_to="imports/%Y/%m/", storage=private_storage, blank=True
    )
    error = models.CharField(_("error"), max_length=500, blank=True)
    # A worker that died leaves its lease; another one goes on after it.
    lease_until = models.DateTimeField(_("leased until"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("created by"),
    )
    finished_at = models.DateTimeField(_("finished"), null=True)

    class Meta:
        verbose_name = _("import")
        verbose_name_plural = _("imports")

    def __str__(self) -> str:
        return self.original_name

    @property
    def percent(self) -> int:
        if self.status == self.Status.DONE:
            return 100
        return self.offset * 100 // self.total_groups if self.total_groups else 0

    @property
    def is_waiting(self) -> bool:
        """Somebody will work on it, or does."""
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class RefusedRow(models.Model):
    """A row that wasn't taken, until the job is finished and writes its error file."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="refused_rows")
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=200, blank=True)
    reason = models.CharField(max_length=300)
    cells = models.JSONField()

    class Meta:
        verbose_name = _("refused row")
        verbose_name_plural = _("refused rows")
        # The error file, in the order of the lines.
        indexes = [models.Index(fields=["job", "line"], name="refused_line")]

    def __str__(self) -> str:
        return f"{self.line}: {self.reason}"


class WaitingRelation(models.Model):
    """What a file wants shown beside a product, until all of its products are there."""

    job = models.ForeignKey(ImportJob, models.CASCADE, related_name="waiting_relations")
    line = models.PositiveIntegerField()
    slug = models.CharField(max_length=255)
    # Slugs or SKUs, in order.
    related = models.JSONField()
    cells = models.JSONField()

    class Meta:
        verbose_name = _("waiting relation")
        verbose_name_plural = _("waiting relations")

    def __str__(self) -> str:
        return f"{self.line}: {self.slug}"
