"""Effects and conditions in the API's description: JSON Schema, a shape for each effect.

The engine checks what is sent (`engines.schema`); these tell what it takes.
"""

from __future__ import annotations

from typing import Any

from apps.promotions.engines.schema import KINDS, MAX_VALUES

_PERCENT = {
    "type": "string",
    "pattern": r"^(100(\.0{1,4})?|[0-9]{1,2}(\.[0-9]{1,4})?)$",
    "description": "Over 0, at most 100, at most four decimals.",
    "examples": ["12.5"],
}
_AMOUNTS = {
    "type": "object",
    "additionalProperties": {"type": "string", "pattern": r"^\d+(\.\d+)?$"},
    "description": "A decimal for each currency.",
    "examples": [{"EUR": "5.00"}],
}
_WHOLE = {"type": "integer", "minimum": 1, "maximum": 1_000_000}
_NAMES = {
    "type": "array",
    "maxItems": MAX_VALUES,
    "items": {"type": "string", "minLength": 1, "maxLength": 300},
}
_BY_KIND: dict[str, Any] = dict.fromkeys(KINDS, _NAMES)
SELECTION: dict[str, Any] = {
    "type": "object",
    "description": "Items that have, of every kind named, one of the values (slugs, SKUs;"
    ' attributes as "colour=red"), and nothing of what is excluded. Empty: every item.',
    "properties": {
        **_BY_KIND,
        "exclude": {"type": "object", "properties": _BY_KIND, "additionalProperties": False},
        "reduced": {
            "type": "boolean",
            "default": True,
            "description": "False leaves out what has a reduced price already.",
        },
    },
    "additionalProperties": False,
}


def _effect(kind: str, text: str, needed: tuple[str, ...], **members: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "title": kind,
        "description": text,
        "required": ["type", *needed],
        "properties": {"type": {"type": "string", "const": kind}, **members},
        "additionalProperties": False,
    }


EFFECT: dict[str, Any] = {
    "oneOf": [
        _effect(
            "percentage",
            "Off each item, or once off the whole order.",
            ("percent",),
            percent=_PERCENT,
            of={"type": "string", "enum": ["items", "order"], "default": "items"},
        ),
        _effect(
            "amount_off",
            "Off the order once, or off each piece.",
            ("amount",),
            amount=_AMOUNTS,
            per={"type": "string", "enum": ["order", "item"], "default": "order"},
        ),
        _effect("fixed_price", "Each piece costs this.", ("price",), price=_AMOUNTS),
        _effect(
            "quantity_tiers",
            "Off the items, by how many pieces there are together.",
            ("tiers",),
            tiers={
                "type": "array",
                "minItems": 1,
                "maxItems": 50,
                "description": "Ascending by pieces.",
                "items": {
                    "type": "object",
                    "required": ["from", "percent"],
                    "properties": {"from": _WHOLE, "percent": _PERCENT},
                    "additionalProperties": False,
                },
            },
        ),
        _effect(
            "buy_x_get_y",
            "For every `buy` pieces, `get` pieces for less: the cheapest.",
            ("buy", "get"),
            buy=_WHOLE,
            get=_WHOLE,
            percent={**_PERCENT, "default": "100"},
            get_items=SELECTION,
        ),
        _effect(
            "free_shipping",
            "Shipping for nothing, by these methods (all), up to this much.",
            (),
            methods=_NAMES,
            up_to=_AMOUNTS,
        ),
        _effect(
            "free_gift",
            "Pieces of a variant for nothing, as far as there are any.",
            ("sku",),
            sku={"type": "string", "minLength": 1, "maxLength": 100},
            quantity={**_WHOLE, "default": 1},
        ),
    ],
    "examples": [{"type": "percentage", "percent": "10", "of": "order"}],
}
CONDITIONS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "items": SELECTION,
        "min_spend": _AMOUNTS,
        "min_quantity": {"type": "integer", "minimum": 0, "maximum": 1_000_000},
        "customer_groups": {**_NAMES, "description": "Codes; empty: everybody."},
        "segments": {**_NAMES, "description": "Codes; who is in one of them. Empty: everybody."},
        "first_order": {"type": "boolean", "default": False},
    },
    "additionalProperties": False,
    "examples": [{"items": {"category": ["mugs"]}, "min_spend": {"EUR": "50.00"}}],
}
