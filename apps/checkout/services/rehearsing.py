"""What a promotion would have cost, had it been there: stored orders, played through it again.

Nothing is written. The prices are those of the orders; what products are (their categories, tags
and so on) and the customers' groups are as of today. The promotion stands alone: what else an
order had off isn't taken into account. Its code counts as typed, and it has no beginning and end.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from django.db.models import Min, Prefetch, QuerySet
from django.utils import timezone

from apps.orders.models import Order, OrderLine
from apps.pricing.selectors import prices_for
from apps.products.models import Variant
from apps.promotions.engines.evaluate import (
    Delivery,
    GiftStock,
    evaluate,
    reduced_price,
    refusal,
)
from apps.promotions.engines.rules import FreeGift, Item, Rule, Shopper
from apps.promotions.models import Promotion
from apps.promotions.selectors import facts_of, rule_of
from apps.promotions.services import check_promotion
from apps.stores.models import Store

BATCH = 200
TOP = 10


@dataclass(frozen=True, slots=True)
class RehearsedOrder:
    """An order that would have got something off; minor units."""

    number: str
    created_at: datetime
    currency: str
    total: int
    discount: int


@dataclass(slots=True)
class CurrencySum:
    """Orders of a currency that were touched, what they'd have had off, and the largest ones."""

    orders: int = 0
    discount: int = 0
    top: list[RehearsedOrder] = field(default_factory=list)

    @property
    def average(self) -> int:
        """Minor units for each touched order, rounded down."""
        return self.discount // self.orders if self.orders else 0


@dataclass(slots=True)
class Rehearsal:
    """`reasons` counts why the other orders would have got nothing, by the engine's codes."""

    since: datetime
    orders: int = 0
    touched: int = 0
    sums: dict[str, CurrencySum] = field(default_factory=dict)
    reasons: Counter[str] = field(default_factory=Counter)


def rehearse(
    *,
    promotion: Promotion,
    since: datetime,
    store: Store | None = None,
    newest: int | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    on_order: Callable[[RehearsedOrder], None] | None = None,
) -> Rehearsal:
    """Play the orders since a moment, cancelled ones apart, through a promotion, saved or not.

    With `newest` only so many of them. `on_progress` is told (done, all) after each batch,
    `on_order` of each touched order, oldest first. In constant memory (but for a limit per
    customer: a number for each customer who'd have used it) and with a constant number of queries
    for each batch. Raises InvalidPromotion.
    """
    check_promotion(promotion)
    orders = _orders(promotion, since, store)
    if newest is not None:
        first = orders.order_by("-pk").values_list("pk", flat=True)[newest - 1 : newest].first()
        orders = orders.filter(pk__gte=first) if first is not None else orders
    run = _Run(promotion, Rehearsal(since), on_order)
    every = orders.count()
    for batch in _batches(orders):
        run.play(batch)
        if on_progress:
            on_progress(run.result.orders, every)
    return run.result


def _orders(promotion: Promotion, since: datetime, store: Store | None) -> QuerySet[Order]:
    found = Order.objects.filter(created_at__gte=since).exclude(status=Order.Status.CANCELLED)
    if store is not None:
        found = found.filter(store=store)
    if promotion.pk and (stores := list(promotion.stores.values_list("pk", flat=True))):
        found = found.filter(store__in=stores)
    if promotion.conditions.get("segments"):
        found = found.prefetch_related("customer__segments")
    return found


def _batches(orders: QuerySet[Order]) -> Iterator[list[Order]]:
    lines = OrderLine.objects.select_related("variant__product")
    rows = orders.order_by("pk").select_related("store", "customer__group")
    rows = rows.prefetch_related(Prefetch("lines", queryset=lines))
    last = 0
    while batch := list(rows.filter(pk__gt=last)[:BATCH]):
        yield batch
        last = batch[-1].pk


