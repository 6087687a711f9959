"""Search in tables of our own: a vocabulary per store, and where its words occur.

Every look-up is by equality, so all three databases answer alike; docs/adr/0009 has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, Exists, F, FilteredRelation, Q, Subquery, Value, When
from django.db.models.expressions import Combinable, OuterRef

from apps.storefront.engines.words import (
    MAX_WORDS,
    Chunk,
    chunks,
    distance,
    is_stop_word,
    prefix_key,
    slips,
    stem,
)
from apps.storefront.models import Posting, Term, TermKey
from apps.storefront.querysets import ListingQuerySet
from apps.storefront.selectors.search.base import SearchBackend
from apps.storefront.selectors.search.rules import synonyms

# What a word that is only begun may mean, and one that is misspelt.
MOST_BEGUN, MOST_MISSPELT = 20, 3
_CANDIDATES = 500
_SHORTEST_BEGUN, _TRIES = 2, 3
# A name that begins with the whole phrase is worth more than any of its words' places.
_PHRASE = 1_000


@dataclass(frozen=True, slots=True)
class Meaning:
    """A word of a search (its stem), and the terms of the store's vocabulary it stands for."""

    text: str
    terms: tuple[int, ...]


class DatabaseReader(SearchBackend):
    """The reading half; `services.indexing` writes."""

    def matching(
        self, listings: ListingQuerySet, *, search: str, store_id: int, language: str
    ) -> ListingQuerySet:
        found = meanings(search=search, store_id=store_id, language=language)
        if not found:
            return listings.annotate(rank=Value(0)).none() if search.split() else listings
        rank: Combinable = Value(0)
        for number, meaning in enumerate(found):
            if not meaning.terms:
                return listings.annotate(rank=Value(0)).none()
            listings, score = _having(listings, meaning.terms, f"hit{number}")
            rank = score if number == 0 else rank + score
        if len(found) > 1:
            phrase = " ".join(meaning.text for meaning in found)
            begins = When(search_text__startswith=phrase, then=Value(_PHRASE))
            rank += Case(begins, default=Value(0))
        return listings.annotate(rank=rank)

    def completions(
        self,
        listings: ListingQuerySet,
        *,
        search: str,
        store_id: int,
        language: str,
        limit: int,
    ) -> list[str]:
        *before, last = [chunk.whole for chunk in chunks(search)] or [""]
        if len(last) < _SHORTEST_BEGUN:
            return []
        if before:
            listings = self.matching(
                listings, search=" ".join(before), store_id=store_id, language=language
            )
        begun = TermKey.objects.filter(key=prefix_key(last))
        found = Term.objects.filter(
            Exists(listings.filter(postings__term=OuterRef("pk"))),
            store=store_id,
            pk__in=begun.values("term_id"),
        )
        # The key holds the first letters only.
        found = found.filter(word__startswith=last).order_by("-frequency", "word")
        words = found.values_list("word", flat=True)[:limit]
        return [" ".join((*before, word)) for word in words]

    def correction(
        self, listings: ListingQuerySet, *, search: str, store_id: int, language: str
    ) -> str | None:
        asked = [chunk.whole for chunk in _asked(search, language)]
        near = [_nearest(listings, word, store_id, language) for word in asked]
        words = [word for word in near if word]
        # Words that are never said together: fewer of them, from the front.
        for end in range(len(words), max(0, len(words) - _TRIES), -1):
            corrected = " ".join(words[:end])
            found = self.matching(listings, search=corrected, store_id=store_id, language=language)
            if found.exists():
                return None if words[:end] == asked else corrected
        return None


