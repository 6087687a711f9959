"""What each effect takes off a basket. Pure sums: values in, one amount per item out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from apps.core.money import allocate, round_half_up
from apps.promotions.engines.rules import (
    EVERYTHING,
    AmountOff,
    BuyXGetY,
    FixedPrice,
    Item,
    Percentage,
    QuantityTiers,
    Rule,
)


@dataclass(frozen=True, slots=True)
class Refused:
    """Why an effect takes nothing off."""

    reason: str
    facts: dict[str, int]


def chosen_by(rule: Rule, items: Sequence[Item]) -> list[int] | Refused:
    """The positions of the rule's items, if there is enough of them, or why not.

    What must be spent is measured in prices before anything is taken off in the cart, so that it
    doesn't depend on what else applies.
    """
    chosen = list(range(len(items)))
    if rule.items != EVERYTHING:
        chosen = [i for i in chosen if rule.items.matches(items[i])]
    if not chosen:
        return Refused("nothing_matches", {})
    if rule.min_spend:
        spent = sum(items[i].unit_price * items[i].quantity for i in chosen)
        if spent < rule.min_spend:
            return Refused("spend_too_low", {"needed": rule.min_spend, "spent": spent})
    if rule.min_quantity:
        pieces = sum(items[i].quantity for i in chosen)
        if pieces < rule.min_quantity:
            return Refused("too_few", {"needed": rule.min_quantity, "pieces": pieces})
    return chosen


def take_off(
    rule: Rule, items: Sequence[Item], left: Sequence[int], chosen: list[int]
) -> list[int] | Refused:
    """The amount off each item, never more than is `left` of it, or why there is none.

    `left` is what each item still costs, in minor units; `chosen` comes from `chosen_by`.
    """
    effect = rule.effect
    if isinstance(effect, BuyXGetY):
        return _buy_x_get_y(rule, effect, items, left)
    if isinstance(effect, QuantityTiers):
        pieces = sum(items[i].quantity for i in chosen)
        reached = [percent for start, percent in effect.tiers if start <= pieces]
        if not reached:
            return Refused("too_few", {"needed": effect.tiers[0][0], "pieces": pieces})
        effect = Percentage(reached[-1])
    return _on_items(rule, effect, items, left, chosen)


def _on_items(
    rule: Rule, effect: object, items: Sequence[Item], left: Sequence[int], chosen: list[int]
) -> list[int]:
    reach = _reach(rule, items, left, chosen)
    off = [0] * len(items)
    if isinstance(effect, Percentage) and effect.of == "items":
        for i in chosen:
            off[i] = share(reach[i][1], effect.percent)
    elif isinstance(effect, Percentage):
        values = [reach[i][1] for i in chosen]
        _spread(off, chosen, values, share(sum(values), effect.percent))
    elif isinstance(effect, AmountOff) and effect.per == "item":
        for i in chosen:
            off[i] = min(reach[i][1], effect.amount * reach[i][0])
    elif isinstance(effect, AmountOff):
        values = [reach[i][1] for i in chosen]
        _spread(off, chosen, values, min(effect.amount, sum(values)))
    elif isinstance(effect, FixedPrice):
        for i in chosen:
            off[i] = max(0, reach[i][1] - effect.price * reach[i][0])
    return off


def _reach(
    rule: Rule, items: Sequence[Item], left: Sequence[int], chosen: list[int]
) -> dict[int, tuple[int, int]]:
    """Pieces and value of each item that the rule may reduce: the dearest `max_per_order`."""
    if rule.max_per_order is None:
        return {i: (items[i].quantity, left[i]) for i in chosen}
    reach, room = {}, rule.max_per_order
    for i in sorted(chosen, key=lambda i: (-items[i].unit_price, i)):
        pieces = min(room, items[i].quantity)
        reach[i] = pieces, left[i] * pieces // items[i].quantity
        room -= pieces
    return reach


def _spread(off: list[int], chosen: list[int], values: list[int], amount: int) -> None:
    if not sum(values):
        return
    for i, part in zip(chosen, allocate(amount, values), strict=True):
        off[i] = part


def share(value: int, percent: Decimal) -> int:
    """`percent` of `value`, rounded half up, and never more than all of it."""
    return min(value, round_half_up(value * percent / 100))


def _buy_x_get_y(
    rule: Rule, effect: BuyXGetY, items: Sequence[Item], left: Sequence[int]
) -> list[int] | Refused:
    get_items = effect.get_items or rule.items
    bought = {i for i, item in enumerate(items) if rule.items.matches(item)}
    gained = {i for i, item in enumerate(items) if get_items.matches(item)}
    only_bought = sum(items[i].quantity for i in bought - gained)
    both = sum(items[i].quantity for i in bought & gained)
    only_gained = sum(items[i].quantity for i in gained - bought)
    times = _times(effect, only_bought, both, only_gained)
    if rule.max_per_order is not None:
        times = min(times, rule.max_per_order)
    if not times:
        facts = {"needed": effect.buy + effect.get, "pieces": only_bought + both + only_gained}
        return Refused("too_few", facts)
    # Pieces that count as bought can't be the reduced ones.
    from_both = both - max(0, effect.buy * times - only_bought)
    wanted, off = effect.get * times, [0] * len(items)
    for i in sorted(gained, key=lambda i: (items[i].unit_price, i)):
        pieces = min(wanted, items[i].quantity, from_both if i in bought else wanted)
        off[i] = share(left[i] * pieces // items[i].quantity, effect.percent)
        wanted -= pieces
        from_both -= pieces if i in bought else 0
    return off


def _times(effect: BuyXGetY, only_bought: int, both: int, only_gained: int) -> int:
    """How often the whole offer fits: every piece is bought or gained, never both."""

    def fits(times: int) -> bool:
        from_bought = max(0, effect.buy * times - only_bought)
        from_gained = max(0, effect.get * times - only_gained)
        return from_bought + from_gained <= both

    low, high = 0, (only_bought + both) // effect.buy
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if fits(middle) else (low, middle - 1)
    return low
