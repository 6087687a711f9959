"""Two hundred orders of the same six things, each in an order of its own, and staff among them."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from functools import partial

import pytest
from django.db import connection

from apps.inventory import services as inventory
from apps.inventory.models import StockLevel
from apps.orders.models import Order
from apps.pricing.services import set_price
from apps.products.models import Variant
from tests.factories.products import ProductFactory
from tests.flows.conftest import Shop
from tests.torture.conftest import MakeCarts
from tests.torture.serving import Answer, Server, crowd, statuses

pytestmark = [
    pytest.mark.race,
    pytest.mark.usefixtures("invariants"),
]

ORDERS, AT_ONCE = 200, 40
STOCK = 1000


def _deadlocks() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()")
        return int(cursor.fetchone()[0])


@pytest.fixture
def six(shop: Shop) -> list[Variant]:
    variants = []
    for number in range(6):
        product = ProductFactory(
            slug=f"thing-{number}",
            stores=[shop.store],
            variants=0,
            tax_class=shop.book.product.tax_class,
        )
        variant = Variant.objects.create(product=product, sku=f"THING-{number}", weight=100)
        set_price(variant=variant, currency="EUR", amount=1000)
        for location in (shop.near, shop.far):
            inventory.receive(variant=variant, location=location, quantity=STOCK)
        variants.append(variant)
    return variants


def _staff_work(shop: Shop, variants: list[Variant], dice: random.Random) -> Callable[[], None]:
    """Counting, moving and being told of the same stock, in any order."""
    first, second = dice.sample(variants, 2)
    source, target = dice.sample([shop.near, shop.far], 2)

    def work() -> None:
        try:
            inventory.transfer(variant=first, source=source, target=target, quantity=1)
            inventory.apply_snapshots(
                [
                    inventory.Snapshot(variant.pk, location.pk, STOCK)
                    for variant in (second, first)
                    for location in (target, source)
                ]
            )
        finally:
            connection.close()

    return work


def test_lines_in_any_order_never_deadlock(
    server: Server, shop: Shop, six: list[Variant], make_carts: MakeCarts
) -> None:
    dice = random.Random(6)
    calls: list[Callable[[], Answer | None]] = []
    for number in range(ORDERS):
        skus = dice.sample([variant.sku for variant in six], 6)
        [cart] = make_carts(1, *((sku, dice.randint(1, 3)) for sku in skus))
        calls.append(partial(server.checkout, cart, "manual"))
        if number % 4 == 0:
            calls.append(_staff_work(shop, six, dice))
    before = _deadlocks()

    answers = [answer for answer in crowd(AT_ONCE, calls) if answer is not None]

    # Servers write their figures once a second.
    time.sleep(1.1)
    assert _deadlocks() - before == 0
    assert statuses(answers) == {(201, ""): ORDERS}
    assert Order.objects.filter(status="confirmed").count() == ORDERS
    seconds = sorted(answer.seconds for answer in answers)
    assert seconds[int(ORDERS * 0.95)] < 10, "somebody waited for locks"
    promised = sum(StockLevel.objects.filter(variant__in=six).values_list("committed", flat=True))
    ordered = sum(line.quantity for order in Order.objects.all() for line in order.lines.all())
    assert promised == ordered
