"""What a shopper who is typing may mean."""

from __future__ import annotations

from apps.products.selectors import CategoryNode, category_tree
from apps.storefront.engines.words import chunks
from apps.storefront.selectors.filters import Wanted, visible
from apps.storefront.selectors.search import backend

# Ten in all.
PRODUCTS, CATEGORIES, TERMS = 5, 2, 3


def terms(wanted: Wanted) -> list[str]:
    """Whole searches that begin with what was typed. At most three statements."""
    return backend().completions(visible(wanted), wanted.asked, limit=TERMS)


def categories(wanted: Wanted) -> list[CategoryNode]:
    """Categories in whose names a word begins with each that was typed, the highest first."""
    typed = [chunk.whole for chunk in chunks(wanted.search)]
    named = []
    for node in category_tree().values() if typed else ():
        words = [chunk.whole for chunk in chunks(node.name)]
        if all(any(word.startswith(part) for word in words) for part in typed):
            named.append(node)
    return sorted(named, key=lambda node: (len(node.path), node.name))[:CATEGORIES]


def correction(wanted: Wanted) -> str | None:
    """The nearest search that finds something in the store, for one that found nothing."""
    return backend().correction(visible(wanted), wanted.asked)
