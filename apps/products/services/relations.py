"""Which products a merchant wants to be shown beside another."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.products.models import Product, ProductRelation


class RelatedToItself(DomainError):
    code = "related_to_itself"
    message = _("A product isn't related to itself.")


@transaction.atomic
def set_related(*, product: Product, related: Sequence[Product]) -> None:
    """Make these, in this order, what is shown beside the product. Raises RelatedToItself."""
    if product in related:
        raise RelatedToItself(field="related")
    product.relations.exclude(related__in=related).delete()
    for position, other in enumerate(related):
        ProductRelation.objects.update_or_create(
            product=product, related=other, defaults={"position": position}
        )
