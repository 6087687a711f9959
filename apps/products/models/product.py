"""Products, their options and variants. What is bought is always a variant, by its SKU."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.core.models import PublicModel, TimestampedModel
from apps.products.models.attributes import ProductType
from apps.products.models.catalogue import Brand, Category, SEOModel, Tag
from apps.products.querysets import ProductQuerySet


class Product(SEOModel, PublicModel):
    class Status(models.TextChoices):
        DRAFT = "draft", _("draft")
        ACTIVE = "active", _("active")
        ARCHIVED = "archived", _("archived")

    slug = models.SlugField(_("slug"), max_length=200, unique=True)
    name = models.CharField(_("name"), max_length=300)
    description = models.TextField(
        _("description"), blank=True, help_text=_("HTML, sanitised when saved.")
    )
    status = models.CharField(
        _("status"), max_length=8, choices=Status, default=Status.DRAFT, db_index=True
    )
    product_type = models.ForeignKey(
        ProductType,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("product type"),
    )
    brand = models.ForeignKey(
        Brand,
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("brand"),
    )
    seller = models.ForeignKey(
        "stores.Seller",
        models.PROTECT,
        null=True,
        blank=True,
        related_name="products",
        verbose_name=_("seller"),
    )
    is_gift_card = models.BooleanField(
        _("gift card"),
        default=False,
        help_text=_(
            "Each piece that is sold is a gift card worth what was paid for it, mailed once the"
            " order is paid. Nothing is shipped, and no tax is due before the card is spent."
        ),
    )
    # The code of a class in `taxes`, which stands above.
    tax_class = models.SlugField(_("tax class"), default="standard")
    attributes = models.JSONField(_("attributes"), default=dict, blank=True)
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)
    categories = models.ManyToManyField(
        Category, blank=True, related_name="products", verbose_name=_("categories")
    )
    tags = models.ManyToManyField(Tag, blank=True, related_name="products", verbose_name=_("tags"))
    stores = models.ManyToManyField("stores.Store", through="Publication", related_name="products")

    objects = ProductQuerySet.as_manager()

    class Meta:
        verbose_name = _("product")
        verbose_name_plural = _("products")
        permissions = [("export_product", "Can export products with prices and stock")]

    def __str__(self) -> str:
        return self.name


class Publication(models.Model):
    """When a product is for sale in a store, and to whom. Without dates: always."""

    product = models.ForeignKey(
        Product, models.CASCADE, related_name="publications", verbose_name=_("product")
    )
    store = models.ForeignKey(
        "stores.Store", models.CASCADE, related_name="publications", verbose_name=_("store")
    )
    starts_at = models.DateTimeField(_("from"), null=True, blank=True)
    ends_at = models.DateTimeField(_("until"), null=True, blank=True)
    # Said of its own, so that what loses its last group is for nobody, and not for everybody.
    members_only = models.BooleanField(
        _("only for groups"),
        default=False,
        help_text=_("Only customers of these groups see it and can buy it."),
    )
    groups = models.ManyToManyField(
        "customers.CustomerGroup",
        blank=True,
        related_name="publications",
        verbose_name=_("customer groups"),
    )

    class Meta:
        verbose_name = _("publication")
        verbose_name_plural = _("publications")
        constraints = [
            models.UniqueConstraint(fields=["product", "store"], name="published_once_a_store"),
            models.CheckConstraint(
                condition=Q(starts_at__isnull=True)
                | Q(ends_at__isnull=True)
                | Q(starts_at__lt=models.F("ends_at")),
                name="publication_starts_before_end",
            ),
        ]

    def __str__(self) -> str:
        return str(self.store)

    @property
    def audience(self) -> list[str] | None:
        """The codes of the groups that alone see it; None: everybody does."""
        return sorted(group.code for group in self.groups.all()) if self.members_only else None


class Option(models.Model):
    """What a shopper chooses: "Size", "Colour"."""

    product = models.ForeignKey(Product, models.CASCADE, related_name="options")
    name = models.CharField(_("name"), max_length=100)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option")
        verbose_name_plural = _("options")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["product", "name"], name="option_once_a_product")
        ]

    def __str__(self) -> str:
        return self.name


class OptionValue(models.Model):
    option = models.ForeignKey(Option, models.CASCADE, related_name="values")
    value = models.CharField(_("value"), max_length=200)
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("option value")
        verbose_name_plural = _("option values")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["option", "value"], name="value_once_an_option")
        ]

    def __str__(self) -> str:
        return self.value


def _measured(unit: str, *references: str) -> Q:
    # A comparison with NULL would satisfy the constraint.
    told = Q(unit_quantity__isnull=False, unit_quantity__gte=1)
    return told & Q(unit=unit, unit_reference__in=["", *references])


class Variant(TimestampedModel):
    """What is priced, stocked and sold. Weights in grams, lengths in millimetres."""

    class Unit(models.TextChoices):
        GRAM = "g", _("grams")
        MILLILITRE = "ml", _("millilitres")
        MILLIMETRE = "mm", _("millimetres")
        SQUARE_CENTIMETRE = "cm2", _("square centimetres")
        PIECE = "piece", _("pieces")

    class UnitReference(models.TextChoices):
        KILOGRAM = "kg", _("kilogram")
        HUNDRED_GRAMS = "100g", _("100 grams")
        LITRE = "l", _("litre")
        HUNDRED_MILLILITRES = "100ml", _("100 millilitres")
        CUBIC_METRE = "m3", _("cubic metre")
        METRE = "m", _("metre")
        SQUARE_METRE = "m2", _("square metre")
        PIECE = "piece", _("piece")

    # Of each unit, what a price may be told per, in the unit; the first one is usual.
    UNIT_REFERENCES = {
        "g": {"kg": 1000, "100g": 100},
        "ml": {"l": 1000, "100ml": 100, "m3": 1_000_000},
        "mm": {"m": 1000},
        "cm2": {"m2": 10_000},
        "piece": {"piece": 1},
    }

    product = models.ForeignKey(
        Product, models.CASCADE, related_name="variants", verbose_name=_("product")
    )
    sku = models.CharField(_("SKU"), max_length=100, unique=True)
    name = models.CharField(_("name"), max_length=300, blank=True)
    position = models.PositiveIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    gtin = models.CharField(_("barcode (GTIN)"), max_length=50, blank=True, db_index=True)
    weight = models.PositiveIntegerField(_("weight in grams"), default=0)
    length = models.PositiveIntegerField(_("length in mm"), default=0)
    width = models.PositiveIntegerField(_("width in mm"), default=0)
    height = models.PositiveIntegerField(_("height in mm"), default=0)
    requires_shipping = models.BooleanField(_("needs shipping"), default=True)
    track_inventory = models.BooleanField(_("stock is tracked"), default=True)
    hs_code = models.CharField(_("HS code"), max_length=14, blank=True)
    origin_country = models.CharField(_("country of origin"), max_length=2, blank=True)
    unit_quantity = models.PositiveIntegerField(
        _("contents"),
        null=True,
        blank=True,
        help_text=_("How much is in it, for the price per unit: 750 of millilitres."),
    )
    unit = models.CharField(_("of"), max_length=8, choices=Unit, blank=True)
    unit_reference = models.CharField(
        _("price per"),
        max_length=8,
        choices=UnitReference,
        blank=True,
        help_text=_("Empty: kilogram, litre, metre, square metre or piece."),
    )
    min_quantity = models.PositiveIntegerField(
        _("least quantity"), default=1, help_text=_("The fewest pieces in one order.")
    )
    max_quantity = models.PositiveIntegerField(
        _("greatest quantity"), null=True, blank=True, help_text=_("Empty: as many as there are.")
    )
    quantity_step = models.PositiveIntegerField(
        _("in steps of"), default=1, help_text=_("From the least quantity: 6, 12, 18 in sixes.")
    )
    option_values = models.ManyToManyField(
        OptionValue, blank=True, related_name="variants", verbose_name=_("options")
    )
    image = models.ForeignKey(
        "products.ProductImage",
        models.SET_NULL,
        null=True,
        blank=True,
        related_name="+",
        verbose_name=_("image"),
    )
    metadata = models.JSONField(_("metadata"), default=dict, blank=True)

    class Meta:
        verbose_name = _("variant")
        verbose_name_plural = _("variants")
        ordering = ["position", "pk"]
        constraints = [
            models.CheckConstraint(
                condition=Q(min_quantity__gte=1, quantity_step__gte=1),
                name="variant_from_a_piece",
                violation_error_message=_("Quantities begin with one piece."),
            ),
            models.CheckConstraint(
                condition=Q(max_quantity__isnull=True)
                | Q(max_quantity__gte=models.F("min_quantity")),
                name="variant_quantities_ordered",
                violation_error_message=_("The greatest quantity is below the least."),
            ),
            models.CheckConstraint(
                condition=Q(unit="", unit_quantity__isnull=True, unit_reference="")
                | _measured("g", "kg", "100g")
                | _measured("ml", "l", "100ml", "m3")
                | _measured("mm", "m")
                | _measured("cm2", "m2")
                | _measured("piece", "piece"),
                name="variant_unit_complete",
                violation_error_message=_(
                    "Contents have a quantity, a unit, and a price per a multiple of that unit."
                ),
            ),
        ]

    def __str__(self) -> str:
        return self.sku


class ExternalId(models.Model):
    """What another system calls our row: makes every import an idempotent upsert."""

    source = models.CharField(_("source"), max_length=40)
    external_id = models.CharField(_("external id"), max_length=150)
    product = models.ForeignKey(
        Product, models.CASCADE, null=True, blank=True, related_name="external_ids"
    )
    variant = models.ForeignKey(
        Variant, models.CASCADE, null=True, blank=True, related_name="external_ids"
    )

    class Meta:
        verbose_name = _("external id")
        verbose_name_plural = _("external ids")
        constraints = [
            models.UniqueConstraint(fields=["source", "external_id"], name="external_id_once"),
            models.CheckConstraint(
                condition=Q(product__isnull=False, variant__isnull=True)
                | Q(product__isnull=True, variant__isnull=False),
                name="external_id_of_one_thing",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.source}:{self.external_id}"
