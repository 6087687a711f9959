"""VAT numbers, and what VIES said of them."""

from __future__ import annotations

import re
from datetime import timedelta

from django.utils import timezone

from apps.taxes.engines.territories import EU, NORTHERN_IRELAND
from apps.taxes.models import VATCheck

# How long VIES' word is taken for a number.
CHECK_VALIDITY = timedelta(days=30)
_VAT_NUMBER = re.compile(r"([A-Z]{2})([0-9A-Z+*]{2,12})")
_MEMBERS = {*EU - {"GR"}, "EL", NORTHERN_IRELAND}


def newest_check(country: str, number: str) -> VATCheck | None:
    """What VIES said last of a number (as it writes them: EL, XI), within its validity."""
    since = timezone.now() - CHECK_VALIDITY
    checks = VATCheck.objects.filter(country=country, number=number, created_at__gte=since)
    return checks.exclude(verdict=VATCheck.Verdict.UNKNOWN).order_by("-created_at", "-pk").first()


def split_vat_number(text: str) -> tuple[str, str] | None:
    """Country and number as VIES takes them ("GR 123456789" → EL, 123456789), or None."""
    found = _VAT_NUMBER.fullmatch(re.sub(r"[\s.\-/]+", "", text).upper())
    if found is None:
        return None
    country = "EL" if found[1] == "GR" else found[1]
    return (country, found[2]) if country in _MEMBERS else None
