"""Orders: what was sold, frozen at the moment of sale, and what happened since."""

from __future__ import annotations

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import AppendOnlyModel, PublicModel
from apps.orders import states
from apps.orders.querysets import OrderQuerySet


def new_token() -> str:
    """A guest's key to an order: 192 random bits."""
    return secrets.token_urlsafe(24)


class Order(PublicModel):
    """Totals are minor units of `currency`; `total` = subtotal - discount + shipping + added tax.

    `quote` is the till's whole answer, with its engine version, kept for ever: an old order is
    never computed again.
    """

    scope_by = {"store": "store"}

    class Status(models.TextChoices):
        PENDING = states.PENDING, _("pending")
        CONFIRMED = states.CONFIRMED, _("confirmed")
        PROCESSING = states.PROCESSING, _("processing")
        SHIPPED = states.SHIPPED, _("shipped")
        DELIVERED = states.DELIVERED, _("delivered")
        COMPLETED = states.COMPLETED, _("completed")
        CANCELLED = states.CANCELLED, _("cancelled")

    class PaymentStatus(models.TextChoices):
        UNPAID = "unpaid", _("unpaid")
        AUTHORIZED = "authorized", _("authorized")
        PARTIALLY_PAID = "partially_paid", _("partially paid")
        PAID = "paid", _("paid")
        PARTIALLY_REFUNDED = "partially_refunded", _("partially refunded")
        REFUNDED = "refunded", _("refunded")

    # What it costs was captured, whatever was given back of it as a favour or for goods.
    COVERED = (PaymentStatus.PAID, PaymentStatus.PARTIALLY_REFUNDED)

    class FulfillmentStatus(models.TextChoices):
        UNFULFILLED = "unfulfilled", _("unfulfilled")
        PARTIALLY_FULFILLED = "partially_fulfilled", _("partially fulfilled")
        FULFILLED = "fulfilled", _("fulfilled")

    number = models.CharField(_("number"), max_length=30, unique=True)
    store = models.ForeignKey(
        "stores.Store", models.PROTECT, related_name="orders", verbose_name=_("store")
    )
    customer = models.ForeignKey(
        "customers.Customer",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="orders",
        verbose_name=_("customer"),
    )
    email = models.EmailField(_("e-mail"), db_index=True)
    # `core.emails.email_key`: finds a mailbox's earlier orders, however it is spelled.
    email_key = models.CharField(max_length=64, blank=True, db_index=True, editable=False)
    token = models.CharField(max_length=40, default=new_token, unique=True, editable=False)
    status = models.CharField(
        _("status"), max_length=10, choices=Status, default=Status.PENDING, editable=False
    )
    payment_status = models.CharField(
        _("payment"),
        max_length=18,
        choices=PaymentStatus,
        default=PaymentStatus.UNPAID,
        editable=False,
    )
    fulfillment_status = models.CharField(
        _("fulfillment"),
        max_length=19,
        choices=FulfillmentStatus,
        default=FulfillmentStatus.UNFULFILLED,
        editable=False,
    )
    currency = models.CharField(_("currency"), max_length=3)
    subtotal = AmountField(_("subtotal"))
    discount = AmountField(_("discount"), default=0)
    shipping = AmountField(_("shipping"), default=0)
    tax = AmountField(_("tax"), default=0)
    total = AmountField(_("total"))
    tax_included = models.BooleanField(_("prices include tax"), default=True)
    # Sums over the payments, which stand above and report down: authorized includes captured, but
    # not what was let go; settled is what of refunded went back because the order came to less.
    authorized_amount = AmountField(_("authorized"), default=0)
    captured_amount = AmountField(_("captured"), default=0)
    refunded_amount = AmountField(_("refunded"), default=0)
    settled_amount = AmountField(_("settled"), default=0)
    # Given back for returns otherwise than by refunds: as store credit, on a gift card, or against
    # a replacement.
    credited_amount = AmountField(_("credited"), default=0)
    quote = models.JSONField(default=dict, editable=False)
    shipping_address = models.JSONField(_("shipping address"), default=dict)
    billing_address = models.JSONField(_("billing address"), default=dict)
    shipping_method = models.CharField(_("shipping method"), max_length=60, blank=True)
    shipping_method_name = models.CharField(max_length=120, blank=True)
    # Why these taxes are due, and to whom (`taxes.selectors.decide`), with the sentence that an
    # invoice must carry.
    tax_scheme = models.CharField(_("tax scheme"), max_length=20, blank=True, editable=False)
    tax_country = models.CharField(_("taxed in"), max_length=2, blank=True, editable=False)
    tax_note = models.CharField(_("tax note"), max_length=300, blank=True, editable=False)
    # The rates that made derived prices: [{"base", "currency", "value", "date"}].
    exchange_rates = models.JSONField(_("exchange rates"), default=list, editable=False)
    language = models.CharField(_("language"), max_length=10, default="en")
    customer_note = models.TextField(_("customer's note"), blank=True)
    # What it was made from ("cart:<id>"): one order per cart, whatever is retried. Given back
    # when an unpaid order is cancelled.
    source = models.CharField(max_length=120, unique=True, null=True, editable=False)
    # The order that its pieces were sold in.
    split_from = models.ForeignKey(
        "self",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="split_off",
        editable=False,
        verbose_name=_("split from"),
    )
    # Unpaid orders are cancelled after this; null once confirmed.
    expires_at = models.DateTimeField(null=True, editable=False)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, editable=False)
    delivered_at = models.DateTimeField(_("delivered"), null=True, editable=False)
    cancelled_at = models.DateTimeField(_("cancelled"), null=True, editable=False)
    # Sold, but nothing of it may leave: a suspicion, a question to the customer.
    on_hold = models.BooleanField(_("on hold"), default=False, editable=False)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    # How staff share the work.
    tags = models.ManyToManyField(
        "orders.OrderTag", blank=True, related_name="orders", verbose_name=_("tags")
    )
    assignee = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned_orders",
        verbose_name=_("assigned to"),
    )

    objects = OrderQuerySet.as_manager()

    class Meta:
        verbose_name = _("order")
        verbose_name_plural = _("orders")
        permissions = [
            ("transition_order", "Can move an order along its states"),
            ("cancel_order", "Can cancel an order"),
            ("note_order", "Can add notes to an order"),
            ("organize_order", "Can tag and assign orders"),
            ("export_order", "Can export orders"),
            ("edit_order", "Can edit an order after the sale"),
            ("edit_price", "Can set the price of an order's line"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(subtotal__gte=0, discount__gte=0, shipping__gte=0, tax__gte=0),
                name="order_parts_not_negative",
            ),
            models.CheckConstraint(condition=Q(total__gte=0), name="order_total_not_negative"),
            models.CheckConstraint(
                condition=Q(refunded_amount__gte=0) & Q(refunded_amount__lte=F("captured_amount")),
                name="order_refunded_within_captured",
            ),
            models.CheckConstraint(
                condition=Q(status__in=states.STATES), name="order_status_known"
            ),
        ]
        indexes = [
            # The dashboard's and the list page's filter; newest first.
            models.Index(fields=["status", "-id"], name="order_status_newest"),
            models.Index(fields=["created_at"], name="order_created"),
            # The report of a quarter's sales to other countries.
            models.Index(fields=["tax_scheme", "confirmed_at"], name="order_tax_scheme"),
            # The sweeper of unpaid orders.
            models.Index(fields=["status", "expires_at"], name="order_expiry"),
        ]

    def __str__(self) -> str:
        return self.number

    @property
    def reference(self) -> str:
        """How lower rooms know this order."""
        return f"order:{self.public_id}"

    @property
    def outstanding(self) -> int:
        """Minor units that no payment covers, neither captured nor authorized."""
        return self.owed(
            covered=self.authorized_amount,
            lost=self.lost(refunded=self.refunded_amount, settled=self.settled_amount),
        )

    def owed(self, *, covered: int, lost: int) -> int:
        """The same, by sums over its payments."""
        return max(0, self.total - covered + lost)

    def lost(self, *, refunded: int, settled: int) -> int:
        """What of `refunded` has to be paid again: before the order is confirmed all of it, later
        only what went back because the order came to less."""
        return refunded if self.status == self.Status.PENDING else settled


