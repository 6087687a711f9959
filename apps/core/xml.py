"""XML written as text: one line at a time, in constant memory."""

from __future__ import annotations

import re
from xml.sax.saxutils import escape

# What isn't a character of XML 1.0 (2.2), not even escaped.
_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'


def xml_text(text: str) -> str:
    """`text` for an element or an attribute in double quotes."""
    return escape(_FORBIDDEN.sub("", text), {'"': "&quot;"})
