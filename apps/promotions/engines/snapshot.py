"""Rules as JSON, as an order keeps those that applied to it: to be asked again for a part of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from decimal import Decimal
from typing import Any

from apps.promotions.engines.rules import (
    AmountOff,
    BuyXGetY,
    Effect,
    FixedPrice,
    FreeGift,
    FreeShipping,
    Percentage,
    QuantityTiers,
    Rule,
    Selection,
)

_EFFECTS: dict[str, Any] = {
    effect.__name__: effect
    for effect in (
        *(Percentage, AmountOff, FixedPrice, QuantityTiers, BuyXGetY, FreeShipping, FreeGift),
    )
}
# For whom and when a rule is isn't asked again: it applied.
_KEPT = (
    *("code", "name", "coupon", "min_spend", "min_quantity", "max_per_order", "group"),
    *("priority", "exclusive"),
)


def rule_json(rule: Rule) -> dict[str, Any]:
    """JSON values from which `rule_of` makes the rule again, without its time and its shoppers."""
    effect = {"type": type(rule.effect).__name__, **_members(rule.effect)}
    kept = {name: getattr(rule, name) for name in _KEPT}
    return {**kept, "effect": effect, "items": _members(rule.items)}


def rule_of(data: Mapping[str, Any]) -> Rule:
    """The rule that `rule_json` wrote down."""
    kept = {name: data[name] for name in _KEPT}
    return Rule(effect=_effect(data["effect"]), items=_selection(data["items"]), **kept)


def _members(value: Any) -> dict[str, Any]:
    return {field.name: _plain(getattr(value, field.name)) for field in fields(value)}


def _plain(value: Any) -> Any:
    if isinstance(value, Selection):
        return _members(value)
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, tuple):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, Decimal) else value


def _selection(data: Mapping[str, Any]) -> Selection:
    wanted = tuple(frozenset(facts) for facts in data["any_of"])
    return Selection(wanted, frozenset(data["none_of"]), data["reduced"])


_READERS: dict[str, Callable[[Any], Any]] = {
    "percent": Decimal,
    "tiers": lambda rows: tuple((start, Decimal(percent)) for start, percent in rows),
    "get_items": lambda items: None if items is None else _selection(items),
    "methods": frozenset,
}


def _effect(data: Mapping[str, Any]) -> Effect:
    members = dict(data)
    kind = _EFFECTS[members.pop("type")]
    return kind(**{name: _READERS.get(name, lambda v: v)(v) for name, v in members.items()})
