"""The style reads from right to left as well."""

from __future__ import annotations

import re
from pathlib import Path

from django.contrib.staticfiles import finders

PHYSICAL = re.compile(
    r"(?<![-\w])(?:(?:margin|padding|border)-(?:left|right|top|bottom)|left|right|top|bottom"
    r"|(?:min-|max-)?(?:width|height)|border-(?:top|bottom)-(?:left|right)-radius)\s*:"
    r"|(?:text-align|float|clear)\s*:\s*(?:left|right)"
)


def test_style_has_logical_properties_alone():
    style = Path(finders.find("shop/shop.css")).read_text()
    outside_of_media = re.sub(r"@media \([^)]*\)", "", style)
    assert PHYSICAL.findall(outside_of_media) == []