class _Run:
    """The state of one rehearsal."""

    def __init__(
        self,
        promotion: Promotion,
        result: Rehearsal,
        on_order: Callable[[RehearsedOrder], None] | None,
    ) -> None:
        self.result = result
        self._promotion, self._on_order = promotion, on_order
        self._rules: dict[str, Rule] = {}
        self._gifts: dict[tuple[int, str], dict[str, GiftStock]] = {}
        self._uses: Counter[str] = Counter()
        self._per_customer = promotion.usage_limit_per_customer
        if promotion.conditions.get("first_order"):
            self._per_customer = 1

    def play(self, orders: Sequence[Order]) -> None:
        products = {
            line.variant.product for order in orders for line in order.lines.all() if line.variant
        }
        facts = facts_of(products)
        firsts = self._first_orders(orders)
        for order in orders:
            self.result.orders += 1
            rule = self._rule(order.currency)
            discount, reason = self._discount(order, rule, facts, order.pk in firsts)
            if discount:
                self._note(order, discount)
            else:
                self.result.reasons[reason] += 1

    def _rule(self, currency: str) -> Rule:
        if currency not in self._rules:
            rule = rule_of(self._promotion, currency)
            always = replace(rule.window, starts_at=None, ends_at=None)
            self._rules[currency] = replace(rule, window=always)
        return self._rules[currency]

    def _discount(
        self, order: Order, rule: Rule, facts: dict[int, frozenset[str]], is_first: bool
    ) -> tuple[int, str]:
        """What the order would have had off, and the reason if nothing."""
        if reason := self._used_up(order):
            return 0, reason
        shopper = Shopper(
            at=order.created_at,
            local=order.created_at.astimezone(order.store.zone),
            group=_group(order),
            segments=_segments(order) if rule.segments else frozenset(),
            first_order=is_first,
        )
        items = _items(order, facts)
        if rule.catalogue:
            return _reduced(items, shopper, rule)
        outcome = evaluate(
            items=items,
            shopper=shopper,
            rules=[rule],
            delivery=_delivery(order),
            gifts=self._gift_stock(order, rule),
        )
        verdict = outcome.verdicts[0]
        return verdict.amount, verdict.reason

    def _used_up(self, order: Order) -> str:
        limit = self._promotion.usage_limit
        if limit is not None and self.result.touched >= limit:
            return "used_up"
        if self._per_customer is None or self._uses[_customer(order)] < self._per_customer:
            return ""
        return "used_up_by_customer"

    def _gift_stock(self, order: Order, rule: Rule) -> dict[str, GiftStock]:
        """The gift at its price of today, as if there were enough of it."""
        if not isinstance(rule.effect, FreeGift):
            return {}
        key = order.store_id, order.currency
        if key not in self._gifts:
            sku = rule.effect.sku
            found = Variant.objects.filter(sku=sku).values_list("pk", flat=True)
            prices = prices_for(
                store=order.store,
                currency=order.currency,
                variant_ids=list(found),
                at=timezone.now(),
            )
            gifts = [price.for_quantity(1).amount for price in prices.values()]
            self._gifts[key] = {sku: GiftStock(gifts[0], 1_000_000)} if gifts else {}
        return self._gifts[key]

    def _first_orders(self, orders: Sequence[Order]) -> set[int]:
        """Which of the orders are their mailbox's and their customer's first ones."""
        if not self._promotion.conditions.get("first_order"):
            return set()
        placed = Order.objects.exclude(status=Order.Status.CANCELLED).order_by()
        keys = {order.email_key for order in orders if order.email_key}
        people = {order.customer_id for order in orders if order.customer_id}
        by_key = dict(
            placed.filter(email_key__in=keys).values_list("email_key").annotate(first=Min("pk"))
        )
        by_person = dict(
            placed.filter(customer__in=people).values_list("customer").annotate(first=Min("pk"))
        )
        return {
            order.pk
            for order in orders
            if by_key.get(order.email_key, order.pk) == order.pk
            and by_person.get(order.customer_id, order.pk) == order.pk
        }

    def _note(self, order: Order, discount: int) -> None:
        row = RehearsedOrder(order.number, order.created_at, order.currency, order.total, discount)
        self.result.touched += 1
        if self._per_customer is not None:
            self._uses[_customer(order)] += 1
        found = self.result.sums.setdefault(order.currency, CurrencySum())
        found.orders += 1
        found.discount += discount
        found.top = heapq.nlargest(TOP, [*found.top, row], key=lambda r: (r.discount, r.number))
        if self._on_order:
            self._on_order(row)


def _customer(order: Order) -> str:
    return order.email_key or order.email


def _segments(order: Order) -> frozenset[str]:
    rows = order.customer.segments.all() if order.customer else ()
    return frozenset(row.code for row in rows)


def _group(order: Order) -> str:
    group = order.customer.group if order.customer else None
    return group.code if group else ""


def _items(order: Order, facts: dict[int, frozenset[str]]) -> list[Item]:
    """The order's lines as promotions see them, without gifts, at the prices of its quote."""
    products = {line.sku: line.variant.product_id for line in order.lines.all() if line.variant}
    lines: list[dict[str, Any]] = order.quote.get("lines") or [
        {"key": line.sku, "sku": line.sku, "quantity": line.quantity, "unit_price": line.unit_price}
        for line in order.lines.all()
    ]
    return [
        Item(
            key=str(line.get("key", line["sku"])),
            sku=line["sku"],
            quantity=line["quantity"],
            unit_price=line["unit_price"],
            list_price=line.get("list_price") or line["unit_price"],
            facts=facts.get(products.get(line["sku"], 0), frozenset()) | {f"sku:{line['sku']}"},
        )
        for line in lines
        if not line.get("is_gift")
    ]


def _delivery(order: Order) -> Delivery | None:
    choice = order.quote.get("shipping_choice") or {}
    if not order.shipping_method:
        return None
    price = choice.get("list_price", order.shipping)
    return Delivery(order.shipping_method, lambda goods: price)


def _reduced(items: Sequence[Item], shopper: Shopper, rule: Rule) -> tuple[int, str]:
    """What a price of lists would have taken off, below what was paid for the piece."""
    if reason := refusal(rule, shopper):
        return 0, reason
    if not any(rule.items.matches(item) for item in items):
        return 0, "nothing_matches"
    off = 0
    for item in items:
        price, _rule = reduced_price(item=item, shopper=shopper, rules=[rule])
        off += max(0, item.unit_price - price) * item.quantity
    return off, "no_saving"
