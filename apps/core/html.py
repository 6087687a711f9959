"""HTML that strangers wrote, made safe before it is stored (and escaped again where shown)."""

import re
from html import unescape

import nh3

_TAGS = set(
    """
    a abbr b blockquote br caption code dd del div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr
    i img ins li ol p pre q s small span strong sub sup table tbody td tfoot th thead tr u ul
    """.split()
)
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "width", "height"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
}
_SPACES = re.compile(r"\s+")


def sanitize(html: str) -> str:
    """`html` reduced to harmless formatting: no script, style, form, frame or event handler."""
    return nh3.clean(
        html.replace("\x00", ""),
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    ).strip()


def plain_text(html: str) -> str:
    """The text of `html` on one line, for summaries and search; to be escaped where it is shown."""
    return _SPACES.sub(" ", unescape(nh3.clean(html.replace("<", " <"), tags=set()))).strip()
