"""What we told whom: the delivery log is the queue as well."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel
from apps.core.scopes import NOBODY


class Notification(PublicModel):
    """One rendered message to one person, and how its sending went."""

    scope_by = {"user": NOBODY}

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SENDING = "sending", _("sending")
        SENT = "sent", _("sent")
        FAILED = "failed", _("failed")

    kind = models.CharField(_("kind"), max_length=60)
    channel = models.CharField(_("channel"), max_length=10, default="email")
    sender = models.CharField(_("from"), max_length=400)
    recipient = models.CharField(_("recipient"), max_length=254)
    language = models.CharField(_("language"), max_length=10)
    subject = models.CharField(_("subject"), max_length=250)
    body_text = models.TextField(_("text"))
    body_html = models.TextField(_("HTML"), blank=True)
    # A gift card's code, say: the text is forgotten as soon as it was sent.
    is_confidential = models.BooleanField(default=False, editable=False)
    # One message per event and person, however often the event is delivered.
    dedupe_key = models.CharField(max_length=150, unique=True)
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"))
    sent_at = models.DateTimeField(_("sent"), null=True)
    last_error = models.TextField(_("last error"), blank=True)

    class Meta:
        verbose_name = _("notification")
        verbose_name_plural = _("notifications")
        indexes = [
            # The sender's claim.
            models.Index(fields=["status", "due_at"], name="notification_due"),
            # The figures of the last days.
            models.Index(fields=["created_at"], name="notification_created"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} → {self.recipient}"
