"""What pieces of an order may be exchanged for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Prefetch
from django.utils import timezone

from apps.customers.selectors import group_id_of
from apps.inventory.selectors import availability
from apps.orders.models import Order, OrderLine
from apps.products.models import OptionValue, Product, Variant


@dataclass(frozen=True, slots=True)
class Choice:
    """A variant that is there now. `label` are its options ("L / Blue"), or its SKU."""

    sku: str
    label: str


def exchanges_of(order: Order, lines: Iterable[OrderLine]) -> dict[int, list[Choice]]:
    """By line, the variants of its product that are sold and there, its own among them.

    Constant number of queries. `lines` come with their variant.
    """
    products = {line.pk: line.variant.product_id for line in lines if line.variant}
    on_sale = Product.objects.published(
        order.store_id, timezone.now(), group_id=group_id_of(order.customer)
    ).filter(pk__in=set(products.values()), is_gift_card=False)
    values = OptionValue.objects.select_related("option")
    rows = Variant.objects.filter(is_active=True, product__in=on_sale.values("pk"))
    variants = list(
        rows.prefetch_related(Prefetch("option_values", queryset=values)).order_by("pk")
    )
    tracked = [variant.pk for variant in variants if variant.track_inventory]
    free = availability(store_id=order.store_id, variant_ids=tracked) if tracked else {}
    found: dict[int, list[Choice]] = {}
    for variant in variants:
        if free.get(variant.pk, 1) > 0:
            names = " / ".join(value.value for value in variant.option_values.all())
            choice = Choice(variant.sku, names or variant.sku)
            found.setdefault(variant.product_id, []).append(choice)
    return {pk: found.get(product, []) for pk, product in products.items()}
