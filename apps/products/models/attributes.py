"""Typed attributes: defined once per product type, stored as JSON, indexed where filtered.

A product page reads its attributes from the product row itself; only filterable ones are also
rows of `AttributeIndex`, rewritten by the service that saves the product.
"""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Attribute(models.Model):
    class Kind(models.TextChoices):
        TEXT = "text", _("text")
        NUMBER = "number", _("number")
        BOOLEAN = "boolean", _("yes or no")
        CHOICE = "choice", _("one of a list")
        CHOICES = "choices", _("several of a list")
        DATE = "date", _("date")

    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    kind = models.CharField(_("kind"), max_length=8, choices=Kind, default=Kind.TEXT)
    choices = models.JSONField(_("choices"), default=list, blank=True)
    unit = models.CharField(_("unit"), max_length=20, blank=True)
    is_filterable = models.BooleanField(_("filterable"), default=False)

    class Meta:
        verbose_name = _("attribute")
        verbose_name_plural = _("attributes")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class ProductType(models.Model):
    code = models.SlugField(_("code"), max_length=60, unique=True)
    name = models.CharField(_("name"), max_length=120)
    attributes = models.ManyToManyField(
        Attribute, blank=True, related_name="product_types", verbose_name=_("attributes")
    )

    class Meta:
        verbose_name = _("product type")
        verbose_name_plural = _("product types")
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name


class AttributeIndex(models.Model):
    """One filterable value of one product."""

    product = models.ForeignKey("products.Product", models.CASCADE, related_name="attribute_index")
    attribute = models.ForeignKey(Attribute, models.CASCADE, related_name="+")
    text = models.CharField(max_length=200, blank=True)
    number = models.FloatField(null=True)

    class Meta:
        verbose_name = _("attribute index")
        verbose_name_plural = _("attribute index")
        # `attr_<code>=` filters and facet counts.
        indexes = [
            models.Index(fields=["attribute", "text", "product"], name="attr_text"),
            models.Index(fields=["attribute", "number", "product"], name="attr_number"),
        ]

    def __str__(self) -> str:
        return f"{self.product_id}.{self.attribute_id}"
