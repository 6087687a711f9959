"""What a customer does with their own review."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypedDict, Unpack
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict, DomainError
from apps.core.locks import locked
from apps.core.photos import remove
from apps.core.ratelimit import Limit
from apps.customers.models import Customer
from apps.products.models import Product
from apps.reviews import states
from apps.reviews.models import STARS, Review
from apps.reviews.selectors import proof_of_purchase, settings_of
from apps.reviews.services.counting import tell
from apps.reviews.services.texts import clean_text
from apps.reviews.services.uploads import attach
from apps.stores.models import Store

PER_CUSTOMER = Limit("review", by="customer", most=20, seconds=3600)
_TEXTS = ("title", "text", "author_name")


class NotABuyer(DomainError):
    code = "not_a_buyer"
    status = 403
    message = _("Only who bought it may review it.")


class AlreadyReviewed(Conflict):
    code = "already_reviewed"
    message = _("You have reviewed this product; change that review.")


class InvalidRating(DomainError):
    code = "invalid_rating"
    message = _("One to five stars.")


class Words(TypedDict, total=False):
    """What a review says. `photos` are all that it shall have, in their order."""

    rating: int
    title: str
    text: str
    author_name: str
    photos: Sequence[UUID]


def write_review(
    *,
    customer: Customer,
    store: Store,
    product: Product,
    language: str,
    **words: Unpack[Words],
) -> Review:
    """Say what one thinks of a product; `rating` is needed. Waits for the staff where the store
    is moderated, else it is published at once.

    Raises RateLimited, NotABuyer, AlreadyReviewed, InvalidRating, HTMLRefused, TooManyPhotos and
    UnknownPhoto.
    """
    PER_CUSTOMER.hit(str(customer.pk))
    rules = settings_of(store)
    proof = proof_of_purchase(customer=customer, product=product)
    if rules.buyers_only and proof is None:
        raise NotABuyer()
    said = _checked({"rating": 0, **words})
    review = Review(
        product=product,
        store=store,
        customer=customer,
        language=language,
        is_verified=proof is not None,
        order_line=proof,
        status=states.PENDING if rules.is_moderated else states.APPROVED,
        **said,
    )
    review.author_name = review.author_name or customer.first_name[:80]
    with transaction.atomic():
        try:
            with transaction.atomic():
                review.save()
        except IntegrityError as error:
            raise AlreadyReviewed() from error
        attach(review, list(words.get("photos", ())))
        tell(review, was="")
    return review


def change_review(*, review: Review, **words: Unpack[Words]) -> Review:
    """Say it anew; where the store is moderated, the staff decides again.

    Raises RateLimited, InvalidRating, HTMLRefused, TooManyPhotos and UnknownPhoto.
    """
    PER_CUSTOMER.hit(str(review.customer_id))
    said = _checked(words)
    with transaction.atomic():
        review = locked(Review.objects.filter(pk=review.pk)).get()
        was = review.status
        for name, value in said.items():
            setattr(review, name, value)
        if was != states.PENDING and settings_of(review.store).is_moderated:
            review.status = states.TRANSITIONS[was, "queue"]
        review.save()
        if "photos" in words:
            attach(review, list(words["photos"]))
        tell(review, was=was)
    return review


@transaction.atomic
def delete_review(*, review: Review) -> None:
    """Delete it with its photos and its answer; the product's rating forgets it."""
    review = locked(Review.objects.filter(pk=review.pk)).get()
    was = review.status
    remove(list(review.photos.all()))
    review.delete()
    tell(review, was=was)


def _checked(words: Any) -> dict[str, Any]:
    """The fields of the model that `words` set, without the photos."""
    said: dict[str, Any] = {name: clean_text(name, words[name]) for name in _TEXTS if name in words}
    if "author_name" in said:
        said["author_name"] = " ".join(said["author_name"].split())
    if "rating" in words:
        if words["rating"] not in STARS:
            raise InvalidRating(field="rating")
        said["rating"] = words["rating"]
    return said
