"""Payments: one row per attempt, written before any gateway is called; a ledger behind it."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import AppendOnlyModel, PublicModel, TimestampedModel


class Payment(PublicModel):
    """One attempt to pay an order. Amounts are the gateway's truth, in minor units.

    0 <= refunded <= captured <= authorized <= amount.
    """

    scope_by = {"store": "order__store"}

    class Status(models.TextChoices):
        # Written, the gateway not asked yet or its answer unknown.
        CREATED = "created", _("created")
        REQUIRES_ACTION = "requires_action", _("waiting for the customer")
        PROCESSING = "processing", _("processing")
        AUTHORIZED = "authorized", _("authorized")
        CAPTURED = "captured", _("captured")
        FAILED = "failed", _("failed")
        VOIDED = "voided", _("voided")

    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="payments", verbose_name=_("order")
    )
    gateway = models.CharField(_("gateway"), max_length=30)
    # Null: the account of the settings.
    account = models.ForeignKey(
        "payments.GatewayAccount",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="payments",
        verbose_name=_("account"),
    )
    # The gateway's own id; null until it answered. Unique with the gateway (NULLs don't clash).
    provider_id = models.CharField(_("provider's id"), max_length=120, null=True, blank=True)
    method = models.CharField(_("method"), max_length=120, blank=True)
    return_url = models.CharField(max_length=500, blank=True)
    # The gateway's own id of who pays, where it keeps methods for them.
    provider_customer = models.CharField(max_length=120, blank=True, editable=False)
    # The customer wants the gateway to keep the method for later, and it doesn't yet.
    saves_method = models.BooleanField(_("saves the method"), default=False, editable=False)
    # By a saved method, while the customer wasn't here.
    is_off_session = models.BooleanField(_("off session"), default=False, editable=False)
    currency = models.CharField(_("currency"), max_length=3)
    amount = AmountField(_("amount"))
    authorized_amount = AmountField(_("authorized"), default=0)
    captured_amount = AmountField(_("captured"), default=0)
    refunded_amount = AmountField(_("refunded"), default=0)
    status = models.CharField(
        _("status"), max_length=15, choices=Status, default=Status.CREATED, editable=False
    )
    client_secret = models.CharField(max_length=250, blank=True, editable=False)
    redirect_url = models.CharField(max_length=500, blank=True, editable=False)
    error_code = models.CharField(_("error"), max_length=60, blank=True)
    error_message = models.CharField(_("error message"), max_length=300, blank=True)
    is_test = models.BooleanField(_("test"), default=False)
    # Whether its gateway lets it be captured in parts; else one capture lets the rest go.
    captures_several = models.BooleanField(_("several captures"), default=False)
    # When it was last held against its gateway's books.
    compared_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        verbose_name = _("payment")
        verbose_name_plural = _("payments")
        permissions = [
            ("capture_payment", "Can capture a payment"),
            ("void_payment", "Can void a payment"),
            ("refund_payment", "Can refund a payment"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["gateway", "provider_id"], name="payment_once_at_provider"
            ),
            models.CheckConstraint(condition=Q(amount__gt=0), name="payment_positive"),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0)
                & Q(refunded_amount__lte=F("captured_amount"))
                & Q(captured_amount__lte=F("authorized_amount"))
                & Q(authorized_amount__lte=F("amount")),
                name="payment_amounts_ordered",
            ),
        ]
        # The reconciler asks for undecided payments.
        indexes = [models.Index(fields=["status", "created_at"], name="payment_undecided")]

    def __str__(self) -> str:
        return f"{self.gateway} {self.public_id}"


class PaymentEntry(AppendOnlyModel):
    """The payments ledger: what a gateway says has happened, once each."""

    class Kind(models.TextChoices):
        AUTHORIZE = "authorize", _("authorized")
        CAPTURE = "capture", _("captured")
        REFUND = "refund", _("refunded")
        VOID = "void", _("voided")
        FAIL = "fail", _("failed")

    payment = models.ForeignKey(Payment, models.PROTECT, related_name="entries")
    kind = models.CharField(_("kind"), max_length=9, choices=Kind)
    amount = AmountField(_("amount"), currency="payment.currency")
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    actor = models.CharField(_("actor"), max_length=254, blank=True)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("payment entry")
        verbose_name_plural = _("payment entries")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"


class Capture(PublicModel):
    """A capture by staff, written before the gateway is asked: its id is the idempotency key.

    At most one of a payment is under way, so that together they never take more than is
    authorized, whatever a gateway would allow.
    """

    scope_by = {"store": "payment__order__store"}

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")

    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="captures", verbose_name=_("payment")
    )
    amount = AmountField(_("amount"), currency="payment.currency")
    # The last one: what it leaves of the authorization is let go.
    is_final = models.BooleanField(_("lets the rest go"))
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.PENDING)
    # True while it is under way, else null, which doesn't clash.
    is_open = models.BooleanField(null=True, default=True, editable=False)
    error_message = models.CharField(_("error message"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("capture")
        verbose_name_plural = _("captures")
        constraints = [
            models.UniqueConstraint(fields=["payment", "is_open"], name="capture_one_open"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="capture_positive"),
            models.CheckConstraint(
                condition=Q(status="pending", is_open=True)
                | Q(status__in=("succeeded", "failed"), is_open__isnull=True),
                name="capture_open_or_closed",
            ),
        ]
        # The reconciler finishes pending captures.
        indexes = [models.Index(fields=["status", "created_at"], name="capture_undecided")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.payment_id}"


class Refund(PublicModel):
    """A refund, written before the gateway is asked: its id is the gateway's idempotency key."""

    scope_by = {"store": "payment__order__store"}

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")

    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="refunds", verbose_name=_("payment")
    )
    amount = AmountField(_("amount"), currency="payment.currency")
    reason = models.CharField(_("reason"), max_length=300, blank=True)
    # Given back because the order came to less, or was paid twice: what it comes to later is owed
    # again. Any other refund is a favour, and isn't.
    is_settlement = models.BooleanField(_("settles the order"), default=False, editable=False)
    # Given back for goods that came back: the order's total still has them, and nobody owes them.
    is_for_goods = models.BooleanField(_("for returned goods"), default=False, editable=False)
    # What the second person said yes to.
    approval = models.ForeignKey(
        "orders.Approval", models.PROTECT, null=True, editable=False, related_name="refunds"
    )
    status = models.CharField(_("status"), max_length=9, choices=Status, default=Status.PENDING)
    provider_id = models.CharField(_("provider's id"), max_length=120, blank=True)
    error_message = models.CharField(_("error message"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("refund")
        verbose_name_plural = _("refunds")
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="refund_positive")]
        # The reconciler finishes pending refunds.
        indexes = [models.Index(fields=["status", "created_at"], name="refund_undecided")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.payment_id}"


