"""Product images: the original, and renditions made in the background."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel


class ProductImage(PublicModel):
    """An image of a product. Re-encoded by us: what a stranger uploaded is never served."""

    class Status(models.TextChoices):
        PENDING = "pending", _("to be fetched")
        READY = "ready", _("ready")
        FAILED = "failed", _("failed")

    product = models.ForeignKey("products.Product", models.CASCADE, related_name="images")
    file = models.ImageField(_("file"), upload_to="products/%Y/%m/", blank=True, max_length=255)
    source_url = models.CharField(_("source address"), max_length=1000, blank=True)
    alt = models.CharField(_("alternative text"), max_length=300, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    width = models.PositiveIntegerField(default=0, editable=False)
    height = models.PositiveIntegerField(default=0, editable=False)
    # [{"width", "height", "path"}], ascending: responsive thumbnails.
    renditions = models.JSONField(default=list, editable=False)
    status = models.CharField(
        _("status"), max_length=7, choices=Status, default=Status.PENDING, db_index=True
    )
    error = models.CharField(_("error"), max_length=300, blank=True)
    attempts = models.PositiveIntegerField(default=0, editable=False)

    class Meta:
        verbose_name = _("product image")
        verbose_name_plural = _("product images")
        ordering = ["position", "pk"]

    def __str__(self) -> str:
        return self.alt or self.source_url or self.file.name
