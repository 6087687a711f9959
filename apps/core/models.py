"""Base classes, and the tables of the ground floor's own mechanisms."""

from __future__ import annotations

from typing import Any, ClassVar

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.ids import uuid7
from apps.core.scopes import NOBODY


class TimestampedModel(models.Model):
    created_at = models.DateTimeField(_("created"), auto_now_add=True, editable=False)
    updated_at = models.DateTimeField(_("updated"), auto_now=True, editable=False)

    class Meta:
        abstract = True


class PublicModel(TimestampedModel):
    """A row the outside world knows by an opaque, unguessable id."""

    public_id = models.UUIDField(_("public id"), default=uuid7, unique=True, editable=False)

    class Meta:
        abstract = True


class StaffTag(TimestampedModel):
    """A word that staff put on things (`apps.core.tags`)."""

    name = models.CharField(_("name"), max_length=60)
    # The name without case: "VIP" and "vip" are one tag.
    key = models.CharField(max_length=60, unique=True, editable=False)

    class Meta:
        abstract = True
        ordering = ["key"]

    def __str__(self) -> str:
        return self.name


class UploadedPhoto(PublicModel):
    """Somebody's picture (`apps.core.photos`). The original lies in quarantine and is never shown;
    it is deleted once it was scanned, and written anew by us without its metadata.
    """

    class Status(models.TextChoices):
        EXPECTED = "expected", _("expected")
        QUARANTINED = "quarantined", _("in quarantine")
        READY = "ready", _("ready")
        REFUSED = "refused", _("refused")

    # Where its files lie, and in which storage what was written anew.
    folder: ClassVar[str]
    storage: ClassVar[str] = "default"

    status = models.CharField(
        _("status"), max_length=11, choices=Status, default=Status.EXPECTED, editable=False
    )
    position = models.PositiveSmallIntegerField(default=0)
    # [{"width", "height", "path"}], ascending.
    renditions = models.JSONField(default=list, editable=False)
    error = models.CharField(_("error"), max_length=300, blank=True, editable=False)
    attempts = models.PositiveSmallIntegerField(default=0, editable=False)
    due_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.public_id)

    @property
    def quarantine(self) -> str:
        """The name of its original in the private storage."""
        return f"{self.folder}/quarantine/{self.public_id}"


class AppendOnlyModel(models.Model):
    """A ledger row: written once, never changed, never deleted."""

    class Meta:
        abstract = True

    def save(self, *args: Any, **kwargs: Any) -> None:
        if self.pk is not None and not self._state.adding:
            raise TypeError(f"{type(self).__name__} is append-only.")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise TypeError(f"{type(self).__name__} is append-only.")


class OutboxMessage(models.Model):
    """One event on its way to one receiver. Written in the transaction of the change itself."""

    scope_by = {"user": NOBODY}

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")
        DEAD = "dead", _("dead letter")

    event_id = models.UUIDField(_("event id"), default=uuid7)
    name = models.CharField(_("event"), max_length=80)
    receiver = models.CharField(_("receiver"), max_length=120)
    payload = models.JSONField(_("contents"))
    status = models.CharField(_("status"), max_length=8, choices=Status, default=Status.PENDING)
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"))
    claim = models.UUIDField(null=True, editable=False)
    last_error = models.TextField(_("last error"), blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)
    done_at = models.DateTimeField(_("delivered"), null=True)

    class Meta:
        verbose_name = _("outbox message")
        verbose_name_plural = _("outbox messages")
        constraints = [
            models.UniqueConstraint(fields=["event_id", "receiver"], name="outbox_once_a_receiver")
        ]
        # The relay's claim, and the queue's age in /metrics.
        indexes = [models.Index(fields=["status", "due_at"], name="outbox_due")]

    def __str__(self) -> str:
        return f"{self.name} → {self.receiver}"


