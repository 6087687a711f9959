"""The carriers of this shop, by their code (settings.SHIPPING_CARRIERS)."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from apps.shipping.carriers.base import Carrier

# The one that every shop has: a method's own rates.
TABLE = "table"


@cache
def _instance(path: str) -> Carrier:
    return import_string(path)()


def is_carrier(code: str) -> bool:
    """Whether there is a carrier of that code."""
    return code in settings.SHIPPING_CARRIERS


def carrier(code: str) -> Carrier | None:
    """The carrier of that code; None if it was taken out of the settings."""
    return _instance(settings.SHIPPING_CARRIERS[code]) if is_carrier(code) else None
