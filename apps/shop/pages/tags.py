"""What the shop's templates need beside Django's own."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal

from babel import Locale
from babel.dates import format_date
from babel.numbers import format_currency
from django import template
from django.utils.dateparse import parse_date
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, to_locale

from apps.core.html import sanitize
from apps.core.money import money_json

register = template.Library()


def _locale() -> str:
    return to_locale(get_language() or "en")


@register.filter
def money(value: Mapping[str, str] | None) -> str:
    """The documents' money as people write it in the language of the page: "12,50 €"."""
    if value is None:
        return ""
    return format_currency(Decimal(value["amount"]), value["currency"], locale=_locale())


@register.filter
def minor(amount: int, currency: str) -> str:
    """The same for minor units."""
    return money(money_json(amount, currency))


@register.filter
def day(value: date | str) -> str:
    """A date, or its ISO 8601 form, with the weekday: "Tue, Nov 24"."""
    found = parse_date(value) if isinstance(value, str) else value
    return format_date(found, "EEE d MMM", locale=_locale()) if found else ""


@register.filter
def country(code: str) -> str:
    """A country's name: "Spain"."""
    return Locale.parse(_locale()).territories.get(code, code)


@register.filter
def json_data(text: str) -> SafeString:
    """JSON that `pages.seo` made safe for a script element."""
    return mark_safe(text)  # noqa: S308


@register.filter
def stars(average: float) -> str:
    """A rating as five characters: "★★★★☆"."""
    full = max(0, min(5, int(average + 0.5)))
    return "★" * full + "☆" * (5 - full)


@register.filter
def safe_html(value: str) -> SafeString:
    """What merchants wrote. It was made safe when it was stored; a page makes sure."""
    return mark_safe(sanitize(value))  # noqa: S308
