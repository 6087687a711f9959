"""The carriers of this shop, by their code (settings.SHIPPING_CARRIERS)."""

from __future__ import annotations

from django.conf import settings

from apps.core.providers import provider
from apps.shipping.carriers.base import Carrier

# The one that every shop has: a method's own rates.
TABLE = "table"


def is_carrier(code: str) -> bool:
    """Whether there is a carrier of that code."""
    return code in settings.SHIPPING_CARRIERS


def carrier(code: str) -> Carrier | None:
    """The carrier of that code; None if it was taken out of the settings."""
    found: Carrier | None = provider(settings.SHIPPING_CARRIERS[code]) if is_carrier(code) else None
    return found


def label_carriers() -> list[str]:
    """Codes of the carriers that print labels."""
    found = {code: carrier(code) for code in settings.SHIPPING_CARRIERS}
    return [code for code, who in found.items() if who and type(who).label is not Carrier.label]
