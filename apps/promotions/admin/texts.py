"""What a promotion gives, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _


def effect_text(effect: Mapping[str, Any]) -> str:
    """A line for lists: "10 % off each item", "5.00 EUR off the order"."""
    kind, percent = effect.get("type"), effect.get("percent", "100")
    if kind == "percentage":
        text = (
            _("%(percent)s %% off the order")
            if effect.get("of") == "order"
            else (_("%(percent)s %% off each item"))
        )
        return text % {"percent": percent}
    if kind == "amount_off":
        text = (
            _("%(amount)s off each piece")
            if effect.get("per") == "item"
            else (_("%(amount)s off the order"))
        )
        return text % {"amount": _amounts(effect.get("amount"))}
    if kind == "fixed_price":
        return _("%(amount)s each") % {"amount": _amounts(effect.get("price"))}
    if kind == "quantity_tiers":
        tiers = [f"{row['from']}+: {row['percent']} %" for row in effect.get("tiers", ())]
        return ", ".join(tiers)
    if kind == "buy_x_get_y":
        values = {"buy": effect.get("buy"), "get": effect.get("get"), "percent": percent}
        return _("Buy %(buy)s, get %(get)s at %(percent)s %% off") % values
    if kind == "free_shipping":
        up_to = _amounts(effect.get("up_to"))
        return _("Free shipping, up to %s") % up_to if up_to else _("Free shipping")
    if kind == "free_gift":
        return _("Gift: %(pieces)s × %(sku)s") % {
            "pieces": effect.get("quantity", 1),
            "sku": effect.get("sku"),
        }
    return ""


def _amounts(amounts: Any) -> str:
    return " / ".join(f"{value} {code}" for code, value in (amounts or {}).items())
