"""What happens to reviews. Products and reviews by public id, stores by code."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class ReviewPublished(Event):
    """Shoppers see it from now on, and it counts in the product's rating."""

    name: ClassVar[str] = "review.published"

    review_id: str
    product_id: str
    store: str


@dataclass(frozen=True)
class ReviewChanged(Event):
    """A published one was changed, taken down or deleted."""

    name: ClassVar[str] = "review.changed"

    review_id: str
    product_id: str
    store: str


@dataclass(frozen=True)
class ReviewAnswered(Event):
    name: ClassVar[str] = "review.answered"

    review_id: str


@dataclass(frozen=True)
class ReviewPhotosAdded(Event):
    """Photos lie in quarantine and belong to a review: they can be scanned and re-encoded."""

    name: ClassVar[str] = "review.photos_added"

    review_id: str
