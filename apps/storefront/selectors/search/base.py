"""What a search must be able to do."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from apps.storefront.querysets import ListingQuerySet


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


class SearchBackend(ABC):
    @abstractmethod
    def matching(
        self, listings: ListingQuerySet, *, search: str, store_id: int, language: str
    ) -> ListingQuerySet:
        """Those of the store's listings in which every word occurs, with their `rank`.

        A higher rank is better. A search without words leaves the listings as they are; then
        there is no rank.
        """

    @abstractmethod
    def completions(
        self,
        listings: ListingQuerySet,
        *,
        search: str,
        store_id: int,
        language: str,
        limit: int,
    ) -> list[str]:
        """Searches that begin with this one and find some of the listings, the likeliest first."""

    @abstractmethod
    def correction(
        self, listings: ListingQuerySet, *, search: str, store_id: int, language: str
    ) -> str | None:
        """The nearest search that finds some of the listings; None if this one does, or none."""

    @abstractmethod
    def index(self, *, documents: Sequence[Document]) -> None:
        """Make listings found by what they say now, and by nothing else.

        Called in the transaction that writes them: who asks a server does so after the commit.
        """

    @abstractmethod
    def forget(self, *, listing_ids: Iterable[int]) -> None:
        """Called in the transaction that deletes listings, before it does."""
