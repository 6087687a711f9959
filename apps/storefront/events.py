"""What the shopper's read side tells itself, after the commit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class ListingsIndexed(Event):
    """Listings were written or deleted, and a search on another server must know."""

    name: ClassVar[str] = "listings.indexed"
    listing_ids: list[int]
