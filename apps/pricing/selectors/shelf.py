"""The prices that the shop's lists show: those of the price lists, less catalogue promotions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from apps.pricing.selectors.prices import ResolvedPrice, Tier, prices_for
from apps.products.models import Variant
from apps.promotions.engines.evaluate import reduced_price
from apps.promotions.engines.rules import Item, Rule, Shopper
from apps.promotions.selectors import catalogue_rules, facts_of
from apps.stores.models import Store


def shelf_prices(
    *, store: Store, currency: str, variants: Sequence[Variant], at: datetime
) -> dict[int, ResolvedPrice]:
    """What everybody pays for a piece, by variant id, as `prices_for` gives it.

    A price that a promotion reduces is compared with the one before; `next_change_at` also tells
    when such a promotion begins or ends. `variants` have their products loaded.
    """
    prices = prices_for(store=store, currency=currency, variant_ids=[v.pk for v in variants], at=at)
    rules = catalogue_rules(store=store, currency=currency, at=at)
    if not rules:
        return prices
    shopper = Shopper(at, at.astimezone(store.zone))
    facts = facts_of({variant.product for variant in variants})
    for variant in variants:
        if price := prices.get(variant.pk):
            known = facts[variant.product_id] | {f"sku:{variant.sku}"}
            prices[variant.pk] = _reduced(price, variant.sku, known, rules, shopper)
    return prices


def _reduced(
    price: ResolvedPrice, sku: str, facts: frozenset[str], rules: Sequence[Rule], shopper: Shopper
) -> ResolvedPrice:
    item = Item("", sku, 1, price.amount, price.amount, facts)
    mine = [rule for rule in rules if rule.items.matches(item)]
    moments = [m for rule in mine for m in (rule.window.starts_at, rule.window.ends_at)]
    changes = [m for m in (*moments, price.next_change_at) if m is not None and m > shopper.at]

    def tier(before: Tier) -> tuple[Tier, Rule | None]:
        at_price = Item("", sku, 1, before.amount, before.amount, facts)
        amount, rule = reduced_price(item=at_price, shopper=shopper, rules=mine)
        after = replace(before, amount=amount, compare_at=before.amount) if rule else before
        return after, rule

    tiers = tuple(tier(before)[0] for before in price.tiers)
    first, rule = tier(price.for_quantity(1))
    return replace(
        price,
        amount=first.amount,
        compare_at=first.compare_at,
        next_change_at=min(changes, default=None),
        tiers=tiers,
        reduced_by=rule,
    )
