"""Search in tables of our own: a vocabulary per store, and where its words occur.

Every look-up is by equality, so all three databases answer alike; docs/adr/0009 has the figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Case, F, FilteredRelation, Q, Subquery, Value, When
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

# What a word that is only begun may mean, and one that is misspelt.
MOST_BEGUN, MOST_MISSPELT = 20, 3
_CANDIDATES = 500
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

    A known word means itself; one that isn't means what begins with it; and what nothing begins
    with, its nearest misspellings. One statement, two with a word that isn't known.
    """
    asked = _asked(search, language)
    stems = {stem(word, language) for chunk in asked for word in (chunk.whole, *chunk.parts)}
    terms = Term.objects.filter(store=store_id, text__in=stems)
    known: dict[str, int] = dict(terms.values_list("text", "pk")) if stems else {}
    words: list[str] = []
    for chunk in asked:
        whole = stem(chunk.whole, language) in known
        words += [chunk.whole] if whole else chunk.parts
    words = list(dict.fromkeys(words))[:MAX_WORDS]
    unknown = [word for word in words if stem(word, language) not in known]
    guessed = _guesses(unknown, store_id, language) if unknown else {}
    return [
        Meaning(text, (known[text],) if text in known else guessed[word])
        for word in words
        for text in [stem(word, language)]
    ]


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


def candidates(*, keys: Iterable[str], store_id: int) -> list[tuple[Any, ...]]:
    """The terms (id, word, stem, frequency) under any of the keys, the most frequent first."""
    under = TermKey.objects.filter(key__in=keys)
    found = Term.objects.filter(store=store_id, pk__in=under.values("term_id"))
    rows = found.order_by("-frequency", "word").values_list("pk", "word", "text", "frequency")
    return list(rows[:_CANDIDATES])
