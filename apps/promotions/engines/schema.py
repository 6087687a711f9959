"""From a promotion's JSON to a rule: every member is checked, and nothing else is taken.

effect, by `type`:
  percentage      percent, of ("items" | "order")
  amount_off      amount {currency: decimal}, per ("order" | "item")
  fixed_price     price {currency: decimal}
  quantity_tiers  tiers [{from, percent}]
  buy_x_get_y     buy, get, percent (100), get_items (a selection)
  free_shipping   methods [code], up_to {currency: decimal}
  free_gift       sku, quantity
conditions: items (a selection), min_spend {currency: decimal}, min_quantity, customer_groups
[code], segments [code], first_order. A selection names values by kind: product, sku, category,
brand, collection, tag, attribute ("colour=red"), vendor; `exclude` holds the same kinds; `reduced`
false leaves out what has a reduced price already.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from apps.core.money import MoneyError, to_minor
from apps.promotions.engines.rules import (
    EVERYTHING,
    AmountOff,
    BuyXGetY,
    Effect,
    FixedPrice,
    FreeGift,
    FreeShipping,
    Percentage,
    QuantityTiers,
    Selection,
)

KINDS = ("product", "sku", "category", "brand", "collection", "tag", "attribute", "vendor")
MAX_VALUES = 1000


class InvalidRule(ValueError):
    """`field` names the member at fault: "effect.percent"."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(f"{field}: {message}")
        self.field = field


class OtherCurrency(LookupError):
    """The promotion has no amount in this currency."""


@dataclass(frozen=True, slots=True)
class Conditions:
    items: Selection = EVERYTHING
    min_spend: int = 0
    min_quantity: int = 0
    customer_groups: frozenset[str] = frozenset()
    segments: frozenset[str] = frozenset()
    first_order: bool = False


def effect_of(data: Any, currency: str) -> Effect:
    """The effect in a currency. Raises InvalidRule, and OtherCurrency for want of an amount."""
    members = _object(data, "effect")
    kind = members.pop("type", None)
    reader = _EFFECTS.get(kind) if isinstance(kind, str) else None
    if reader is None:
        raise InvalidRule("effect.type", f"one of {', '.join(_EFFECTS)}")
    effect = reader(members, currency)
    _nothing_left(members, "effect")
    return effect


def conditions_of(data: Any, currency: str) -> Conditions:
    """The conditions in a currency. Raises InvalidRule and OtherCurrency."""
    members = _object(data, "conditions")
    found = Conditions(
        items=_selection(members.pop("items", {}), "conditions.items"),
        min_spend=_amount(members, "min_spend", "conditions", currency, default=0) or 0,
        min_quantity=_whole(members, "min_quantity", "conditions", least=0, default=0),
        customer_groups=_texts(members.pop("customer_groups", []), "conditions.customer_groups"),
        segments=_texts(members.pop("segments", []), "conditions.segments"),
        first_order=_flag(members, "first_order", "conditions"),
    )
    _nothing_left(members, "conditions")
    return found


def currencies_of(effect: Mapping[str, Any], conditions: Mapping[str, Any]) -> set[str] | None:
    """The currencies that every amount of a promotion is given in; None: it has no amounts."""
    amounts = [effect.get("amount"), effect.get("price"), effect.get("up_to")]
    given = [
        set(a) for a in [*amounts, conditions.get("min_spend")] if isinstance(a, Mapping) and a
    ]
    return set.intersection(*given) if given else None


def _percentage(members: dict[str, Any], currency: str) -> Percentage:
    of = _choice(members, "of", ("items", "order"))
    return Percentage(_percent(members.pop("percent", None), "effect.percent"), of)


def _amount_off(members: dict[str, Any], currency: str) -> AmountOff:
    per = _choice(members, "per", ("order", "item"))
    return AmountOff(_amount(members, "amount", "effect", currency), per)


def _fixed_price(members: dict[str, Any], currency: str) -> FixedPrice:
    return FixedPrice(_amount(members, "price", "effect", currency, least=0))


def _quantity_tiers(members: dict[str, Any], currency: str) -> QuantityTiers:
    rows = members.pop("tiers", None)
    if not isinstance(rows, list) or not 0 < len(rows) <= 50:
        raise InvalidRule("effect.tiers", "a list of 1 to 50 tiers")
    tiers = []
    for row in rows:
        tier = _object(row, "effect.tiers")
        start = _whole(tier, "from", "effect.tiers", least=1)
        tiers.append((start, _percent(tier.pop("percent", None), "effect.tiers.percent")))
        _nothing_left(tier, "effect.tiers")
    starts = [start for start, _percent_ in tiers]
    if starts != sorted(set(starts)):
        raise InvalidRule("effect.tiers", "ascending by pieces, each once")
    return QuantityTiers(tuple(tiers))


def _buy_x_get_y(members: dict[str, Any], currency: str) -> BuyXGetY:
    buy = _whole(members, "buy", "effect", least=1)
    get = _whole(members, "get", "effect", least=1)
    percent = _percent(members.pop("percent", "100"), "effect.percent")
    others = members.pop("get_items", None)
    items = None if others is None else _selection(others, "effect.get_items")
    return BuyXGetY(buy, get, percent, items)