def _nearest(listings: ListingQuerySet, word: str, store_id: int, language: str) -> str | None:
    """The word itself if the listings say it, else the nearest that they do."""
    text = stem(word, language)
    keys = {text, prefix_key(word[:_SHORTEST_BEGUN]), *slips(text)}
    terms = candidates(keys=keys, store_id=store_id, among=listings)
    near = [
        (distance(text, other), -frequency, known)
        for _pk, known, other, frequency in terms
        if text.isalpha() and known.isalpha()
    ]
    if any(other == text for _pk, _known, other, _n in terms):
        return word
    close = [entry for entry in near if entry[0] <= max(1, len(text) // 3)]
    return min(close)[2] if close else None


def _having(
    listings: ListingQuerySet, terms: Sequence[int], name: str
) -> tuple[ListingQuerySet, Combinable]:
    """The listings with one of the terms, and the expression of its score.

    One term is a join that is read in the order of the scores: the best 25 of a million cost
    what 25 cost.
    """
    if len(terms) == 1:
        hit = FilteredRelation("postings", condition=Q(postings__term=terms[0]))
        found = listings.annotate(**{name: hit}).filter(**{f"{name}__term": terms[0]})
        return found, F(f"{name}__score")
    hits = Posting.objects.filter(term__in=terms)
    best = hits.filter(listing=OuterRef("pk")).order_by("-score").values("score")[:1]
    return listings.filter(pk__in=hits.values("listing_id")), Subquery(best)


def meanings(*, search: str, store_id: int, language: str) -> list[Meaning]:
    """What each word of a search stands for; no terms: the store knows nothing like it.

    A known word means itself and its synonyms; one that isn't means what begins with it; and
    what nothing begins with, its nearest misspellings. One statement, two with a word that isn't
    known, beside that of the synonyms.
    """
    asked = _asked(search, language)
    same = synonyms(store_id=store_id) if asked else {}
    stems = {stem(word, language) for chunk in asked for word in (chunk.whole, *chunk.parts)}
    stems = stems.union(*(same.get(text, ()) for text in stems))
    terms = Term.objects.filter(store=store_id, text__in=stems)
    known: dict[str, int] = dict(terms.values_list("text", "pk")) if stems else {}

    def meant(word: str) -> tuple[int, ...]:
        text = stem(word, language)
        alike = (text, *sorted(same.get(text, ())))
        return tuple(known[each] for each in alike if each in known)

    words: list[str] = []
    for chunk in asked:
        words += [chunk.whole] if meant(chunk.whole) else chunk.parts
    words = list(dict.fromkeys(words))[:MAX_WORDS]
    unknown = [word for word in words if not meant(word)]
    guessed = _guesses(unknown, store_id, language) if unknown else {}
    return [Meaning(stem(word, language), meant(word) or guessed[word]) for word in words]


def _asked(search: str, language: str) -> list[Chunk]:
    asked = list(chunks(search))
    telling = [chunk for chunk in asked if not is_stop_word(chunk.whole, language)]
    return (telling or asked)[:MAX_WORDS]


def _guesses(words: Iterable[str], store_id: int, language: str) -> dict[str, tuple[int, ...]]:
    """The terms that words which aren't known may mean. One statement."""
    wanted = {word: {prefix_key(word), *slips(stem(word, language))} for word in words}
    rows = candidates(keys=set().union(*wanted.values()), store_id=store_id)
    guessed = {}
    for word in wanted:
        text = stem(word, language)
        begun = [pk for pk, known, _text, _n in rows if known.startswith(word)]
        near = sorted(
            (distance(text, other), -frequency, pk)
            for pk, _word, other, frequency in rows
            if slips(text) & slips(other)
        )
        # Only the nearest: two slips mean nothing where one explains it.
        best = [pk for off, _frequency, pk in near if off == near[0][0]]
        guessed[word] = tuple(begun[:MOST_BEGUN] or best[:MOST_MISSPELT])
    return guessed


def candidates(
    *, keys: Iterable[str], store_id: int, among: ListingQuerySet | None = None
) -> list[tuple[Any, ...]]:
    """The terms (id, word, stem, frequency) under any of the keys, the most frequent first.

    Only those that some listing of `among` says, where it is given.
    """
    under = TermKey.objects.filter(key__in=keys)
    found = Term.objects.filter(store=store_id, pk__in=under.values("term_id"))
    if among is not None:
        found = found.filter(Exists(among.filter(postings__term=OuterRef("pk"))))
    rows = found.order_by("-frequency", "word").values_list("pk", "word", "text", "frequency")
    return list(rows[:_CANDIDATES])
