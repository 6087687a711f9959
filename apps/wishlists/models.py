"""What shoppers want: lists of it, what they wait for, what they looked at."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.fields import AmountField
from apps.core.models import PublicModel
from apps.products.models import Product, Variant
from apps.wishlists.querysets import AlertQuerySet


class Wishlist(PublicModel):
    """A named list of a customer; the oldest one is where wishes go that name none."""

    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        related_name="wishlists",
        db_index=False,
        verbose_name=_("customer"),
    )
    name = models.CharField(_("name"), max_length=100)
    # Whoever knows it may read the list. None: nobody else may.
    token = models.CharField(max_length=43, unique=True, null=True, editable=False)

    class Meta:
        verbose_name = _("wishlist")
        verbose_name_plural = _("wishlists")
        constraints = [
            models.UniqueConstraint(fields=["customer", "name"], name="wishlist_name_once")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_shared(self) -> bool:
        return self.token is not None


class WishlistItem(PublicModel):
    """A product, or one variant of it."""

    wishlist = models.ForeignKey(
        Wishlist, models.CASCADE, related_name="items", db_index=False, verbose_name=_("wishlist")
    )
    product = models.ForeignKey(
        Product, models.CASCADE, null=True, related_name="+", verbose_name=_("product")
    )
    variant = models.ForeignKey(
        Variant, models.CASCADE, null=True, related_name="+", verbose_name=_("variant")
    )
    note = models.CharField(_("note"), max_length=300, blank=True)

    class Meta:
        verbose_name = _("wish")
        verbose_name_plural = _("wishes")
        constraints = [
            models.UniqueConstraint(fields=["wishlist", "product"], name="wish_product_once"),
            models.UniqueConstraint(fields=["wishlist", "variant"], name="wish_variant_once"),
            models.CheckConstraint(
                condition=Q(product__isnull=False, variant__isnull=True)
                | Q(product__isnull=True, variant__isnull=False),
                name="wish_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return str(self.variant or self.product)

    @property
    def whole(self) -> Product:
        """The product, or the one that the variant is of."""
        return self.variant.product if self.variant else self.product  # type: ignore[return-value]


class RecentView(models.Model):
    """A customer looked at a product of a store; only the last ones are kept."""

    customer = models.ForeignKey(
        "customers.Customer", models.CASCADE, related_name="+", db_index=False
    )
    store = models.ForeignKey("stores.Store", models.CASCADE, related_name="+")
    product = models.ForeignKey(Product, models.CASCADE, related_name="+")
    at = models.DateTimeField()

    class Meta:
        verbose_name = _("recently viewed product")
        verbose_name_plural = _("recently viewed products")
        constraints = [
            models.UniqueConstraint(fields=["customer", "store", "product"], name="view_once")
        ]
        # The last ones of a customer.
        indexes = [models.Index(fields=["customer", "store", "at"], name="view_latest")]

    def __str__(self) -> str:
        return f"{self.customer_id} saw {self.product_id}"


class Alert(PublicModel):
    """Somebody wants to be told once: when a variant is back in stock, or costs less."""

    scope_by = {"store": "store"}

    class Kind(models.TextChoices):
        STOCK = "stock", _("back in stock")
        PRICE = "price", _("price drop")

    class Status(models.TextChoices):
        # A guest hasn't confirmed yet that the mailbox is theirs.
        PENDING = "pending", _("unconfirmed")
        WAITING = "waiting", _("waiting")
        TOLD = "told", _("told")

    kind = models.CharField(_("kind"), max_length=5, choices=Kind)
    status = models.CharField(_("status"), max_length=7, choices=Status, default=Status.PENDING)
    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="+", verbose_name=_("store")
    )
    variant = models.ForeignKey(
        Variant, models.CASCADE, related_name="alerts", verbose_name=_("variant")
    )
    # None for a guest.
    customer = models.ForeignKey(
        "customers.Customer",
        models.CASCADE,
        null=True,
        related_name="alerts",
        verbose_name=_("customer"),
    )
    email = models.EmailField(_("e-mail"))
    language = models.CharField(_("language"), max_length=10, blank=True)
    currency = models.CharField(_("currency"), max_length=3)
    # Price alerts alone: what it cost when it was asked, and the highest price that is told.
    seen_price = AmountField(_("price then"), null=True)
    threshold = AmountField(_("told at"), null=True)
    told_at = models.DateTimeField(_("told"), null=True)

    objects = AlertQuerySet.as_manager()

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "store", "variant", "email"], name="alert_once"
            ),
            models.CheckConstraint(
                condition=Q(kind="stock", seen_price__isnull=True, threshold__isnull=True)
                | Q(
                    kind="price",
                    # A comparison with NULL would satisfy the constraint.
                    seen_price__isnull=False,
                    threshold__isnull=False,
                    seen_price__gt=0,
                    threshold__gte=0,
                ),
                name="alert_of_its_kind",
            ),
            models.CheckConstraint(
                condition=Q(status="told", told_at__isnull=False)
                | Q(status__in=["pending", "waiting"], told_at__isnull=True),
                name="alert_told_at_once",
            ),
        ]
        indexes = [
            # Who waits for a variant, and which variants anybody waits for.
            models.Index(
                fields=["kind", "status", "store", "currency", "variant"], name="alert_waiting"
            ),
            # What is no longer needed.
            models.Index(fields=["status", "updated_at"], name="alert_age"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.variant_id}"


class WantedVariant(Variant):
    """A variant that shoppers wait for, as the back office lists it."""

    class Meta:
        proxy = True
        verbose_name = _("wanted variant")
        verbose_name_plural = _("wanted variants")
