"""Slugs that rows had before: links to them are out in the world."""

from __future__ import annotations

from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from apps.products.models.catalogue import Brand, Category, Collection
from apps.products.models.product import Product


def _of(kind: str) -> Q:
    names = ("product", "category", "brand", "collection")
    return Q(kind=kind, **{f"{name}__isnull": name != kind for name in names})


class FormerSlug(models.Model):
    """A slug that a row had, and no row of its kind has now; it leads to the row, so never on."""

    class Kind(models.TextChoices):
        PRODUCT = "product", _("product")
        CATEGORY = "category", _("category")
        BRAND = "brand", _("brand")
        COLLECTION = "collection", _("collection")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    slug = models.CharField(_("slug"), max_length=200)
    # The one that `kind` names.
    product = models.ForeignKey(
        Product, models.CASCADE, null=True, related_name="former_slugs", verbose_name=_("product")
    )
    category = models.ForeignKey(
        Category, models.CASCADE, null=True, related_name="former_slugs", verbose_name=_("category")
    )
    brand = models.ForeignKey(
        Brand, models.CASCADE, null=True, related_name="former_slugs", verbose_name=_("brand")
    )
    collection = models.ForeignKey(
        Collection,
        models.CASCADE,
        null=True,
        related_name="former_slugs",
        verbose_name=_("collection"),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("former slug")
        verbose_name_plural = _("former slugs")
        constraints = [
            models.UniqueConstraint(fields=["kind", "slug"], name="former_slug_once_a_kind"),
            models.CheckConstraint(
                condition=_of("product") | _of("category") | _of("brand") | _of("collection"),
                name="former_slug_of_its_kind",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind}: {self.slug}"
