"""What a quote costs: 12 lines and 200 active promotions. Needs a set-up Django.

Times are CPU of this process, so that the database and whoever else is busy don't count.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.pricing.engines import till
from apps.pricing.services import Item, Quotation, Situation, quote_items
from apps.products.models import Variant
from apps.promotions.models import Promotion
from apps.promotions.services import save_promotion
from apps.shipping.engines.tables import Band, Table
from apps.stores.models import Store
from benchmarks.journeys import ADDRESS
from benchmarks.statements import CONTROL
from benchmarks.world import BRANDS, CATEGORIES, skus

LINES, PROMOTIONS, TIMES = 12, 200, 300


def add_promotions() -> None:
    """200 automatic promotions of every kind that a list doesn't show; some stack, some don't."""
    for number in range(PROMOTIONS):
        effect, conditions = _kinds(number)[number % 8]
        save_promotion(
            promotion=Promotion(
                code=f"promotion-{number}",
                name=f"Promotion {number}",
                is_active=True,
                stacking_group="sale" if number % 8 == 0 else "",
                effect=effect,
                conditions=conditions,
            )
        )


def _kinds(number: int) -> list[tuple[dict[str, Any], dict[str, Any]]]:
    category = {"items": {"category": [f"category-{number % CATEGORIES}"]}}
    brand = {"items": {"brand": [f"brand-{number % BRANDS}"]}}
    tiers = [{"from": 3, "percent": "5"}, {"from": 12, "percent": "10"}]
    return [
        ({"type": "percentage", "percent": "10"}, category),
        ({"type": "percentage", "percent": "2"}, brand),
        ({"type": "amount_off", "amount": {"EUR": "1.00"}}, {"min_spend": {"EUR": "50.00"}}),
        ({"type": "amount_off", "amount": {"EUR": "9.00"}}, {"min_spend": {"EUR": "9999999.00"}}),
        ({"type": "fixed_price", "price": {"EUR": "4.00"}}, category),
        ({"type": "quantity_tiers", "tiers": tiers}, brand),
        ({"type": "buy_x_get_y", "buy": 2, "get": 1}, category),
        ({"type": "free_shipping"}, {"min_spend": {"EUR": f"{number * 100}.00"}}),
    ]


@dataclass(frozen=True)
class Sum:
    """Milliseconds of CPU, of 300 times, and statements."""

    median: float
    p99: float
    statements: int


def measured(products: int) -> dict[str, Sum]:
    """The till alone, and the whole service."""
    situation = Situation(Store.objects.get(code="web"), "EUR", timezone.now(), ADDRESS)
    wanted = [skus(number * (products // LINES))[0] for number in range(LINES)]
    found = Variant.objects.filter(sku__in=wanted).select_related("product").order_by("sku")
    items = [Item(variant.sku, variant, place + 1) for place, variant in enumerate(found)]

    def asked() -> Quotation:
        return quote_items(situation=situation, items=items, shipping_method="post")

    first = asked()
    basket = replace(
        first.basket, shipping=till.Shipping(Table("post", "Post", (Band(495),)), rates=None)
    )
    if (len(basket.lines), len(basket.rules)) != (LINES, PROMOTIONS) or not first.quote.discounts:
        raise RuntimeError("This isn't the basket that should be measured.")
    with CaptureQueriesContext(connection) as queries:
        asked()
    told = sum(not query["sql"].startswith(CONTROL) for query in queries)
    size = f"{products:,} products"
    return {
        f"the till alone, {LINES} lines, {PROMOTIONS} promotions, {size}": _timed(
            lambda: till.quote(basket), 0
        ),
        f"the same with its reads, {size}": _timed(asked, told),
    }


def _timed(work: Callable[[], object], statements: int) -> Sum:
    took = []
    for _ in range(TIMES):
        started = time.process_time()
        work()
        took.append((time.process_time() - started) * 1000)
    took.sort()
    median = round(statistics.median(took), 2)
    return Sum(median, round(took[int(TIMES * 0.99)], 2), statements)
