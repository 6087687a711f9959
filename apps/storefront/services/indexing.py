"""The vocabulary of the database's own search, and where its words occur."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

from django.db import connection
from django.db.models import Count, OuterRef, Subquery
from django.db.models.functions import Coalesce

from apps.core.html import plain_text
from apps.storefront.engines.words import chunks, is_stop_word, keys_of, stem
from apps.storefront.models import Posting, Term, TermKey
from apps.storefront.selectors.search import Document
from apps.storefront.selectors.search.database import DatabaseReader

# What a word is worth by its place: the whole SKU, the name's first word, the name, …
SKU, NAME_START, NAME, SKU_PART, LABEL, TEXT = 900, 600, 500, 400, 300, 100
# Of a description: as much as a shopper reads.
_TEXT_LENGTH, _TEXT_WORDS = 3_000, 120
_POPULAR = 40
_ROWS = 2_000
Key = tuple[int, int]
# Store and stem.
Word = tuple[int, str]


class DatabaseSearch(DatabaseReader):
    def index(self, *, documents: Sequence[Document]) -> None:
        scores = {document.listing_id: _scores(document) for document in documents}
        stores = {document.listing_id: document.store_id for document in documents}
        words: dict[Word, str] = {}
        for listing_id, found in scores.items():
            for text, (_score, word) in found.items():
                words.setdefault((stores[listing_id], text), word)
        terms = _terms(words)
        wanted = {
            (listing_id, terms[stores[listing_id], text]): score
            for listing_id, found in scores.items()
            for text, (score, _word) in found.items()
        }
        _write(wanted, list(scores))

    def forget(self, *, listing_ids: Iterable[int]) -> None:
        """Nothing to do: postings go with their listings."""


def _scores(document: Document) -> dict[str, tuple[int, str]]:
    """Each stem of a document with its score and the word as it is written there, folded."""
    found: dict[str, tuple[int, str]] = {}
    # What sells, and then what is there, decides between words of the same place.
    more = min(document.popularity, _POPULAR) * 2 + document.in_stock
    for place, word in _places(document):
        text = stem(word, document.language)
        if place + more > found.get(text, (0, ""))[0]:
            found[text] = (place + more, word)
    return found


def _places(document: Document) -> Iterator[tuple[int, str]]:
    for number, chunk in enumerate(chunks(document.name)):
        for word in {chunk.whole, *chunk.parts}:
            yield (NAME if number else NAME_START), word
    for sku in document.skus:
        pieces = list(chunks(sku))
        yield SKU, "".join(piece.whole for piece in pieces)[:40]
        for piece in pieces:
            for part in piece.parts:
                yield SKU_PART, part
    for label in document.labels:
        for chunk in chunks(label):
            for word in {chunk.whole, *chunk.parts}:
                yield LABEL, word
    said = dict.fromkeys(
        part for chunk in chunks(plain_text(document.text)[:_TEXT_LENGTH]) for part in chunk.parts
    )
    telling = [w for w in said if len(w) > 1 and not is_stop_word(w, document.language)]
    for word in telling[:_TEXT_WORDS]:
        yield TEXT, word


def _terms(words: Mapping[Word, str]) -> dict[Word, int]:
    """The ids of words (store, stem), which are made where they are new."""
    found = _known(words)
    # In one order, so that two writers of the same new words wait and don't deadlock.
    new = sorted(word for word in words if word not in found)
    if new:
        Term.objects.bulk_create(
            [Term(store_id=store, text=text, word=words[store, text]) for store, text in new],
            ignore_conflicts=True,
            batch_size=_ROWS,
        )
        made = _known(new)
        keys = [
            TermKey(key=key, term_id=pk)
            for (store, text), pk in made.items()
            for key in sorted(keys_of(words[store, text], text))
        ]
        TermKey.objects.bulk_create(keys, ignore_conflicts=True, batch_size=_ROWS)
        found |= made
    return found


def _known(words: Iterable[Word]) -> dict[Word, int]:
    wanted = set(words)
    rows = Term.objects.filter(
        store__in={store for store, _text in wanted}, text__in={text for _store, text in wanted}
    ).values_list("store_id", "text", "pk")
    return {(store, text): pk for store, text, pk in rows if (store, text) in wanted}


def _write(wanted: Mapping[Key, int], listing_ids: Sequence[int]) -> None:
    """Change only what differs: a new price or another piece in stock changes no word."""
    before: dict[Key, tuple[int, int]] = {
        (listing, term): (pk, score)
        for pk, listing, term, score in Posting.objects.filter(listing__in=listing_ids).values_list(
            "pk", "listing_id", "term_id", "score"
        )
    }
    gone = [pk for key, (pk, _score) in before.items() if key not in wanted]
    if gone:
        Posting.objects.filter(pk__in=gone).delete()
    changed = [
        Posting(listing_id=key[0], term_id=key[1], score=score)
        for key, score in wanted.items()
        if key not in before or before[key][1] != score
    ]
    targeted = connection.features.supports_update_conflicts_with_target
    Posting.objects.bulk_create(
        changed,
        update_conflicts=True,
        update_fields=["score"],
        unique_fields=["term", "listing"] if targeted else None,
        batch_size=_ROWS,
    )


def count_terms() -> None:
    """Count in how many listings each word occurs: the more frequent is guessed first."""
    of_term = Posting.objects.filter(term=OuterRef("pk")).order_by().values("term")
    counted = Subquery(of_term.annotate(listings=Count("pk")).values("listings"))
    now = Coalesce(counted, 0)
    # Most stay as they are: they aren't written.
    Term.objects.exclude(frequency=now).update(frequency=now)
