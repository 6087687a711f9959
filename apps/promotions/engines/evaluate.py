"""Which promotions apply to a basket, and what they take off. Pure, and independent of order.

Phases: items, buy X get Y, the whole order, shipping, gifts. Inside a phase every rule is worked
out on what the phases before left, and their sum is taken; nothing falls below zero. In a
stacking group the one that alone would save most counts; an exclusive one rules out all others.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from apps.promotions.engines.effects import Refused, chosen_by, take_off
from apps.promotions.engines.rules import (
    AmountOff,
    Applied,
    BuyXGetY,
    FreeGift,
    FreeShipping,
    Gift,
    Item,
    Percentage,
    Rule,
    Shopper,
    Verdict,
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """The chosen shipping method; `price` tells its price for goods worth so much."""

    code: str
    price: Callable[[int], int]


@dataclass(frozen=True, slots=True)
class GiftStock:
    """What a piece of a variant that is given away costs, and how many there are."""

    price: int
    available: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What applies, in order, and one verdict for every rule there was."""

    applied: tuple[Applied, ...] = ()
    gifts: tuple[Gift, ...] = ()
    verdicts: tuple[Verdict, ...] = ()


@dataclass(slots=True)
class _Basket:
    items: Sequence[Item]
    delivery: Delivery | None
    gifts: dict[str, GiftStock]
    left: list[int] = field(default_factory=list)
    shipping_left: int = 0
    _chosen: dict[int, list[int] | Refused] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.left = [item.unit_price * item.quantity for item in self.items]

    def chosen(self, rule: Rule) -> list[int] | Refused:
        """The positions of the rule's items, or why it doesn't apply."""
        found = self._chosen.get(id(rule))
        if found is None:
            found = self._chosen[id(rule)] = chosen_by(rule, self.items)
        return found

    def take_off(self, rule: Rule, left: Sequence[int]) -> list[int] | Refused:
        chosen = self.chosen(rule)
        return chosen if isinstance(chosen, Refused) else take_off(rule, self.items, left, chosen)

    def price_shipping(self) -> None:
        self.shipping_left = self.delivery.price(sum(self.left)) if self.delivery else 0


def evaluate(
    *,
    items: Sequence[Item],
    shopper: Shopper,
    rules: Sequence[Rule],
    delivery: Delivery | None = None,
    gifts: Mapping[str, GiftStock] | None = None,
) -> Outcome:
    """Apply the rules to a basket.

    `gifts` are the variants, by SKU, that may be given away. The amounts of an `Applied`
    follow `items`; a gift is listed apart. The same input gives the same outcome, in any order
    of the rules.
    """
    verdicts: dict[int, Verdict] = {}
    ordered = sorted(
        (rule for rule in rules if not rule.catalogue),
        key=lambda rule: (-rule.priority, rule.code, rule.coupon),
    )
    able = []
    for rule in ordered:
        if reason := refusal(rule, shopper):
            verdicts[id(rule)] = _verdict(rule, reason)
        else:
            able.append(rule)
    basket = _Basket(items, delivery, dict(gifts or {}))
    able = _without_beaten(able, basket, verdicts)
    applied, given = _apply(able, basket, verdicts)
    return Outcome(applied, given, tuple(verdicts[id(rule)] for rule in ordered))


def refusal(rule: Rule, shopper: Shopper) -> str:
    """Why a rule is not for this shopper now, whatever is in the basket; "" if it is."""
    if reason := rule.window.refusal(shopper):
        return reason
    if rule.refusal:
        return rule.refusal
    if rule.customer_groups and shopper.group not in rule.customer_groups:
        return "other_group"
    if rule.segments and shopper.segments.isdisjoint(rule.segments):
        return "other_segment"
    return "not_first_order" if rule.first_order and not shopper.first_order else ""


def reduced_price(
    *, item: Item, shopper: Shopper, rules: Sequence[Rule]
) -> tuple[int, Rule | None]:
    """The price of a piece by the catalogue rules, and the rule that made it: the lowest counts.

    Of two equal ones the higher priority, then the lower code.
    """
    best: tuple[int, Rule | None] = (item.list_price, None)
    one = Item(item.key, item.sku, 1, item.list_price, item.list_price, item.facts)
    for rule in sorted(rules, key=lambda rule: (-rule.priority, rule.code)):
        if not rule.catalogue or refusal(rule, shopper):
            continue
        chosen = chosen_by(rule, [one])
        if isinstance(chosen, Refused):
            continue
        off = take_off(rule, [one], [item.list_price], chosen)
        price = item.list_price if isinstance(off, Refused) else item.list_price - off[0]
        if price < best[0]:
            best = price, rule
    return best


def _verdict(rule: Rule, reason: str, amount: int = 0, **facts: object) -> Verdict:
    return Verdict(rule.code, rule.name, rule.coupon, reason, amount, facts)


def _phase(rule: Rule) -> int:
    effect = rule.effect
    if isinstance(effect, BuyXGetY):
        return 1
    if isinstance(effect, FreeShipping):
        return 3
    if isinstance(effect, FreeGift):
        return 4
    once = (isinstance(effect, Percentage) and effect.of == "order") or (
        isinstance(effect, AmountOff) and effect.per == "order"
    )
    return 2 if once else 0


