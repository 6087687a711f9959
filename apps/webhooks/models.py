"""Where others are told what happened here, and how each telling went."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from apps.core.fields import SealedField
from apps.core.models import PublicModel
from apps.core.scopes import NOBODY, OWN


class WebhookEndpoint(PublicModel):
    """An address of somebody's server that is told of some events, of every store."""

    # Events of all stores: nothing for staff who are limited to some.
    scope_by = {OWN: NOBODY}

    name = models.CharField(_("name"), max_length=100)
    url = models.URLField(_("address"), max_length=500)
    # Names out of `services.topics.TOPICS`.
    events = models.JSONField(_("events"), default=list)
    # "secret", and after a rotation "previous".
    secrets = SealedField()
    previous_expires_at = models.DateTimeField(_("former secret until"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    # Since when nothing has arrived; null while it does.
    failing_since = models.DateTimeField(_("failing since"), null=True, blank=True)
    # One worker at a time; who died leaves its lease.
    lease_until = models.DateTimeField(null=True, blank=True, editable=False)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="webhook_endpoints",
        verbose_name=_("made by"),
    )

    class Meta:
        verbose_name = _("webhook endpoint")
        verbose_name_plural = _("webhook endpoints")

    def __str__(self) -> str:
        return self.name


class WebhookDelivery(PublicModel):
    """One event on its way to one endpoint, until it arrived or is given up."""

    scope_by = {OWN: NOBODY}

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DELIVERED = "delivered", _("delivered")
        FAILED = "failed", _("given up")

    endpoint = models.ForeignKey(
        WebhookEndpoint,
        models.CASCADE,
        related_name="deliveries",
        db_index=False,
        verbose_name=_("webhook endpoint"),
    )
    # The receiver's means against duplicates: the same in every attempt and replay.
    event_id = models.UUIDField(_("event"))
    event = models.CharField(_("kind of event"), max_length=60)
    # The bytes that are sent and signed.
    body = models.TextField(_("body"))
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.WAITING)
    attempts = models.PositiveSmallIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("next attempt"))
    # Of the last attempt: the HTTP status (null: no answer), and what went wrong.
    answer = models.PositiveSmallIntegerField(_("answer"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=300, blank=True)
    attempted_at = models.DateTimeField(_("last attempt"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [
            models.UniqueConstraint(fields=["endpoint", "event_id"], name="webhook_told_once")
        ]
        indexes = [
            models.Index(fields=["endpoint", "status", "due_at"], name="webhook_due"),
            models.Index(fields=["status", "due_at"], name="webhook_sweep"),
            models.Index(fields=["created_at"], name="webhook_age"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"