class OrderLine(PublicModel):
    """One variant in an order. Names and prices are copies: the catalogue moves on."""

    scope_by = {"store": "order__store"}

    order = models.ForeignKey(Order, models.CASCADE, related_name="lines")
    variant = models.ForeignKey(
        "products.Variant", models.PROTECT, null=True, related_name="order_lines"
    )
    seller = models.ForeignKey("stores.Seller", models.SET_NULL, null=True, related_name="+")
    position = models.PositiveIntegerField(default=0)
    sku = models.CharField(_("SKU"), max_length=100)
    name = models.CharField(_("name"), max_length=300)
    options = models.JSONField(default=dict)
    # Who gets the gift cards of this line: recipient_email, sender_name, message. {}: the buyer.
    gift_card = models.JSONField(_("gift card for"), default=dict, blank=True)
    quantity = models.PositiveIntegerField(_("quantity"))
    fulfilled_quantity = models.PositiveIntegerField(_("fulfilled"), default=0)
    # Coming back, or back: what is asked for counts until it is declined.
    returned_quantity = models.PositiveIntegerField(_("returned"), default=0)
    unit_price = AmountField(_("unit price"), currency="order.currency")
    subtotal = AmountField(_("subtotal"), currency="order.currency")
    discount = AmountField(_("discount"), currency="order.currency", default=0)
    tax = AmountField(_("tax"), currency="order.currency", default=0)
    total = AmountField(_("total"), currency="order.currency")
    weight = models.PositiveIntegerField(default=0)
    requires_shipping = models.BooleanField(default=True)

    class Meta:
        verbose_name = _("order line")
        verbose_name_plural = _("order lines")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(condition=Q(quantity__gt=0), name="line_quantity_positive"),
            models.CheckConstraint(
                condition=Q(fulfilled_quantity__lte=F("quantity")), name="line_fulfilled_within"
            ),
            models.CheckConstraint(
                condition=Q(returned_quantity__lte=F("fulfilled_quantity")),
                name="line_returned_within",
            ),
            models.CheckConstraint(
                condition=Q(unit_price__gte=0, subtotal__gte=0, discount__gte=0, tax__gte=0),
                name="line_parts_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} × {self.sku}"


class OrderEvent(AppendOnlyModel):
    """The timeline: every transition, payment, shipment and note, with its actor."""

    order = models.ForeignKey(Order, models.CASCADE, related_name="timeline")
    kind = models.CharField(_("kind"), max_length=40)
    message = models.TextField(_("message"), blank=True)
    data = models.JSONField(default=dict)
    from_status = models.CharField(max_length=10, blank=True)
    to_status = models.CharField(max_length=10, blank=True)
    is_public = models.BooleanField(_("shown to the customer"), default=False)
    actor = models.CharField(_("actor"), max_length=254)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("timeline entry")
        verbose_name_plural = _("timeline")
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.kind}"


