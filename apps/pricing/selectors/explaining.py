"""Why a total is what it is: the till's steps, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.money import decimal_string

# What became of a promotion, by the engine's codes; the names in brackets are its facts.
REASONS: dict[str, Promise] = {
    "applied": gettext_lazy("applied"),
    "not_started": gettext_lazy("hasn't begun"),
    "ended": gettext_lazy("has ended"),
    "wrong_time": gettext_lazy("not on this weekday or at this hour"),
    "other_currency": gettext_lazy("has no amount in this currency"),
    "other_group": gettext_lazy("for another customer group"),
    "other_segment": gettext_lazy("for customers of other segments"),
    "not_first_order": gettext_lazy("only for a first order"),
    "needs_code": gettext_lazy("needs a code that nobody typed"),
    "nothing_matches": gettext_lazy("applies to nothing in it"),
    "spend_too_low": gettext_lazy("%(spent)s spent of the %(needed)s needed"),
    "too_few": gettext_lazy("%(pieces)s pieces of the %(needed)s needed"),
    "used_up": gettext_lazy("used up"),
    "used_up_by_customer": gettext_lazy("used up by this customer"),
    "beaten": gettext_lazy("%(by)s saves more, and only one of them counts"),
    "no_saving": gettext_lazy("would take nothing off"),
    "gift_unavailable": gettext_lazy("the gift is out of stock, or has no price here"),
    "no_shipping": gettext_lazy("no shipping method is chosen"),
    "other_method": gettext_lazy("for another shipping method"),
}
# How the place of supply was decided, by the taxes' codes.
SCHEMES: dict[str, Promise] = {
    "domestic": gettext_lazy("taxed where the store is"),
    "origin": gettext_lazy("taxed where the store is: below the threshold of distance sales"),
    "oss": gettext_lazy("taxed where it goes, by the one stop shop"),
    "destination": gettext_lazy("taxed where it goes"),
    "reverse_charge": gettext_lazy("the buyer owes the tax (reverse charge)"),
    "export": gettext_lazy("an export, without tax"),
    "exempt": gettext_lazy("the buyer is exempt"),
    "none": gettext_lazy("no tax is due there"),
}
_AMOUNTS = ("spent", "needed")


@dataclass(frozen=True, slots=True)
class Explained:
    """A step in words. `amount` is money as a text, or ""; `counts` is false for what didn't
    change the total.
    """

    title: str
    text: str
    amount: str = ""
    counts: bool = True


def explain_quote(quote: Any) -> list[Explained]:
    """Every step of a fresh `till.Quote`."""
    lines = [{"key": line.key, "sku": line.sku} for line in quote.lines]
    return _explained([asdict(step) for step in quote.trace], lines, quote.currency)


def explain_stored(document: Mapping[str, Any]) -> list[Explained]:
    """The steps that an order keeps in its quote; none for orders of older engines."""
    currency = document.get("currency", "")
    return _explained(document.get("trace", []), document.get("lines", []), currency)


def _explained(trace: Any, lines: Any, currency: str) -> list[Explained]:
    names = {line["key"]: line["sku"] for line in lines}
    names["shipping"] = _("shipping")
    found = []
    for step in trace:
        facts = step["facts"]
        if step["step"] == "promotion":
            found.append(_promotion(facts, currency))
        elif step["step"] == "catalogue_price":
            text = _("the price by %(promotion)s, instead of %(was)s") % {
                "promotion": facts["promotion"],
                "was": _money(facts["from"], currency),
            }
            found.append(Explained(_name(names, facts["line"]), text))
        elif step["step"] == "shipping":
            found.append(_shipping(facts, currency))
        elif step["step"] == "tax":
            text = _("%(percent)s %% on %(base)s (%(on)s)") % {
                "percent": facts["percent"],
                "base": _money(facts["base"], currency),
                "on": _name(names, facts["on"]),
            }
            found.append(Explained(facts["name"], text, _money(facts["amount"], currency)))
        else:
            found.append(_before(step["step"], facts))
    return found


def _before(name: str, facts: Mapping[str, Any]) -> Explained:
    """A step that a room below decided before the till."""
    details = ", ".join(f"{k}: {v}" for k, v in facts.items() if v and k != "scheme")
    if name != "place_of_supply":
        return Explained(name.replace("_", " ").capitalize(), details)
    scheme = facts.get("scheme", "")
    return Explained(_("Taxes"), f"{SCHEMES.get(scheme, scheme)} ({details})")


def _shipping(facts: Mapping[str, Any], currency: str) -> Explained:
    price, off = facts["price"], facts["discount"]
    text = _("%(price)s less %(off)s") if off else "%(price)s"
    text = text % {"price": _money(price, currency), "off": _money(off, currency)}
    return Explained(_("Shipping: %s") % facts["method"], text, _money(price - off, currency))


def _promotion(facts: Mapping[str, Any], currency: str) -> Explained:
    details = dict(facts["facts"])
    if facts["reason"] == "spend_too_low":
        details |= {name: _money(details[name], currency) for name in _AMOUNTS}
    known = REASONS.get(facts["reason"])
    text = str(known) % details if known and details else str(known or facts["reason"])
    if gift := details.get("gift"):
        text = _("gives %s") % gift
    title = facts["name"]
    if facts["coupon"]:
        title = f"{title} ({facts['coupon']})"
    applied = facts["reason"] == "applied"
    return Explained(title, text, _money(-facts["amount"], currency) if applied else "", applied)


def _name(names: Mapping[str, str], key: str) -> str:
    return names.get(key, key)


def _money(amount: int, currency: str) -> str:
    return f"{decimal_string(amount, currency)} {currency}"
