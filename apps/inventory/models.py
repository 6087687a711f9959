"""Stock: what lies where, what is promised, and every movement that made it so.

Only `apps.inventory.services` writes these tables.
"""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import StaffLimit
from apps.core.models import AppendOnlyModel, TimestampedModel
from apps.core.scopes import limit_by


class Location(TimestampedModel):
    """A warehouse, a shop, a supplier's shelf."""

    scope_by = {"location": "pk"}

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = models.CharField(_("name"), max_length=120)
    country = models.CharField(_("country"), max_length=2, default="ES")
    address = models.JSONField(_("address"), default=dict, blank=True)
    priority = models.PositiveIntegerField(
        _("priority"), default=0, help_text=_("Lower numbers ship first.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    stores = models.ManyToManyField(
        "stores.Store",
        blank=True,
        related_name="locations",
        verbose_name=_("stores"),
        help_text=_("Which stores sell from here; none means all."),
    )

    class Meta:
        verbose_name = _("location")
        verbose_name_plural = _("locations")
        ordering = ["priority", "pk"]

    def __str__(self) -> str:
        return self.name


class LocationLimit(StaffLimit):
    """Somebody of the staff sees only what lies at this location, leaves it or comes back to it
    (and others they are limited to)."""

    location = models.ForeignKey(
        Location, models.PROTECT, related_name="limits", verbose_name=_("location")
    )

    class Meta:
        verbose_name = _("limit to a location")
        verbose_name_plural = _("limits to locations")
        constraints = [
            models.UniqueConstraint(fields=["user", "location"], name="locationlimit_once")
        ]

    def __str__(self) -> str:
        return f"{self.user_id}: {self.location_id}"


limit_by("location", LocationLimit)


class AllocationRule(TimestampedModel):
    """Which location sends a store's orders, where several could; without one: by priority."""

    scope_by = {"store": "store"}

    class Strategy(models.TextChoices):
        PRIORITY = "priority", _("by priority")
        NEAREST = "nearest", _("the nearest one")
        FEWEST = "fewest", _("fewest parcels")

    store = models.OneToOneField(
        "stores.Store", models.CASCADE, related_name="allocation_rule", verbose_name=_("store")
    )
    strategy = models.CharField(
        _("strategy"), max_length=8, choices=Strategy, default=Strategy.PRIORITY
    )

    class Meta:
        verbose_name = _("allocation rule")
        verbose_name_plural = _("allocation rules")

    def __str__(self) -> str:
        return f"{self.store_id}: {self.strategy}"


class StockLevel(TimestampedModel):
    """Pieces of one variant at one location.

    on_hand: physically there, and good. quarantined: there, too, but set apart until somebody
    decides about them. held: promised to unpaid orders. committed: promised to confirmed orders.
    What may be sold is on_hand + backorder_limit - held - committed.

    Signed columns with checks: MariaDB refuses a subtraction of unsigned ones that is negative on
    the way.
    """

    scope_by = {"location": "location"}

    variant = models.ForeignKey(
        "products.Variant", models.CASCADE, related_name="stock_levels", verbose_name=_("variant")
    )
    location = models.ForeignKey(
        Location, models.PROTECT, related_name="stock_levels", verbose_name=_("location")
    )
    on_hand = models.IntegerField(_("on hand"), default=0)
    held = models.IntegerField(_("held"), default=0)
    committed = models.IntegerField(_("committed"), default=0)
    quarantined = models.IntegerField(_("in quarantine"), default=0)
    backorder_limit = models.IntegerField(_("backorder limit"), default=0)
    low_stock_threshold = models.IntegerField(_("low stock at"), default=0)
    # The quantity another system last told us: a snapshot import applies the difference to it,
    # so that what we sold meanwhile isn't given back.
    last_snapshot = models.IntegerField(null=True, editable=False)
    low_since = models.DateTimeField(_("low since"), null=True, editable=False)

    class Meta:
        verbose_name = _("stock level")
        verbose_name_plural = _("stock levels")
        constraints = [
            models.UniqueConstraint(fields=["variant", "location"], name="level_once"),
            models.CheckConstraint(condition=Q(on_hand__gte=0), name="level_on_hand_not_negative"),
            models.CheckConstraint(
                condition=Q(quarantined__gte=0), name="level_quarantined_not_negative"
            ),
            models.CheckConstraint(condition=Q(held__gte=0), name="level_held_not_negative"),
            models.CheckConstraint(
                condition=Q(committed__gte=0), name="level_committed_not_negative"
            ),
            models.CheckConstraint(
                condition=Q(backorder_limit__gte=0, low_stock_threshold__gte=0),
                name="level_limits_not_negative",
            ),
            models.CheckConstraint(
                condition=Q(on_hand__gte=F("held") + F("committed") - F("backorder_limit")),
                name="level_promises_covered",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.variant} @ {self.location}"

    @property
    def available(self) -> int:
        return self.on_hand + self.backorder_limit - self.held - self.committed


class Hold(TimestampedModel):
    """A promise of pieces to a `reference` ("order:<uuid>"): held, then committed, then shipped."""

    scope_by = {"location": "level__location"}

    class State(models.TextChoices):
        HELD = "held", _("held")
        COMMITTED = "committed", _("committed")
        RELEASED = "released", _("released")
        SHIPPED = "shipped", _("shipped")

    reference = models.CharField(_("reference"), max_length=80, db_index=True)
    level = models.ForeignKey(
        StockLevel, models.PROTECT, related_name="holds", verbose_name=_("stock level")
    )
    quantity = models.PositiveIntegerField(_("quantity"))
    shipped = models.PositiveIntegerField(_("shipped"), default=0)
    state = models.CharField(_("state"), max_length=9, choices=State, default=State.HELD)
    expires_at = models.DateTimeField(_("expires"), null=True)

    class Meta:
        verbose_name = _("hold")
        verbose_name_plural = _("holds")
        constraints = [
            # Holding twice for one thing is a retry, not a second promise.
            models.UniqueConstraint(fields=["reference", "level"], name="hold_once_a_reference"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="hold_positive"),
            models.CheckConstraint(
                condition=Q(shipped__lte=F("quantity")), name="hold_shipped_within"
            ),
        ]
        # The sweeper of expired holds.
        indexes = [models.Index(fields=["state", "expires_at"], name="hold_expiry")]

    def __str__(self) -> str:
        return f"{self.reference}: {self.quantity}"

    @property
    def is_alive(self) -> bool:
        """Whether the pieces are promised and still here."""
        return self.state in (self.State.HELD, self.State.COMMITTED)


class StockMovement(AppendOnlyModel):
    """The ledger: per level the sum of `delta` is its `on_hand`, that of `quarantined_delta` its
    `quarantined`."""

    scope_by = {"location": "level__location"}

    class Reason(models.TextChoices):
        RECEIVE = "receive", _("received")
        ADJUST = "adjust", _("adjusted")
        TRANSFER = "transfer", _("transferred")
        SHIP = "ship", _("shipped")
        RETURN = "return", _("returned")
        IMPORT = "import", _("imported")
        # In and out of quarantine.
        APART = "apart", _("set apart")
        RELEASE = "release", _("released to stock")
        SCRAP = "scrap", _("scrapped")
        SUPPLIER = "supplier", _("back to the supplier")

    level = models.ForeignKey(
        StockLevel, models.PROTECT, related_name="movements", verbose_name=_("stock level")
    )
    delta = models.IntegerField(_("change"))
    on_hand_after = models.IntegerField(_("on hand after"))
    quarantined_delta = models.IntegerField(_("change in quarantine"), default=0)
    reason = models.CharField(_("reason"), max_length=8, choices=Reason)
    reference = models.CharField(_("reference"), max_length=120, blank=True)
    note = models.CharField(_("note"), max_length=300, blank=True)
    actor = models.CharField(_("actor"), max_length=254, blank=True)
    # A repeated request moves nothing a second time.
    key = models.CharField(_("key"), max_length=150, unique=True)
    created_at = models.DateTimeField(_("at"), auto_now_add=True)

    class Meta:
        verbose_name = _("stock movement")
        verbose_name_plural = _("stock movements")

    def __str__(self) -> str:
        return f"{self.level_id}: {self.delta:+d} ({self.reason})"
