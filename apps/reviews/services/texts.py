"""Plain text of strangers: no HTML goes in, and it is escaped wherever it comes out."""

from __future__ import annotations

import re
import unicodedata

from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError

# A whole tag or comment; "I <3 it" and "a < b" are none.
_TAG = re.compile(r"<(?:!--|/?[A-Za-z][^<>]*>)")


class HTMLRefused(DomainError):
    code = "html_refused"
    message = _("Plain text, please: no HTML.")


class TextMissing(DomainError):
    code = "text_missing"
    message = _("Write something.")


def clean_text(field: str, text: str, *, needed: bool = False) -> str:
    """`text` without control characters, its lines ended by LF and its ends trimmed.

    Raises HTMLRefused, and TextMissing where nothing is left of what is `needed`.
    """
    if _TAG.search(text):
        raise HTMLRefused(field=field)
    lines = text.replace("\r\n", "\n").replace("\r", "\n")
    # Cc: control characters; Bidi overrides turn the text around them.
    kept = "".join(
        c for c in lines if c == "\n" or (unicodedata.category(c) != "Cc" and c not in _BIDI)
    )
    if needed and not kept.strip():
        raise TextMissing(field=field)
    return kept.strip()


_BIDI = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
