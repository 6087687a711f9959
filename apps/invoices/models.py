"""Invoices and credit notes: issued once, numbered without gaps, never changed."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.ids import uuid7
from apps.core.models import AppendOnlyModel, PublicModel, TimestampedModel
from apps.invoices.querysets import InvoiceQuerySet


class InvoiceSettings(TimestampedModel):
    """How a store invoices. A store without a row issues nothing by itself."""

    scope_by = {"store": "store"}

    class IssueOn(models.TextChoices):
        CONFIRMED = "confirmed", _("when the order is confirmed")
        PAID = "paid", _("when the order is paid")
        SHIPPED = "shipped", _("when all of it has shipped")
        MANUAL = "manual", _("only by hand")

    store = models.OneToOneField(
        "stores.Store", models.CASCADE, related_name="invoice_settings", verbose_name=_("store")
    )
    issue_on = models.CharField(_("issue"), max_length=9, choices=IssueOn, default=IssueOn.PAID)
    due_days = models.PositiveSmallIntegerField(
        _("days to pay"), default=14, help_text=_("From the day of issue, for what isn't paid.")
    )
    is_mailed = models.BooleanField(
        _("mail a link"), default=True, help_text=_("To the customer, for each paper.")
    )
    logo = models.ImageField(_("logo"), upload_to="invoices/logos/", blank=True)
    footer = models.TextField(
        _("footer"),
        max_length=500,
        blank=True,
        help_text=_("At the end of each paper: company register, bank account."),
    )

    class Meta:
        verbose_name = _("invoice settings")
        verbose_name_plural = _("invoice settings")

    def __str__(self) -> str:
        return str(self.store)


class Invoice(AppendOnlyModel):
    """An invoice, or the credit note that takes (a part of) one back. Amounts are minor units,
    never negative; `total` = net + tax.

    `content` is everything that the paper says (`apps.invoices.selectors.drafting`), as it was
    then: neither the store nor the order can change it.
    """

    scope_by = {"store": "store"}

    class Kind(models.TextChoices):
        INVOICE = "invoice", _("invoice")
        CREDIT_NOTE = "credit_note", _("credit note")

    public_id = models.UUIDField(_("public id"), default=uuid7, unique=True, editable=False)
    store = models.ForeignKey(
        "stores.Store", models.PROTECT, related_name="+", verbose_name=_("store")
    )
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="invoices", verbose_name=_("order")
    )
    kind = models.CharField(_("kind"), max_length=11, choices=Kind)
    number = models.CharField(_("number"), max_length=40, unique=True)
    # Where the number stands in its series: store, kind and year.
    year = models.PositiveSmallIntegerField(_("year"))
    position = models.PositiveBigIntegerField()
    issued_on = models.DateField(_("issued"))
    corrects = models.ForeignKey(
        "self",
        models.PROTECT,
        null=True,
        related_name="credit_notes",
        verbose_name=_("corrects"),
    )
    refund = models.ForeignKey(
        "payments.Refund", models.PROTECT, null=True, related_name="+", verbose_name=_("refund")
    )
    currency = models.CharField(_("currency"), max_length=3)
    net = AmountField(_("without tax"))
    tax = AmountField(_("tax"))
    total = AmountField(_("total"))
    buyer = models.CharField(_("buyer"), max_length=200)
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    language = models.CharField(_("language"), max_length=10)
    content = models.JSONField(default=dict)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    objects = InvoiceQuerySet.as_manager()

    class Meta:
        verbose_name = _("invoice")
        verbose_name_plural = _("invoices")
        constraints = [
            models.UniqueConstraint(
                fields=["store", "kind", "year", "position"], name="invoice_number_once"
            ),
            models.CheckConstraint(
                condition=Q(net__gte=0, tax__gte=0, total__gt=0, total=F("net") + F("tax")),
                name="invoice_adds_up",
            ),
            models.CheckConstraint(
                condition=Q(kind="invoice", corrects__isnull=True)
                | Q(kind="credit_note", corrects__isnull=False),
                name="invoice_credit_note_corrects",
            ),
        ]
        # The lists of staff, by store, the newest first.
        indexes = [models.Index(fields=["store", "-id"], name="invoice_newest")]

    def __str__(self) -> str:
        return self.number

    @property
    def file_name(self) -> str:
        """Of its PDF in the private storage."""
        return f"invoices/{self.year}/{self.public_id}.pdf"


class InvoiceBatch(PublicModel):
    """Many invoices as one PDF, made in the background."""

    scope_by = {"user": "created_by"}

    class Status(models.TextChoices):
        RUNNING = "running", _("running")
        DONE = "done", _("done")

    # Primary keys, in the order of the pages.
    invoices = models.JSONField(default=list)
    status = models.CharField(
        _("status"), max_length=7, choices=Status, default=Status.RUNNING, editable=False
    )
    done = models.PositiveIntegerField(_("done"), default=0)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        related_name="+",
        verbose_name=_("created by"),
    )

    class Meta:
        verbose_name = _("invoice batch")
        verbose_name_plural = _("invoice batches")

    def __str__(self) -> str:
        return f"{self.done}/{len(self.invoices)}"

    @property
    def file_name(self) -> str:
        """In the private storage, once it is done."""
        return f"invoices/batches/{self.public_id}.pdf"
