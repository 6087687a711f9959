"""Gift cards' codes: what is printed, and what is stored of it.

A code is 20 characters of 32, drawn by the operating system: 100 bits, of which 80 stay unknown
to whoever sees the last four. The database holds a keyed index of it (HMAC-SHA256) and those
four: a dump gives no code away, and without SECRET_KEY not even a guess can be tried on it.
"""

from __future__ import annotations

import re
import secrets
import unicodedata

from django.conf import settings
from django.utils.crypto import salted_hmac

# Without 0 and O, 1 and I: what is misread on paper.
ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH, GROUP = 20, 4
_BETWEEN = re.compile(r"[\s\u2010-\u2015-]+")
_PURPOSE = "payments.gift_card"


def new_code() -> str:
    """A fresh code in groups of four: "7KQM-2XWA-…"."""
    text = "".join(secrets.choice(ALPHABET) for _number in range(LENGTH))
    return "-".join(text[at : at + GROUP] for at in range(0, LENGTH, GROUP))


def normalised(code: str) -> str:
    """The code behind what was typed: capitals, without spaces and hyphens."""
    return _BETWEEN.sub("", unicodedata.normalize("NFKC", code[:100])).upper()


def index_of(code: str) -> str:
    """What is stored for look-up, under today's SECRET_KEY: 64 hexadecimal digits."""
    return _index(normalised(code), settings.SECRET_KEY)


def possible_indexes(code: str) -> list[str]:
    """The index under today's key and under those that were rotated out."""
    text = normalised(code)
    return [_index(text, key) for key in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)]


def _index(text: str, key: str) -> str:
    return salted_hmac(_PURPOSE, text, secret=key, algorithm="sha256").hexdigest()