def _free_shipping(members: dict[str, Any], currency: str) -> FreeShipping:
    methods = _texts(members.pop("methods", []), "effect.methods")
    given = bool(members.get("up_to"))
    up_to = _amount(members, "up_to", "effect", currency, default=0)
    return FreeShipping(methods, up_to if given else None)


def _free_gift(members: dict[str, Any], currency: str) -> FreeGift:
    sku = members.pop("sku", None)
    if not isinstance(sku, str) or not 0 < len(sku) <= 100:
        raise InvalidRule("effect.sku", "a SKU")
    return FreeGift(sku, _whole(members, "quantity", "effect", least=1, default=1))


_EFFECTS: dict[str, Callable[[dict[str, Any], str], Effect]] = {
    "percentage": _percentage,
    "amount_off": _amount_off,
    "fixed_price": _fixed_price,
    "quantity_tiers": _quantity_tiers,
    "buy_x_get_y": _buy_x_get_y,
    "free_shipping": _free_shipping,
    "free_gift": _free_gift,
}
EFFECT_TYPES = tuple(_EFFECTS)


def _selection(data: Any, field: str) -> Selection:
    members = _object(data, field)
    excluded = _object(members.pop("exclude", {}), f"{field}.exclude")
    reduced = members.pop("reduced", True)
    if not isinstance(reduced, bool):
        raise InvalidRule(f"{field}.reduced", "true or false")
    wanted = tuple(_facts(kind, members, field) for kind in KINDS if members.get(kind))
    unwanted = [_facts(kind, excluded, f"{field}.exclude") for kind in KINDS if kind in excluded]
    for kind in KINDS:
        members.pop(kind, None)
    _nothing_left(members, field)
    _nothing_left(excluded, f"{field}.exclude")
    if not (wanted or unwanted) and reduced:
        return EVERYTHING
    return Selection(wanted, frozenset().union(*unwanted), reduced)


def _facts(kind: str, members: dict[str, Any], field: str) -> frozenset[str]:
    values = _texts(members.pop(kind), f"{field}.{kind}")
    return frozenset(f"{kind}:{value}" for value in values)


def _object(data: Any, field: str) -> dict[str, Any]:
    if not isinstance(data, Mapping):
        raise InvalidRule(field, "an object")
    return dict(data)


def _nothing_left(members: Mapping[str, Any], field: str) -> None:
    if members:
        raise InvalidRule(f"{field}.{next(iter(members))}", "unknown")


def _texts(data: Any, field: str) -> frozenset[str]:
    if (
        not isinstance(data, list)
        or len(data) > MAX_VALUES
        or not all(isinstance(text, str) and 0 < len(text) <= 300 for text in data)
    ):
        raise InvalidRule(field, f"a list of at most {MAX_VALUES} texts")
    return frozenset(data)


def _choice(members: dict[str, Any], name: str, choices: tuple[str, ...]) -> str:
    value = members.pop(name, choices[0])
    if value not in choices:
        raise InvalidRule(f"effect.{name}", f"one of {', '.join(choices)}")
    return str(value)


def _flag(members: dict[str, Any], name: str, where: str) -> bool:
    value = members.pop(name, False)
    if not isinstance(value, bool):
        raise InvalidRule(f"{where}.{name}", "true or false")
    return value


def _whole(
    members: dict[str, Any], name: str, where: str, *, least: int, default: int | None = None
) -> int:
    value = members.pop(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 1_000_000:
        raise InvalidRule(f"{where}.{name}", f"a whole number from {least} to 1,000,000")
    return value


def _percent(value: Any, field: str) -> Decimal:
    try:
        percent = Decimal(value) if isinstance(value, str) else Decimal("NaN")
        fits = 0 < percent <= 100 and percent == percent.quantize(Decimal("0.0001"))
    except InvalidOperation:
        fits = False
    if not fits:
        raise InvalidRule(field, "a decimal text over 0, at most 100, of at most four decimals")
    return percent


def _amount(
    members: dict[str, Any],
    name: str,
    where: str,
    currency: str,
    *,
    least: int = 1,
    default: int | None = None,
) -> int:
    """The amount in `currency`, after a look at those in all others."""
    field = f"{where}.{name}"
    given = members.pop(name, None)
    if not given and default is not None:
        return default
    amounts: dict[str, int] = {}
    for code, value in _object(given, field).items():
        try:
            amounts[code] = to_minor(value if isinstance(value, str) else "", code)
        except MoneyError as error:
            raise InvalidRule(f"{field}.{code}", str(error)) from error
        if amounts[code] < least:
            raise InvalidRule(f"{field}.{code}", "too little")
    if not amounts:
        raise InvalidRule(field, "an amount for each currency: {EUR: 5.00}")
    if currency not in amounts:
        raise OtherCurrency(currency)
    return amounts[currency]
