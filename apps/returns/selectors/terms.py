"""What of an order may come back, until when, and on what terms."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.utils import timezone

from apps.orders.models import Order, OrderLine
from apps.products.models import Product
from apps.returns.models import ReturnPolicy
from apps.stores.models import Store
from apps.taxes.engines.territories import EU

# Directive 2011/83/EU, article 9; in the European Economic Area, to consumers.
WITHDRAWAL_DAYS = 14
_EEA = EU | {"IS", "LI", "NO"}


@dataclass(frozen=True, slots=True)
class Terms:
    """Of one line. `pieces` may still come back; without a last day nothing has been delivered yet,
    and no time runs."""

    line: OrderLine
    policy: ReturnPolicy
    pieces: int
    return_until: date | None
    withdraw_until: date | None
    may_return: bool
    may_withdraw: bool
    # The same for pieces that weren't sent yet.
    has_withdrawal: bool


def terms_of(order: Order, *, at: datetime | None = None) -> list[Terms]:
    """The terms of each line of an order, at `at` or now. Three queries."""
    today = (at or timezone.now()).astimezone(order.store.zone).date()
    lines = list(order.lines.select_related("variant__product"))
    policies = policies_of(order.store, [line.variant.product for line in lines if line.variant])
    rest = policies[None]
    return [
        _terms(order, line, policies.get(line.variant.product_id, rest), today)
        if line.variant
        else _terms(order, line, rest, today)
        for line in lines
    ]


def _terms(order: Order, line: OrderLine, policy: ReturnPolicy, today: date) -> Terms:
    # What a gift card is worth may be spent: its sale is undone by the staff.
    is_card = line.variant is not None and line.variant.product.is_gift_card
    pieces = 0 if is_card else line.fulfilled_quantity - line.returned_quantity
    return_until = last_day(order, policy.days)
    withdraw_until = last_day(order, WITHDRAWAL_DAYS)
    has_withdrawal = (
        not is_card
        and not policy.is_exempt
        # Of consumers, not of businesses.
        and not order.billing_address.get("vat_number")
        and order.shipping_address.get("country") in _EEA
        and (withdraw_until is None or today <= withdraw_until)
    )
    in_time = return_until is None or today <= return_until
    return Terms(
        line=line,
        policy=policy,
        pieces=pieces,
        return_until=return_until,
        withdraw_until=withdraw_until,
        may_return=pieces > 0 and not policy.is_final_sale and in_time,
        may_withdraw=pieces > 0 and has_withdrawal,
        has_withdrawal=has_withdrawal,
    )


def last_day(order: Order, days: int) -> date | None:
    """The last of `days` after the delivery; the next Monday, if that is a weekend.

    Regulation (EEC, Euratom) 1182/71, article 3: the day of the event doesn't count, and a period
    doesn't end on a Saturday or Sunday. Public holidays aren't known here.
    """
    if order.delivered_at is None:
        return None
    day = order.delivered_at.astimezone(order.store.zone).date() + timedelta(days=days)
    return day + timedelta(days=max(0, 7 - day.weekday()) if day.weekday() >= 5 else 0)


def policies_of(store: Store, products: Iterable[Product]) -> dict[int | None, ReturnPolicy]:
    """The policy of each product, by its key; the store's own under None, made up if there is none.

    Of several that fit the deepest category's counts, of equally deep ones the oldest.
    """
    rows = list(store.return_policies.select_related("category").order_by("pk"))
    own = next((row for row in rows if row.category_id is None), ReturnPolicy(store=store))
    found: dict[int | None, ReturnPolicy] = {None: own}
    by_path = {row.category.path: row for row in rows if row.category}
    if not by_path:
        return found
    ids = {product.pk for product in products}
    placed = Product.categories.through.objects.filter(product__in=ids)
    best: dict[int, str] = {}
    for product_id, path in placed.values_list("product_id", "category__path").order_by("pk"):
        fits = [scope for scope in by_path if path.startswith(scope)]
        deepest = max([*fits, best.get(product_id, "")], key=len)
        if len(deepest) > len(best.get(product_id, "")):
            best[product_id] = deepest
    return {**found, **{pk: by_path[path] for pk, path in best.items()}}
