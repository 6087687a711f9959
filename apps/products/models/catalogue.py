"""How products are found: categories, collections, brands, tags."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _
from treebeard.mp_tree import MP_Node

from apps.core.models import TimestampedModel


class SEOModel(models.Model):
    seo_title = models.CharField(_("SEO title"), max_length=200, blank=True)
    seo_description = models.CharField(_("SEO description"), max_length=400, blank=True)

    class Meta:
        abstract = True


class Category(SEOModel, TimestampedModel, MP_Node):
    """A node of the category tree (materialised path: a subtree is one range scan)."""

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=200, unique=True)
    description = models.TextField(_("description"), blank=True, help_text=_("HTML"))
    is_active = models.BooleanField(_("active"), default=True)

    class Meta(MP_Node.Meta):
        abstract = False
        verbose_name = _("category")
        verbose_name_plural = _("categories")

    def __str__(self) -> str:
        return self.name


class Brand(TimestampedModel):
    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=200, unique=True)

    class Meta:
        verbose_name = _("brand")
        verbose_name_plural = _("brands")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Tag(models.Model):
    name = models.CharField(_("name"), max_length=100)
    slug = models.SlugField(_("slug"), max_length=100, unique=True)

    class Meta:
        verbose_name = _("tag")
        verbose_name_plural = _("tags")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class Collection(SEOModel, TimestampedModel):
    """A set of products: chosen by hand, or by a rule that services keep up to date."""

    class Kind(models.TextChoices):
        MANUAL = "manual", _("by hand")
        RULE = "rule", _("by rule")

    name = models.CharField(_("name"), max_length=200)
    slug = models.SlugField(_("slug"), max_length=200, unique=True)
    description = models.TextField(_("description"), blank=True, help_text=_("HTML"))
    kind = models.CharField(_("kind"), max_length=6, choices=Kind, default=Kind.MANUAL)
    # {"all": [{"field": "tag"|"brand"|"category"|"product_type", "value": slug}, …]}
    rule = models.JSONField(_("rule"), default=dict, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    products = models.ManyToManyField(
        "products.Product", through="CollectionProduct", related_name="collections"
    )

    class Meta:
        verbose_name = _("collection")
        verbose_name_plural = _("collections")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class CollectionProduct(models.Model):
    collection = models.ForeignKey(Collection, models.CASCADE, verbose_name=_("collection"))
    product = models.ForeignKey("products.Product", models.CASCADE, verbose_name=_("product"))
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("product in collection")
        verbose_name_plural = _("products in collection")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["collection", "product"], name="once_in_collection")
        ]

    def __str__(self) -> str:
        return f"{self.collection_id}: {self.product_id}"
