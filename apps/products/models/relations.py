"""What a merchant wants to be shown beside a product."""

from __future__ import annotations

from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from apps.products.models.product import Product


class ProductRelation(models.Model):
    """`related` is shown on the page of `product`; not the other way round."""

    product = models.ForeignKey(
        Product, models.CASCADE, related_name="relations", verbose_name=_("product")
    )
    related = models.ForeignKey(
        Product, models.CASCADE, related_name="+", verbose_name=_("related product")
    )
    position = models.PositiveIntegerField(_("position"), default=0)

    class Meta:
        verbose_name = _("related product")
        verbose_name_plural = _("related products")
        ordering = ["position", "pk"]
        constraints = [
            models.UniqueConstraint(fields=["product", "related"], name="relation_once"),
            models.CheckConstraint(
                condition=~Q(product=F("related")),
                name="relation_to_another",
                violation_error_message=_("A product isn't related to itself."),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.product_id} → {self.related_id}"
