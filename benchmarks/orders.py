"""Orders by the ten thousand, as rows and without their journeys. Needs a set-up Django."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import islice

from tqdm import tqdm

from apps.orders.models import Order, OrderLine
from apps.orders.selectors.search import search_orders
from apps.orders.services.search import index_new_orders
from apps.stores.models import Store

_BATCH = 2000
_NAMES = ("Ana", "Bea", "Carla", "Diego", "Elena", "Fernando", "Gema", "Hugo", "Inés", "Jorge")


def fill(orders: int) -> None:
    """Until there are so many."""
    store, _made = Store.objects.get_or_create(
        code="bench", defaults={"name": "Bench", "order_prefix": "B-"}
    )
    todo: Iterator[int] = iter(tqdm(range(Order.objects.count(), orders), leave=False))
    while numbers := list(islice(todo, _BATCH)):
        made = Order.objects.bulk_create(
            Order(
                number=f"B-{number}",
                store=store,
                email=f"shopper{number}@example.com",
                currency="EUR",
                subtotal=3000,
                total=3000,
                status="completed",
                shipping_address={"first_name": _NAMES[number % 10], "last_name": f"L{number}"},
            )
            for number in numbers
        )
        lines = [
            OrderLine(order=order, sku=f"SKU-{order.pk % 997}-{n}", name="A thing", quantity=1)
            for order in made
            for n in range(2)
        ]
        for line in lines:
            line.unit_price = line.subtotal = line.total = 1500
        OrderLine.objects.bulk_create(lines)
        index_new_orders([(order, [f"SKU-{order.pk % 997}"]) for order in made])


def search() -> None:
    """The newest 500 of what is found, by words that few and that all orders have."""
    for text in ("b-777", "shopper4242@example.com", "ana l31", "sku-1", "30.00"):
        found = search_orders(Order.objects.all(), text).order_by("-pk")
        started = time.monotonic()
        number = len(found.values_list("pk", flat=True)[:500])
        print(f"search {text!r}: {number} in {(time.monotonic() - started) * 1000:.1f} ms")
