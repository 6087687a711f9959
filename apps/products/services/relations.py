"""Which products a merchant wants to be shown beside another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.events import publish
from apps.products.events import ProductsChanged
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


@transaction.atomic
def relate_products(*, related: Mapping[int, Sequence[int]]) -> None:
    """The same for many products by primary key, in a constant number of statements.

    Those that differ are announced by one ProductsChanged.
    """
    before: dict[int, list[int]] = defaultdict(list)
    rows = ProductRelation.objects.filter(product__in=list(related))
    for product_id, related_id in rows.values_list("product_id", "related_id"):
        before[product_id].append(related_id)
    changed = sorted(pk for pk, others in related.items() if before[pk] != list(others))
    if not changed:
        return
    ProductRelation.objects.filter(product__in=changed).delete()
    ProductRelation.objects.bulk_create(
        [
            ProductRelation(product_id=pk, related_id=other, position=position)
            for pk in changed
            for position, other in enumerate(related[pk])
        ],
        batch_size=300,
    )
    products = Product.objects.filter(pk__in=changed)
    products.update(updated_at=timezone.now())
    publish(ProductsChanged([str(pk) for pk in products.values_list("public_id", flat=True)]))