class IdempotencyRecord(models.Model):
    """The first answer to a keyed request, for 24 hours."""

    # SHA-256 of principal, method, path and key: one fixed-width unique column on all engines.
    digest = models.CharField(max_length=64, unique=True)
    body_hash = models.CharField(max_length=64)
    in_progress = models.BooleanField(default=True)
    lease_until = models.DateTimeField()
    status = models.PositiveSmallIntegerField(null=True)
    content_type = models.CharField(max_length=80, blank=True)
    body = models.BinaryField(default=bytes)
    # The pruning task deletes by age.
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        verbose_name = _("idempotency record")
        verbose_name_plural = _("idempotency records")

    def __str__(self) -> str:
        return self.digest


class AuditSeal(AppendOnlyModel):
    """One link of the audit log's chain: the entries that came since the link before."""

    number = models.PositiveBigIntegerField(unique=True)
    entries = models.PositiveIntegerField()
    # SHA-256 in hexadecimal (`apps.core.audit_chain`).
    digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return f"{self.number}: {self.digest}"


class AuditEntry(AppendOnlyModel):
    """Who changed what, when and from where."""

    scope_by = {"user": "actor_user_id"}

    actor = models.CharField(_("actor"), max_length=254)
    actor_user_id = models.BigIntegerField(_("user id"), null=True)
    ip = models.CharField(_("IP address"), max_length=45, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, blank=True)
    action = models.CharField(_("action"), max_length=80)
    object_type = models.CharField(_("object type"), max_length=80)
    object_id = models.CharField(_("object id"), max_length=80)
    object_label = models.CharField(_("object"), max_length=200, blank=True)
    changes = models.JSONField(_("changes"), default=dict)
    created_at = models.DateTimeField(_("at"), default=timezone.now, editable=False)
    # SHA-256 of all above.
    digest = models.CharField(max_length=64, editable=False)
    seal = models.ForeignKey(AuditSeal, models.PROTECT, null=True, editable=False)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit log")
        indexes = [
            # "What happened to this object", on its admin page.
            models.Index(fields=["object_type", "object_id"], name="audit_object"),
            # What the admin's search asks for: any one of them, in a log of millions.
            *(
                models.Index(fields=[field], name=f"audit_{field}")
                for field in ("actor", "action", "object_id", "object_label", "ip", "request_id")
            ),
            models.Index(fields=["created_at"], name="audit_created_at"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.object_label or self.object_id}"


class EncryptionKey(models.Model):
    """Since when a key of FIELD_ENCRYPTION_KEYS is known; the key itself is never here."""

    key_id = models.CharField(max_length=40, unique=True)
    first_seen_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.key_id


class RateCounter(models.Model):
    """Attempts by one key in one window: atomic, for limits that must not fail open."""

    key = models.CharField(max_length=64)
    window = models.BigIntegerField()
    hits = models.PositiveIntegerField(default=0)
    expires_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["key", "window"], name="rate_key_window")]

    def __str__(self) -> str:
        return f"{self.key}: {self.hits}"


class OutdatedKeys(models.Model):
    """Names of public things that changed, for caches (`apps.core.outdated`)."""

    # As in the Surrogate-Key header: separated by spaces.
    keys = models.TextField()
    # By the caches in front of the shop.
    purged = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True, db_index=True)

    def __str__(self) -> str:
        return self.keys[:100]


class SavedView(TimestampedModel):
    """A list of the back office under a name: its filters, its search and its order."""

    # The key of a user, who lives upstairs.
    owner = models.BigIntegerField()
    # The model of the list: "orders.order".
    listed = models.CharField(max_length=100)
    name = models.CharField(_("name"), max_length=60)
    # As it stands in the address, without "?".
    query = models.CharField(max_length=3000)
    is_shared = models.BooleanField(_("for all staff"), default=False)

    class Meta:
        verbose_name = _("saved view")
        verbose_name_plural = _("saved views")
        # Of any list that they may see.
        permissions = [("export_list", "Can export lists as files")]
        constraints = [
            models.UniqueConstraint(fields=["owner", "listed", "name"], name="savedview_once")
        ]
        indexes = [models.Index(fields=["listed"], name="savedview_listed")]

    def __str__(self) -> str:
        return self.name