class Dispute(TimestampedModel):
    """A chargeback, as the gateway tells it."""

    scope_by = {"store": "payment__order__store"}

    payment = models.ForeignKey(
        Payment, models.PROTECT, related_name="disputes", verbose_name=_("payment")
    )
    provider_id = models.CharField(_("provider's id"), max_length=120, unique=True)
    amount = AmountField(_("amount"), currency="payment.currency")
    # Beside the amount, and lost even if the dispute is won.
    fee = AmountField(_("fee"), currency="payment.currency", default=0)
    reason = models.CharField(_("reason"), max_length=60, blank=True)
    status = models.CharField(_("status"), max_length=40)
    evidence_due_at = models.DateTimeField(_("evidence until"), null=True, blank=True)

    class Meta:
        verbose_name = _("dispute")
        verbose_name_plural = _("disputes")

    def __str__(self) -> str:
        return self.provider_id


class ProviderEvent(TimestampedModel):
    """The inbox of signed webhooks: stored and answered at once, processed afterwards."""

    scope_by = {"store": "account__store"}

    class Status(models.TextChoices):
        PENDING = "pending", _("pending")
        DONE = "done", _("done")
        IGNORED = "ignored", _("not of interest")
        # Genuine, but it doesn't fit what we know: another order's, another amount.
        REVIEW = "review", _("to be reviewed")

    gateway = models.CharField(_("gateway"), max_length=30)
    account = models.ForeignKey("payments.GatewayAccount", models.PROTECT, null=True)
    event_id = models.CharField(_("event id"), max_length=120)
    type = models.CharField(_("type"), max_length=80)
    provider_id = models.CharField(_("payment's id"), max_length=120, blank=True)
    status = models.CharField(
        _("status"), max_length=7, choices=Status, default=Status.PENDING, db_index=True
    )
    attempts = models.PositiveIntegerField(_("attempts"), default=0)
    due_at = models.DateTimeField(_("due"), null=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    payload = models.JSONField(_("contents"), default=dict)

    class Meta:
        verbose_name = _("provider event")
        verbose_name_plural = _("provider events")
        constraints = [
            models.UniqueConstraint(fields=["gateway", "event_id"], name="provider_event_once")
        ]

    def __str__(self) -> str:
        return f"{self.gateway} {self.type} {self.event_id}"
