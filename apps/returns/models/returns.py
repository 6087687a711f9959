"""A return from the request to the money, and withdrawals from contracts."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import AppendOnlyModel, PublicModel
from apps.returns import states
from apps.returns.models.policies import Condition, ReturnPolicy

if TYPE_CHECKING:
    from apps.returns.models.labels import ReturnLabel


class ReturnRequest(PublicModel):
    """Pieces of one order that come back, or are claimed for. Amounts in the order's currency.

    refund = goods - fee - label + shipping, fixed when it is settled. Of it `credit` is set against
    what the replacement costs, and the rest is given back.
    """

    scope_by = {"store": "order__store", "location": "location"}

    class Kind(models.TextChoices):
        RETURN = "return", _("return")
        WITHDRAWAL = "withdrawal", _("withdrawal")
        # Claims: nothing is sent back.
        LOST = "lost", _("lost on the way")
        DAMAGED = "damaged", _("arrived damaged")

    class Status(models.TextChoices):
        REQUESTED = states.REQUESTED, _("requested")
        APPROVED = states.APPROVED, _("approved")
        DECLINED = states.DECLINED, _("declined")
        RECEIVED = states.RECEIVED, _("received")
        INSPECTED = states.INSPECTED, _("inspected")
        CLOSED = states.CLOSED, _("closed")
        CANCELLED = states.CANCELLED, _("cancelled")

    class RefundTo(models.TextChoices):
        ORIGINAL = "original", _("the way it was paid")
        STORE_CREDIT = "store_credit", _("store credit")
        GIFT_CARD = "gift_card", _("a gift card")

    number = models.CharField(_("number"), max_length=32, unique=True)
    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="returns", verbose_name=_("order")
    )
    kind = models.CharField(_("kind"), max_length=10, choices=Kind, default=Kind.RETURN)
    status = models.CharField(
        _("status"), max_length=9, choices=Status, default=Status.REQUESTED, editable=False
    )
    refund_to = models.CharField(
        _("refund to"), max_length=12, choices=RefundTo, default=RefundTo.ORIGINAL
    )
    shipping_paid_by = models.CharField(
        _("return shipping paid by"),
        max_length=8,
        choices=ReturnPolicy.Payer,
        default=ReturnPolicy.Payer.CUSTOMER,
    )
    note = models.TextField(_("customer's note"), max_length=2000, blank=True)
    reason = models.CharField(_("reason of the refusal"), max_length=500, blank=True)
    location = models.ForeignKey(
        "inventory.Location",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("received at"),
    )
    goods_amount = AmountField(_("goods"), currency="order.currency", default=0)
    fee_amount = AmountField(_("restocking fee"), currency="order.currency", default=0)
    # What of the label's price the customer bears.
    label_amount = AmountField(_("return label"), currency="order.currency", default=0)
    shipping_amount = AmountField(_("shipping"), currency="order.currency", default=0)
    refund_amount = AmountField(_("refund"), currency="order.currency", default=0)
    # What was ordered in place of returned pieces; before the settlement, if it was sent first.
    replacement_order = models.OneToOneField(
        "orders.Order",
        models.PROTECT,
        null=True,
        editable=False,
        related_name="replaces",
        verbose_name=_("replacement"),
    )
    credit_amount = AmountField(
        _("set against the replacement"), currency="order.currency", default=0
    )
    settled_at = models.DateTimeField(_("settled"), null=True, editable=False)
    refunded_at = models.DateTimeField(_("refunded"), null=True, editable=False)

    class Meta:
        verbose_name = _("return")
        verbose_name_plural = _("returns")
        permissions = [
            ("decide_return", "Can approve and decline returns"),
            ("receive_return", "Can receive and inspect returns"),
            ("refund_return", "Can refund returns"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(status__in=states.STATES), name="return_status_known"
            ),
            models.CheckConstraint(
                condition=Q(goods_amount__gte=0, fee_amount__gte=0, shipping_amount__gte=0)
                & Q(refund_amount__gte=0, fee_amount__lte=F("goods_amount"))
                & Q(credit_amount__gte=0, credit_amount__lte=F("refund_amount"))
                & Q(label_amount__gte=0)
                & Q(
                    refund_amount__lte=F("goods_amount")
                    + F("shipping_amount")
                    - F("fee_amount")
                    - F("label_amount")
                ),
                name="return_amounts",
            ),
        ]
        # The list of what waits, newest first.
        indexes = [models.Index(fields=["status", "-id"], name="return_status_newest")]

    def __str__(self) -> str:
        return self.number

    @property
    def is_claim(self) -> bool:
        return self.kind in (self.Kind.LOST, self.Kind.DAMAGED)

    @property
    def reference(self) -> str:
        """How lower rooms know this return."""
        return f"return:{self.public_id}"

    @property
    def label(self) -> ReturnLabel | None:
        """The one that counts, of the labels that were bought, or are being."""
        return next((label for label in self.labels.all() if label.is_alive), None)

    @property
    def credit_reference(self) -> str:
        """How the payments know what its refund pays."""
        return f"exchange:{self.public_id}"

    @property
    def has_refund_due(self) -> bool:
        """Whether everything is known that a refund needs."""
        ready = states.APPROVED if self.is_claim else states.INSPECTED
        return self.status == ready


class ReturnLine(PublicModel):
    """Pieces of one order line. The fee, and what a dearer variant costs, are the policy's when it
    was asked for."""

    class Reason(models.TextChoices):
        CHANGED_MIND = "changed_mind", _("I changed my mind")
        DOES_NOT_FIT = "does_not_fit", _("It doesn't fit")
        LATE = "late", _("It came too late")
        DEFECTIVE = "defective", _("It is defective or damaged")
        WRONG_ITEM = "wrong_item", _("It isn't what I ordered")
        NOT_AS_DESCRIBED = "not_as_described", _("It isn't as described")
        LOST = "lost", _("It never arrived")
        OTHER = "other", _("Another reason")

    request = models.ForeignKey(ReturnRequest, models.CASCADE, related_name="lines")
    order_line = models.ForeignKey(
        "orders.OrderLine", models.PROTECT, related_name="return_lines", verbose_name=_("line")
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    received_quantity = models.PositiveIntegerField(_("received"), default=0)
    # What is refunded: received, and not refused at the inspection.
    accepted_quantity = models.PositiveIntegerField(_("accepted"), default=0)
    reason = models.CharField(_("reason"), max_length=16, choices=Reason)
    condition = models.CharField(
        _("condition"), max_length=6, choices=Condition, default=Condition.UNUSED
    )
    fee_percent = models.DecimalField(max_digits=5, decimal_places=2, default=Decimal(0))
    fee_fixed = AmountField(_("fee"), currency="request.order.currency", default=0)
    charges_difference = models.BooleanField(_("dearer variants are charged for"), default=False)
    # As many pieces of it are sent in place of the accepted ones. Null: they are refunded.
    replacement = models.ForeignKey(
        "products.Variant",
        models.PROTECT,
        null=True,
        related_name="+",
        verbose_name=_("replacement"),
    )

    class Meta:
        verbose_name = _("return line")
        verbose_name_plural = _("return lines")
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["request", "order_line"], name="line_once_a_return"),
            models.CheckConstraint(
                condition=Q(quantity__gt=0)
                & Q(accepted_quantity__lte=F("received_quantity"))
                & Q(received_quantity__lte=F("quantity")),
                name="return_line_pieces",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.order_line_id}"

    @property
    def is_our_fault(self) -> bool:
        reasons = self.Reason
        return self.reason in (
            *(reasons.DEFECTIVE, reasons.WRONG_ITEM, reasons.NOT_AS_DESCRIBED, reasons.LOST),
        )

    @property
    def keeps_price(self) -> bool:
        """Whether the same product replaces it: another size costs what was paid, and more only
        where dearer ones are charged for."""
        sold = self.order_line.variant
        if self.replacement is None or sold is None:
            return False
        return self.replacement.product_id == sold.product_id


class Inspection(AppendOnlyModel):
    """What became of received pieces. Restocked ones are on hand again, those set apart lie in
    quarantine."""

    class Outcome(models.TextChoices):
        RESTOCK = "restock", _("back to stock")
        DAMAGED = "damaged", _("damaged")
        QUARANTINE = "quarantine", _("set apart")
        SCRAP = "scrap", _("scrapped")
        # Not accepted: it goes back to the customer, and isn't refunded.
        REFUSED = "refused", _("not accepted")

    line = models.ForeignKey(ReturnLine, models.CASCADE, related_name="inspections")
    outcome = models.CharField(_("outcome"), max_length=10, choices=Outcome)
    quantity = models.PositiveIntegerField(_("quantity"))
    location = models.ForeignKey(
        "inventory.Location", models.PROTECT, related_name="+", verbose_name=_("location")
    )
    actor = models.CharField(_("actor"), max_length=254)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("inspection")
        verbose_name_plural = _("inspections")
        constraints = [
            models.UniqueConstraint(fields=["line", "outcome"], name="inspected_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="inspected_positive"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} {self.outcome}"


class ReturnEvent(AppendOnlyModel):
    """The timeline of a return."""

    request = models.ForeignKey(ReturnRequest, models.CASCADE, related_name="timeline")
    kind = models.CharField(_("kind"), max_length=20)
    message = models.TextField(_("message"), blank=True)
    from_status = models.CharField(max_length=9, blank=True)
    to_status = models.CharField(max_length=9, blank=True)
    actor = models.CharField(_("actor"), max_length=254)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.request_id}: {self.kind}"


class Payout(PublicModel):
    """One part of a return's refund: by a payment, or at once to what the return names, or set
    against the replacement (`is_credit`; with a refund where that came back later)."""

    request = models.ForeignKey(ReturnRequest, models.CASCADE, related_name="payouts")
    amount = AmountField(_("amount"), currency="request.order.currency")
    refund = models.OneToOneField(
        "payments.Refund",
        models.PROTECT,
        null=True,
        related_name="payout",
        verbose_name=_("refund"),
    )
    is_credit = models.BooleanField(_("set against the replacement"), default=False)

    class Meta:
        verbose_name = _("payout")
        verbose_name_plural = _("payouts")
        ordering = ["pk"]
        constraints = [models.CheckConstraint(condition=Q(amount__gt=0), name="payout_positive")]

    def __str__(self) -> str:
        return f"{self.amount} of {self.request_id}"


class Withdrawal(PublicModel):
    """A consumer's statement, as it was made (Directive 2011/83/EU, article 11a)."""

    scope_by = {"store": "order__store", "location": "request__location"}

    order = models.ForeignKey(
        "orders.Order", models.PROTECT, related_name="withdrawals", verbose_name=_("order")
    )
    # What is to be sent back; none where nothing had been sent, and the order was cancelled.
    request = models.OneToOneField(
        ReturnRequest, models.PROTECT, null=True, related_name="withdrawal"
    )
    name = models.CharField(_("name"), max_length=200)
    email = models.EmailField(_("e-mail"))
    language = models.CharField(_("language"), max_length=10)

    class Meta:
        verbose_name = _("withdrawal")
        verbose_name_plural = _("withdrawals")

    def __str__(self) -> str:
        return f"{self.order} {self.name}"
