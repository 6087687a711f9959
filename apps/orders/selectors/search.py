"""Finding orders by what staff have in hand: words and the beginnings of words.

What an order is found by stands in `OrderWord`, written by `services.search`. A search is one
query, whatever is searched for, over an index that all databases use alike.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

from django.db.models import QuerySet

from apps.orders.models import Order, OrderWord

# A search of more words than this looks for the first ones.
MOST_TERMS = 5
# Bytes of a word that count; two hexadecimal digits each.
_LONGEST = 60
# "12,50" is looked for as "12.50", which is how amounts are kept.
_AMOUNT = re.compile(r"\d+,\d{1,3}")
_PARTS = re.compile(r"\w+")
_EDGES = ".,;:!?\"'()[]{}<>#"


def folded(text: str) -> str:
    """Without case and accents."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))


def terms(text: str) -> list[str]:
    """The words of a text as they are looked for."""
    found = (word.strip(_EDGES) for word in folded(text).split())
    return [word.replace(",", ".") if _AMOUNT.fullmatch(word) else word for word in found if word]


def words_of(texts: Iterable[str]) -> set[str]:
    """What a text is found by: its words, and the parts of "WEB-1000" but not of an address."""
    found: set[str] = set()
    for text in texts:
        for word in terms(text):
            found.add(word)
            if "@" in word:
                found.add(word.rpartition("@")[2])
            elif len(parts := _PARTS.findall(word)) > 1:
                found.update(part for part in parts if len(part) > 1)
    found.discard("")
    return found


def word_key(word: str) -> str:
    """`word` as it stands in the index."""
    return word.encode(errors="replace")[:_LONGEST].hex()


def search_orders(orders: QuerySet[Order], text: str) -> QuerySet[Order]:
    """The orders among `orders` that have a word beginning with each word of `text`.

    All of them for an empty text, none for one without letters and digits.
    """
    wanted = terms(text)[:MOST_TERMS]
    if text.strip() and not wanted:
        return orders.none()
    for term in wanted:
        begins = word_key(term)
        # "g" comes after the hexadecimal digits.
        found = OrderWord.objects.filter(word__gte=begins, word__lt=f"{begins}g")
        orders = orders.filter(pk__in=found.values("order_id"))
    return orders
