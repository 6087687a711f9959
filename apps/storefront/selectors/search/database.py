"""Search in tables of our own: a vocabulary per store, and where its words occur.

Every look-up is by equality, so all three databases answer alike; docs/adr/0009 has the figures.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.db.models import Case, F, FilteredRelation, Q, QuerySet, Subquery, Value, When
from django.db.models.expressions import Combinable, OuterRef

from apps.core.prepared import Prepared
from apps.storefront.engines.words import chunks, distance, prefix_key, slips, stem
from apps.storefront.models import Listing, Posting, Term, TermKey
from apps.storefront.querysets import ListingQuerySet
from apps.storefront.selectors.pages import Window, keys_of, rows_in, window_at
from apps.storefront.selectors.search.base import Asked, SearchBackend, rows_of
from apps.storefront.selectors.search.meanings import (
    SHORTEST_BEGUN,
    Known,
    Meaning,
    candidates,
    meanings,
    saying,
    words_of,
)

_TRIES = 3
# Of a search for several words, how many are ranked: the best by the rarest of them.
MOST_RANKED = 1_000
# A name that begins with the whole phrase is worth more than any of its words' places.
_PHRASE = 1_000


class DatabaseReader(SearchBackend):
    """The reading half; `services.indexing` writes."""

    def matching(self, listings: ListingQuerySet, asked: Asked) -> ListingQuerySet:
        found = meanings(asked)
        if not all(meaning.terms for meaning in found) or (asked.search.split() and not found):
            return listings.none()
        for number, meaning in enumerate(found):
            listings, _score = _having(listings, meaning.terms, f"hit{number}")
        return listings

    def best(
        self, listings: ListingQuerySet, asked: Asked, *, fields: Sequence[str], window: Window
    ) -> list[tuple[Any, ...]]:
        return _best(listings, meanings(asked), fields, window)

    def best_shown(
        self, asked: Asked, *, currency: str, at: datetime, fields: Sequence[str], window: Window
    ) -> list[tuple[Any, ...]]:
        found = meanings(asked)
        shop = {"store_id": asked.store_id, "currency": currency, "at": at}
        if term := _only_term(found):
            shape = tuple(fields), window.backwards, window.size
            return _shown(*shape, term=term, **shop, **keys_of(window))
        return _best(Listing.objects.visible(**shop), found, fields, window)

    def completions(self, listings: ListingQuerySet, asked: Asked, *, limit: int) -> list[str]:
        *before, last = [chunk.whole for chunk in chunks(asked.search)] or [""]
        if len(last) < SHORTEST_BEGUN:
            return []
        if before:
            said = Asked(" ".join(before), asked.store_id, asked.language)
            listings = self.matching(listings, said)
        begun = TermKey.objects.filter(key=prefix_key(last))
        # The key holds the first letters only.
        found = Term.objects.filter(
            store=asked.store_id, pk__in=begun.values("term_id"), word__startswith=last
        )
        found = saying(found, listings).order_by("-frequency", "word")
        words = found.values_list("word", flat=True)[:limit]
        return [" ".join((*before, word)) for word in words]

    def correction(self, listings: ListingQuerySet, asked: Asked) -> str | None:
        typed = [chunk.whole for chunk in words_of(asked)]
        near = [_nearest(listings, word, asked) for word in typed]
        words = [word for word in near if word]
        # Words that are never said together: fewer of them, from the front.
        for end in range(len(words), max(0, len(words) - _TRIES), -1):
            corrected = " ".join(words[:end])
            other = Asked(corrected, asked.store_id, asked.language)
            if self.matching(listings, other).exists():
                return None if words[:end] == typed else corrected
        return None


def _best(
    listings: ListingQuerySet, found: Sequence[Meaning], fields: Sequence[str], window: Window
) -> list[tuple[Any, ...]]:
    if not found or not all(meaning.terms for meaning in found):
        return []
    if term := _only_term(found):
        return list(_with_term(listings, term, fields, window))
    return rows_of(_ranked(listings, found), listings, fields, window)


def _only_term(found: Sequence[Meaning]) -> int | None:
    """The key of the one term that a search comes down to."""
    return found[0].terms[0].pk if len(found) == 1 and len(found[0].terms) == 1 else None


def _with_term(
    listings: ListingQuerySet, term: int, fields: Sequence[str], window: Window
) -> QuerySet[Any, Any]:
    """Read in the order of an index: the best 25 of a million cost what 25 cost."""
    listings, score = _having_term(listings, term, "hit")
    return rows_in(listings.annotate(rank=score), ("-rank", "-pk"), fields, window)


def _rows(
    fields: Sequence[str],
    backwards: bool,
    size: int,
    *,
    term: int,
    store_id: int,
    currency: str,
    at: datetime,
    **position: Any,
) -> QuerySet[Any, Any]:
    shown = Listing.objects.visible(store_id=store_id, currency=currency, at=at)
    return _with_term(shown, term, fields, window_at(size, backwards, position))


_shown = Prepared(_rows)


def _nearest(listings: ListingQuerySet, word: str, asked: Asked) -> str | None:
    """The word itself if the listings say it, else the nearest that they do."""
    text = stem(word, asked.language)
    keys = {text, prefix_key(word[:SHORTEST_BEGUN]), *slips(text)}
    terms = candidates(keys=keys, store_id=asked.store_id, among=listings)
    if any(term.text == text for term in terms):
        return word
    near = [
        (distance(text, term.text), -term.frequency, term.word)
        for term in terms
        if text.isalpha() and term.word.isalpha()
    ]
    close = [entry for entry in near if entry[0] <= max(1, len(text) // 3)]
    return min(close)[2] if close else None


def _having(
    listings: ListingQuerySet, terms: Sequence[Known], name: str
) -> tuple[ListingQuerySet, Combinable]:
    """The listings with one of the terms, and the expression of its score."""
    if len(terms) == 1:
        return _having_term(listings, terms[0].pk, name)
    said = Posting.objects.filter(term__in=[term.pk for term in terms])
    return listings.filter(pk__in=said.values("listing_id")), _score(terms)


def _having_term(
    listings: ListingQuerySet, term: int, name: str
) -> tuple[ListingQuerySet, Combinable]:
    hit = FilteredRelation("postings", condition=Q(postings__term=term))
    found = listings.annotate(**{name: hit}).filter(**{f"{name}__term": term})
    return found, F(f"{name}__score")


def _score(terms: Sequence[Known], listing: str = "pk") -> Subquery:
    """The score of the best of some terms in a listing; null where none occurs."""
    of_listing = Posting.objects.filter(listing=OuterRef(listing)).values("score")
    if len(terms) == 1:
        return Subquery(of_listing.filter(term=terms[0].pk)[:1])
    hits = of_listing.filter(term__in=[term.pk for term in terms])
    return Subquery(hits.order_by("-score")[:1])


def _ranked(listings: ListingQuerySet, found: Sequence[Meaning]) -> list[tuple[int, int]]:
    """Rank and key of the best, by the sum of their words' scores.

    The words are looked for where the rarest occurs, in the order of its scores, until there are
    enough: all of them, unless it is frequent too.
    """
    rarest, *others = sorted(found, key=lambda meaning: meaning.frequency)
    few = len(rarest.terms) > 1 and rarest.frequency <= MOST_RANKED
    groups = [rarest.terms] if few else [(term,) for term in rarest.terms]
    phrase = " ".join(meaning.text for meaning in found)
    whole = When(search_text__startswith=phrase, then=Value(_PHRASE)) if others else None
    ranked: dict[int, int] = {}
    for group in groups:
        hits, score = _having(listings, group, "hit")
        hits = hits.annotate(rank=score)
        for number, other in enumerate(others):
            # Looked up for each in turn; a join would first read all that have the word.
            listing = "hit__listing" if len(group) == 1 else "pk"
            hits = hits.annotate(**{f"more{number}": _score(other.terms, listing)})
            hits = hits.filter(**{f"more{number}__isnull": False})
        names = [f"more{number}" for number in range(len(others))]
        bonus = Case(whole, default=Value(0)) if whole else Value(0)
        rows = hits.order_by("-rank", "-pk").values_list("pk", bonus, "rank", *names)
        for pk, *scores in rows[:MOST_RANKED]:
            ranked[pk] = max(ranked.get(pk, 0), sum(scores))
    return [(rank, pk) for pk, rank in ranked.items()]
