"""What a search must be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from apps.storefront.models import Listing
from apps.storefront.querysets import ListingQuerySet
from apps.storefront.selectors.pages import Window


@dataclass(frozen=True, slots=True)
class Document:
    """What a listing is found by.

    `labels` are its brand, categories, tags and attributes; `popularity` counts doublings of
    the pieces sold lately (0: none, 1: one, 2: two or three, …).
    """

    listing_id: int
    store_id: int
    language: str
    name: str
    skus: Sequence[str]
    labels: Sequence[str]
    text: str
    popularity: int
    in_stock: bool
    # Higher than that of everything older about the listing.
    version: int = 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A search as it was typed, in a store and the language of its texts."""

    search: str
    store_id: int
    language: str


class SearchBackend(ABC):
    @abstractmethod
    def matching(self, listings: ListingQuerySet, asked: Asked) -> ListingQuerySet:
        """Those of the store's listings in which every word occurs, in no order.

        A search without words leaves the listings as they are.
        """

    @abstractmethod
    def best(
        self, listings: ListingQuerySet, asked: Asked, *, fields: Sequence[str], window: Window
    ) -> list[tuple[Any, ...]]:
        """The best of those: rank, key and `fields` of each; a position is a rank and a key.

        A higher rank is better, and between equals a higher key. How many can be paged through
        may be limited.
        """

    def best_shown(
        self, asked: Asked, *, currency: str, at: datetime, fields: Sequence[str], window: Window
    ) -> list[tuple[Any, ...]]:
        """The best of all that the store shows at a moment, priced in a currency."""
        shown = Listing.objects.visible(store_id=asked.store_id, currency=currency, at=at)
        return self.best(shown, asked, fields=fields, window=window)

    @abstractmethod
    def completions(self, listings: ListingQuerySet, asked: Asked, *, limit: int) -> list[str]:
        """Searches that begin with this one and find some of the listings, the likeliest first."""

    @abstractmethod
    def correction(self, listings: ListingQuerySet, asked: Asked) -> str | None:
        """The nearest search that finds some of the listings; None if this one does, or none."""

    @abstractmethod
    def index(self, *, documents: Sequence[Document]) -> None:
        """Make listings found by what they say now, and by nothing else.

        Called in the transaction that writes them: who asks a server does so after the commit.
        """

    @abstractmethod
    def forget(self, *, listing_ids: Iterable[int]) -> None:
        """Called in the transaction that deletes listings, before it does."""

    def send(
        self, *, documents: Sequence[Document], gone: Sequence[int], languages: Iterable[str]
    ) -> int:
        """Tell another server what listings say now, and which are gone (in whose languages is
        not known any more); the number of documents. Never called in a transaction. Raises
        RemoteError.
        """
        return 0

    def renew(self, *, language: str, batches: Callable[[], Iterable[Sequence[Document]]]) -> int:
        """Tell another server everything of a language anew; the number of documents.

        Searches read the former documents until all are there. Raises RemoteError.
        """
        return 0


def rows_of(
    ranked: Sequence[tuple[int, int]],
    listings: ListingQuerySet,
    fields: Sequence[str],
    window: Window,
) -> list[tuple[Any, ...]]:
    """Rank, key and fields of a window of (rank, key) pairs. One statement.

    What isn't among `listings` (any more) is left out.
    """
    pairs = sorted(ranked, reverse=not window.backwards)
    if window.position is not None:
        at = (window.position[0], window.position[1])
        pairs = [pair for pair in pairs if (pair > at if window.backwards else pair < at)]
    shown = pairs[: window.size]
    rows = {
        pk: row
        for pk, *row in listings.filter(pk__in=[pk for _rank, pk in shown]).values_list(
            "pk", *fields
        )
    }
    return [(rank, pk, *rows[pk]) for rank, pk in shown if pk in rows]
