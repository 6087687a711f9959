"""The rating of a product, kept in the transaction that changes it."""

from __future__ import annotations

from apps.core.events import publish
from apps.core.locks import locked
from apps.reviews import states
from apps.reviews.events import ReviewChanged, ReviewPublished
from apps.reviews.models import Review, ReviewSummary
from apps.reviews.selectors import counted


def tell(review: Review, *, was: str) -> None:
    """Count again and tell upper rooms, if shoppers see or saw the review. `was`: its status
    before; "" for one that is new.
    """
    now = review.status if review.pk else ""
    if states.APPROVED not in (was, now):
        return
    _recount(review.product_id, review.store_id)
    published = was != now and now == states.APPROVED
    publish(
        (ReviewPublished if published else ReviewChanged)(
            review_id=str(review.public_id),
            product_id=str(review.product.public_id),
            store=review.store.code,
        )
    )


def _recount(product_id: int, store_id: int) -> None:
    """Whoever comes second waits here, and then sees what the first has written."""
    row, _created = ReviewSummary.objects.get_or_create(product_id=product_id, store_id=store_id)
    row = locked(ReviewSummary.objects.filter(pk=row.pk)).get()
    for name, value in counted(product_id, store_id).items():
        setattr(row, name, value)
    row.save()
