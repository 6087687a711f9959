"""What the words of a search stand for in a store's vocabulary."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.db.models import QuerySet, Subquery
from django.db.models.expressions import OuterRef

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
from apps.storefront.models import Term, TermKey
from apps.storefront.querysets import ListingQuerySet
from apps.storefront.selectors.search.base import Asked
from apps.storefront.selectors.search.rules import synonyms

# What a word that is only begun may mean, and one that is misspelt.
MOST_BEGUN, MOST_MISSPELT = 20, 3
# In how many listings the words that a begun one means may occur, its most frequent one apart: two
# letters don't mean half of the catalogue.
MOST_SAID = 2_000
_CANDIDATES = 500
SHORTEST_BEGUN = 2
# How long a known word is kept in the process, and how many.
_SECONDS, _KEPT = 60.0, 50_000


@dataclass(frozen=True, slots=True)
class Known:
    """A term of the vocabulary: its key, a word and the stem, and in how many listings it is."""

    pk: int
    word: str
    text: str
    frequency: int


@dataclass(frozen=True, slots=True)
class Meaning:
    """A word of a search (its stem), and the terms of the store's vocabulary it stands for."""

    text: str
    terms: tuple[Known, ...]

    @property
    def frequency(self) -> int:
        """At most in how many listings it occurs, as they were counted lately."""
        return sum(term.frequency for term in self.terms)


class _Vocabulary:
    """The known words that were looked up lately: a term's key never changes."""

    def __init__(self) -> None:
        self._terms: dict[tuple[int, str], Known] = {}
        self._until = 0.0

    def find(self, store_id: int, texts: Iterable[str]) -> dict[str, Known]:
        """Those that the store knows, by their stem. At most one statement."""
        now = time.monotonic()
        if now > self._until or len(self._terms) > _KEPT or not settings.SHORT_CACHES:
            self._terms, self._until = {}, now + _SECONDS
        kept = self._terms
        if missing := [text for text in texts if (store_id, text) not in kept]:
            rows = Term.objects.filter(store=store_id, text__in=missing).values_list(
                "pk", "word", "text", "frequency"
            )
            kept.update({(store_id, row[2]): Known(*row) for row in rows})
        return {text: kept[store_id, text] for text in texts if (store_id, text) in kept}


_vocabulary = _Vocabulary()


def meanings(asked: Asked) -> list[Meaning]:
    """What each word of a search stands for; no terms: the store knows nothing like it.

    A known word means itself and its synonyms; one that isn't means what begins with it; and
    what nothing begins with, its nearest misspellings. No statement for words that were looked up
    lately, else one; one more with a word that isn't known, beside that of the synonyms.
    """
    typed, language = words_of(asked), asked.language
    same = synonyms(store_id=asked.store_id) if typed else {}
    stems = {stem(word, language) for chunk in typed for word in (chunk.whole, *chunk.parts)}
    stems = stems.union(*(same.get(text, ()) for text in stems))
    known = _vocabulary.find(asked.store_id, stems)

    def meant(word: str) -> tuple[Known, ...]:
        text = stem(word, language)
        alike = (text, *sorted(same.get(text, ())))
        return tuple(known[each] for each in alike if each in known)

    words: list[str] = []
    for chunk in typed:
        words += [chunk.whole] if meant(chunk.whole) else chunk.parts
    words = list(dict.fromkeys(words))[:MAX_WORDS]
    unknown = [word for word in words if not meant(word)]
    guessed = _guesses(unknown, asked) if unknown else {}
    return [Meaning(stem(word, language), meant(word) or guessed[word]) for word in words]


def words_of(asked: Asked) -> list[Chunk]:
    """The words that are asked for: not those that say nothing, unless there are no others."""
    typed = list(chunks(asked.search))
    telling = [chunk for chunk in typed if not is_stop_word(chunk.whole, asked.language)]
    return (telling or typed)[:MAX_WORDS]


def _guesses(words: Iterable[str], asked: Asked) -> dict[str, tuple[Known, ...]]:
    """The terms that words which aren't known may mean. One statement, two with a number."""
    wanted = {word: {prefix_key(word), *slips(stem(word, asked.language))} for word in words}
    rows = candidates(keys=set().union(*wanted.values()), store_id=asked.store_id)
    guessed = {}
    for word in wanted:
        text = stem(word, asked.language)
        begun = [term for term in rows if term.word.startswith(word)]
        near = [
            (distance(text, term.text), -term.frequency, term.pk, term)
            for term in rows
            if slips(text) & slips(term.text)
        ]
        # Only the nearest: two slips mean nothing where one explains it.
        nearest = min((off for off, *_term in near), default=0)
        best = [
            term for off, _frequency, _pk, term in sorted(near)[:MOST_MISSPELT] if off == nearest
        ]
        guessed[word] = _together(begun[:MOST_BEGUN]) or tuple(best)
    return guessed


def _together(begun: Sequence[Known]) -> tuple[Known, ...]:
    """The most frequent, and the others (the less frequent first) as far as they say little."""
    meant, said = list(begun[:1]), 0
    if meant and meant[0].frequency > MOST_SAID:
        return tuple(meant)
    for term in begun[1:]:
        said += term.frequency
        if said <= MOST_SAID:
            meant.append(term)
    return tuple(meant)


def candidates(
    *, keys: Iterable[str], store_id: int, among: ListingQuerySet | None = None
) -> list[Known]:
    """The terms under any of the keys, the most frequent first.

    Only those that some listing of `among` says, where it is given. Of the numbers that begin
    alike there may be as many as products: of them it is any.
    """
    wanted = set(keys)
    words = {key for key in wanted if key.removesuffix("*").isalpha()}
    rows = list(_under(words, store_id, among).order_by("-frequency", "word")[:_CANDIDATES])
    if numbers := wanted - words:
        rows += _under(numbers, store_id, among)[:_CANDIDATES]
    return [Known(*row) for row in rows]


def _under(
    keys: Iterable[str], store_id: int, among: ListingQuerySet | None
) -> QuerySet[Term, tuple[Any, ...]]:
    under = TermKey.objects.filter(key__in=keys)
    found = Term.objects.filter(store=store_id, pk__in=under.values("term_id"))
    if among is not None:
        found = saying(found, among)
    return found.values_list("pk", "word", "text", "frequency")


def saying(terms: QuerySet[Term], listings: ListingQuerySet) -> QuerySet[Term]:
    """Those of the terms that one of the listings says.

    A scalar subquery, looked up for each: an `EXISTS` is turned into a join of all listings.
    """
    said = listings.filter(postings__term=OuterRef("pk")).order_by().values("pk")[:1]
    return terms.annotate(said=Subquery(said)).filter(said__isnull=False)
