"""Stripe's form bodies: nested names (`a[b][c]=`, `a[0]=`, `a[]=`) read into nested mappings."""

from __future__ import annotations

import re
from urllib.parse import parse_qsl

from apps.payments.gateways.simulation.wire import JsonObject

from .errors import invalid

MAX_FIELDS = 2000
MAX_DEPTH = 8

_NAME = re.compile(r"([^\[\]]+)((?:\[[^\[\]]*\])*)\Z")
_SEGMENT = re.compile(r"\[([^\[\]]*)\]")


def decode(encoded: str) -> JsonObject:
    """The fields as nested mappings of strings.

    Lists stay mappings with the keys "0", "1", ...: only the reader of a parameter knows whether
    it is a list, and a metadata key may well be a number.

    Raises StripeError (400) for a malformed name and for a name used both as value and as object.
    """
    try:
        fields = parse_qsl(encoded, keep_blank_values=True, max_num_fields=MAX_FIELDS)
    except ValueError:
        raise invalid("The request has too many parameters.") from None
    root: JsonObject = {}
    for name, value in fields:
        _place(root, name, value)
    return root


def merge(first: JsonObject, second: JsonObject) -> JsonObject:
    """Query and body together; the body wins."""
    return {**first, **second}


def _place(root: JsonObject, name: str, value: str) -> None:
    match = _NAME.match(name)
    if match is None:
        raise invalid(f"Invalid parameter name: {name}", name)
    segments = [match[1], *_SEGMENT.findall(match[2])]
    if len(segments) > MAX_DEPTH:
        raise invalid(f"Invalid parameter name: {name}", name)
    node = root
    for position, segment in enumerate(segments):
        key = segment or str(len(node))
        if position == len(segments) - 1:
            if isinstance(node.get(key), dict):
                raise invalid("Invalid object", name)
            node[key] = value
            return
        node = node.setdefault(key, {})
        if not isinstance(node, dict):
            raise invalid("Invalid object", name)
