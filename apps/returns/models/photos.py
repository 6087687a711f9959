"""Photos of what comes back, or arrived damaged."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import UploadedPhoto


class ReturnPhoto(UploadedPhoto):
    """For the customer and the staff only: what is written anew is private, too."""

    folder = "returns"
    storage = "private"

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="+")
    # Null before the return is asked for that it belongs to.
    request = models.ForeignKey(
        "returns.ReturnRequest", models.CASCADE, null=True, related_name="photos"
    )

    class Meta:
        verbose_name = _("photo of a return")
        verbose_name_plural = _("photos of returns")
        ordering = ["position", "pk"]
        # The workers' claim.
        indexes = [models.Index(fields=["status", "due_at"], name="returnphoto_due")]