class OrderEdit(PublicModel):
    """A change of a confirmed order as a document: drafted, looked at, confirmed or discarded.

    `changes` are `services.OrderChanges` as JSON. `version` is the order that it was drafted for,
    `total_before` and `total_after` what was shown then; `before` the sale as it was until the
    edit was confirmed (`services.sale_of`): the terms that later edits keep to.
    """

    scope_by = {"store": "order__store"}

    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        CONFIRMED = "confirmed", _("confirmed")
        DISCARDED = "discarded", _("discarded")

    order = models.ForeignKey(Order, models.CASCADE, related_name="edits", verbose_name=_("order"))
    status = models.CharField(
        _("status"), max_length=9, choices=Status, default=Status.DRAFT, editable=False
    )
    changes = models.JSONField(_("changes"), default=dict)
    reason = models.CharField(_("reason"), max_length=500, blank=True)
    version = models.CharField(max_length=64, editable=False)
    total_before = AmountField(_("total before"), currency="order.currency")
    total_after = AmountField(_("total after"), currency="order.currency")
    before = models.JSONField(default=dict, editable=False)
    # How much less the order comes to by the prices that were set by hand.
    lowered = AmountField(_("lowered"), currency="order.currency", default=0, editable=False)
    approval = models.OneToOneField(
        "orders.Approval", models.PROTECT, null=True, editable=False, related_name="edit"
    )
    author = models.CharField(_("author"), max_length=254)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, editable=False)

    class Meta:
        verbose_name = _("order edit")
        verbose_name_plural = _("order edits")
        ordering = ["pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(total_before__gte=0, total_after__gte=0),
                name="edit_totals_not_negative",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order}: {self.total_before} → {self.total_after}"

    @property
    def delta(self) -> int:
        """Minor units that the order costs more (or, negative, less)."""
        return self.total_after - self.total_before
