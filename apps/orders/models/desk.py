"""How staff work with orders: tags, the words they search, exports, rules, work on many."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.fields import private_storage
from apps.core.models import PublicModel, StaffTag, TimestampedModel
from apps.orders import states


class OrderTag(StaffTag):
    """A word that staff put on orders."""

    class Meta(StaffTag.Meta):
        verbose_name = _("order tag")
        verbose_name_plural = _("order tags")


class OrderWord(models.Model):
    """A word by which staff find an order (`selectors.search`).

    `word` is the hexadecimal of its UTF-8: words that begin alike are one range of the index,
    whatever the database's collation.
    """

    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="words", db_index=False)
    # What it was found in ("order", "note:<id>", "shipment:<id>"): written anew as a whole.
    source = models.CharField(max_length=60)
    word = models.CharField(max_length=120)

    class Meta:
        verbose_name = _("search word")
        verbose_name_plural = _("search words")
        indexes = [
            # The search.
            models.Index(fields=["word", "order"], name="orderword_search"),
            # Writing a source anew; and the order's own foreign key.
            models.Index(fields=["order", "source"], name="orderword_source"),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.word}"


class ExportFormat(models.TextChoices):
    CSV = "csv", _("CSV")
    XLSX = "xlsx", _("Excel")


class ExportRows(models.TextChoices):
    ORDERS = "orders", _("orders")
    LINES = "lines", _("order lines")


class SavedExport(PublicModel):
    """An export that runs by itself, and who is told of it."""

    scope_by = {"user": "created_by"}

    class Frequency(models.TextChoices):
        DAILY = "daily", _("every day")
        WEEKLY = "weekly", _("every week")
        MONTHLY = "monthly", _("every month")

    name = models.CharField(_("name"), max_length=100)
    rows = models.CharField(_("rows"), max_length=6, choices=ExportRows, default=ExportRows.ORDERS)
    format = models.CharField(
        _("format"), max_length=4, choices=ExportFormat, default=ExportFormat.CSV
    )
    # As in the API's list of orders: "status=processing&tag=vip".
    filters = models.CharField(
        _("filters"),
        max_length=1000,
        blank=True,
        help_text=_("As in the API's list of orders: status=processing&tag=vip. Empty: all."),
    )
    frequency = models.CharField(_("how often"), max_length=7, choices=Frequency)
    only_period = models.BooleanField(
        _("only orders placed since the last one"),
        default=True,
        help_text=_("Of the day, week or month that ended. Otherwise all that fit the filters."),
    )
    recipients = models.ManyToManyField(
        settings.AUTH_USER_MODEL,
        blank=True,
        related_name="+",
        limit_choices_to={"is_staff": True, "is_active": True},
        verbose_name=_("recipients"),
        help_text=_("They get a link by mail, and need the permission to export orders."),
    )
    is_active = models.BooleanField(_("active"), default=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        editable=False,
        related_name="+",
        verbose_name=_("created by"),
    )

    class Meta:
        verbose_name = _("scheduled export")
        verbose_name_plural = _("scheduled exports")

    def __str__(self) -> str:
        return self.name


class ExportRun(PublicModel):
    """One export: who had what, when. Its file, where it has one, is private and doesn't last."""

    scope_by = {"user": "created_by"}

    class Status(models.TextChoices):
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    export = models.ForeignKey(
        SavedExport,
        models.CASCADE,
        null=True,
        related_name="runs",
        verbose_name=_("scheduled export"),
    )
    # "2030-01-31", "2030-W05", "2030-01": a scheduled export runs once for each.
    period = models.CharField(_("period"), max_length=10, blank=True)
    rows = models.CharField(_("rows"), max_length=6, choices=ExportRows)
    format = models.CharField(_("format"), max_length=4, choices=ExportFormat)
    filters = models.JSONField(_("filters"), default=dict)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.QUEUED)
    count = models.PositiveIntegerField(_("number"), null=True)
    file = models.FileField(
        _("file"), upload_to="exports/%Y/%m/", storage=private_storage, blank=True, max_length=255
    )
    error = models.CharField(_("error"), max_length=500, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # A worker that died leaves its lease; another one begins anew after it.
    lease_until = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(_("kept until"), null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("created by"),
    )

    class Meta:
        verbose_name = _("order export")
        verbose_name_plural = _("order exports")
        constraints = [
            # NULLs differ: exports by hand are as many as there are.
            models.UniqueConstraint(fields=["export", "period"], name="export_once_a_period"),
        ]
        indexes = [
            # The worker's claim, and the sweeper of old files.
            models.Index(fields=["status", "lease_until"], name="export_claim"),
            models.Index(fields=["expires_at"], name="export_expiry"),
        ]

    def __str__(self) -> str:
        return f"{self.export or self.rows} {self.period}".strip()

    @property
    def is_kept(self) -> bool:
        """Its file is there, and its time isn't over."""
        return bool(self.file) and self.expires_at is not None and self.expires_at > timezone.now()

    @property
    def file_name(self) -> str:
        """As it is downloaded."""
        return f"orders-{self.period or self.created_at.date()}.{self.format}"


class OrderRule(TimestampedModel):
    """What happens to orders by itself: so long after `trigger`, `action`."""

    scope_by = {"store": "store"}

    class Trigger(models.TextChoices):
        UNPAID = "unpaid", _("placed, and not paid")
        PAID = "paid", _("paid")
        PARTIALLY_PAID = "partially_paid", _("confirmed, and paid in part")
        PARTIALLY_REFUNDED = "partially_refunded", _("confirmed, and refunded in part")
        DELIVERED = "delivered", _("delivered")

    class Action(models.TextChoices):
        PROCESS = "process", _("mark as processing")
        COMPLETE = "complete", _("complete")
        CANCEL = "cancel", _("cancel")
        TAG = "tag", _("add a tag")

    name = models.CharField(_("name"), max_length=80)
    # Of a rule that comes along: it is made once, and switched off instead of deleted.
    code = models.CharField(max_length=40, unique=True, null=True, editable=False)
    store = models.ForeignKey(
        "stores.Store",
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("store"),
        help_text=_(
            "Empty: all stores. A store's own rule stands in for those of all stores with the"
            " same trigger and action."
        ),
    )
    trigger = models.CharField(_("when an order is"), max_length=18, choices=Trigger)
    after_hours = models.PositiveIntegerField(_("hours later"), default=0)
    action = models.CharField(_("then"), max_length=8, choices=Action)
    tag = models.ForeignKey(
        OrderTag,
        models.CASCADE,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("tag"),
        help_text=_("The tag to add."),
    )
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("order rule")
        verbose_name_plural = _("order rules")
        constraints = [
            models.CheckConstraint(
                condition=Q(action="tag", tag__isnull=False)
                | ~Q(action="tag") & Q(tag__isnull=True),
                name="rule_tag_iff_tagging",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class BulkJob(PublicModel):
    """One verb for many orders, worked on in the background; a result for each."""

    scope_by = {"user": "created_by"}

    class Status(models.TextChoices):
        DRAFT = "draft", _("being prepared")
        QUEUED = "queued", _("queued")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        CANCELLED = "cancelled", _("cancelled")
        FAILED = "failed", _("failed")

    verb = models.CharField(_("action"), max_length=40, blank=True)
    data = models.JSONField(_("data"), default=dict)
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.DRAFT)
    error = models.CharField(_("error"), max_length=300, blank=True)
    # A worker that died leaves its lease; another one goes on after it.
    lease_until = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(_("finished"), null=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("created by"),
    )

    class Meta:
        verbose_name = _("bulk change")
        verbose_name_plural = _("bulk changes")
        # The worker's claim.
        indexes = [models.Index(fields=["status", "lease_until"], name="bulk_claim")]

    def __str__(self) -> str:
        return f"{self.verb or self.get_status_display()} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_waiting(self) -> bool:
        """Somebody will work on it, or does."""
        return self.status in (self.Status.QUEUED, self.Status.RUNNING)


class BulkItem(models.Model):
    """One order of a bulk change, and what became of it."""

    class Status(models.TextChoices):
        WAITING = "waiting", _("waiting")
        DONE = "done", _("done")
        REFUSED = "refused", _("refused")

    job = models.ForeignKey(BulkJob, models.CASCADE, related_name="items")
    order = models.ForeignKey("orders.Order", models.CASCADE, related_name="+")
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.WAITING)
    # The refusal's stable code and its text.
    code = models.CharField(max_length=60, blank=True)
    message = models.CharField(_("message"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("order of a bulk change")
        verbose_name_plural = _("orders of a bulk change")
        constraints = [models.UniqueConstraint(fields=["job", "order"], name="bulk_order_once")]
        # The next ones to do; the figures of the page.
        indexes = [models.Index(fields=["job", "status", "order"], name="bulk_next")]

    def __str__(self) -> str:
        return f"{self.job_id}: {self.order_id}"


# Money comes and goes in any of these.
_SOLD = (states.CONFIRMED, states.PROCESSING, states.SHIPPED, states.DELIVERED)
# What a rule looks at: the states in which its trigger leaves an order, and since when.
TRIGGERS: dict[str, tuple[tuple[str, ...], str]] = {
    OrderRule.Trigger.UNPAID: ((states.PENDING,), "created_at"),
    OrderRule.Trigger.PAID: ((states.CONFIRMED,), "confirmed_at"),
    OrderRule.Trigger.PARTIALLY_PAID: (_SOLD, "confirmed_at"),
    OrderRule.Trigger.PARTIALLY_REFUNDED: (_SOLD, "confirmed_at"),
    OrderRule.Trigger.DELIVERED: ((states.DELIVERED,), "delivered_at"),
}