def _saving_alone(rule: Rule, basket: _Basket) -> int:
    if isinstance(rule.effect, FreeShipping):
        basket.price_shipping()
        off = _shipping_off(rule, rule.effect, basket)
        return 0 if isinstance(off, Refused) else off
    if isinstance(rule.effect, FreeGift):
        gift = _gift(rule, rule.effect, basket)
        return 0 if isinstance(gift, Refused) else gift.quantity * basket.gifts[gift.sku].price
    off_items = basket.take_off(rule, basket.left)
    return 0 if isinstance(off_items, Refused) else sum(off_items)


def _without_beaten(rules: list[Rule], basket: _Basket, verdicts: dict[int, Verdict]) -> list[Rule]:
    """The rules that may apply together; of the others it is noted who beat them."""
    exclusive = [rule for rule in rules if rule.exclusive]
    winner = _best(exclusive, basket)
    if winner is not None:
        return _drop(rules, winner, rules, verdicts)
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        # Of several codes of one promotion one counts.
        groups.setdefault(f"g:{rule.group}" if rule.group else f"p:{rule.code}", []).append(rule)
    for members in groups.values():
        if len(members) > 1 and (winner := _best(members, basket)) is not None:
            rules = _drop(rules, winner, members, verdicts)
    return rules


def _best(rules: list[Rule], basket: _Basket) -> Rule | None:
    """The one that saves most; an exclusive one of higher priority comes before."""
    savings = [(rule, _saving_alone(rule, basket)) for rule in rules]
    found = [(rule, saved) for rule, saved in savings if saved > 0]
    if not found:
        return None
    by_priority = all(rule.exclusive for rule in rules)
    return max(found, key=lambda e: (e[0].priority if by_priority else 0, e[1], e[0].priority))[0]


def _drop(
    rules: list[Rule], winner: Rule, losers: list[Rule], verdicts: dict[int, Verdict]
) -> list[Rule]:
    beaten = {id(rule) for rule in losers if rule is not winner}
    for rule in rules:
        if id(rule) in beaten:
            verdicts[id(rule)] = _verdict(rule, "beaten", by=winner.code)
    return [rule for rule in rules if id(rule) not in beaten]


def _apply(
    rules: list[Rule], basket: _Basket, verdicts: dict[int, Verdict]
) -> tuple[tuple[Applied, ...], tuple[Gift, ...]]:
    applied: list[Applied] = []
    gifts: list[Gift] = []
    for phase in range(5):
        members = [rule for rule in rules if _phase(rule) == phase]
        if phase == 3:
            basket.price_shipping()
        base = list(basket.left)
        for rule in members:
            if isinstance(rule.effect, FreeGift):
                result: Applied | Gift | Refused = _gift(rule, rule.effect, basket)
            else:
                result = _one(rule, basket, base)
            if isinstance(result, Refused):
                verdicts[id(rule)] = _verdict(rule, result.reason, **result.facts)
            elif isinstance(result, Gift):
                gifts.append(result)
                stock = basket.gifts[result.sku]
                basket.gifts[result.sku] = GiftStock(stock.price, stock.available - result.quantity)
                worth = result.quantity * basket.gifts[result.sku].price
                verdicts[id(rule)] = _verdict(rule, "applied", worth, gift=result.sku)
            else:
                applied.append(result)
                verdicts[id(rule)] = _verdict(rule, "applied", result.amount)
    return tuple(applied), tuple(gifts)


def _one(rule: Rule, basket: _Basket, base: list[int]) -> Applied | Refused:
    nothing = (0,) * len(basket.items)
    if isinstance(rule.effect, FreeShipping):
        off = _shipping_off(rule, rule.effect, basket)
        if isinstance(off, Refused):
            return off
        basket.shipping_left -= off
        return Applied(rule.code, rule.coupon, rule.name, nothing, off)
    found = basket.take_off(rule, base)
    if isinstance(found, Refused):
        return found
    # Two rules of one phase may want the same cent.
    amounts = tuple(min(off, left) for off, left in zip(found, basket.left, strict=True))
    if not any(amounts):
        return Refused("no_saving", {})
    for i, off in enumerate(amounts):
        basket.left[i] -= off
    return Applied(rule.code, rule.coupon, rule.name, amounts)


def _shipping_off(rule: Rule, effect: FreeShipping, basket: _Basket) -> int | Refused:
    chosen = basket.chosen(rule)
    if isinstance(chosen, Refused):
        return chosen
    if basket.delivery is None:
        return Refused("no_shipping", {})
    if effect.methods and basket.delivery.code not in effect.methods:
        return Refused("other_method", {})
    price = basket.shipping_left
    off = price if effect.up_to is None else min(price, effect.up_to)
    return off or Refused("no_saving", {})


def _gift(rule: Rule, effect: FreeGift, basket: _Basket) -> Gift | Refused:
    chosen = basket.chosen(rule)
    if isinstance(chosen, Refused):
        return chosen
    stock = basket.gifts.get(effect.sku)
    if stock is None or stock.available <= 0:
        return Refused("gift_unavailable", {})
    return Gift(rule.code, effect.sku, min(effect.quantity, stock.available))
