"""The shop's answer to a review."""

from __future__ import annotations

from django.conf import settings
from django.db import transaction

from apps.core import audit
from apps.core.context import current_actor
from apps.core.events import publish
from apps.core.locks import locked
from apps.notifications.services import notify
from apps.reviews.events import ReviewAnswered
from apps.reviews.models import Review, ReviewAnswer
from apps.reviews.services.texts import clean_text


@transaction.atomic
def answer_review(*, review: Review, text: str) -> ReviewAnswer:
    """Say the shop's word on a review, or say it anew. Raises HTMLRefused and TextMissing."""
    text = clean_text("text", text, needed=True)
    review = locked(Review.objects.filter(pk=review.pk)).get()
    answer, _created = ReviewAnswer.objects.update_or_create(
        review=review, defaults={"text": text, "author_id": current_actor().user_id}
    )
    audit.record("review.answer", review, {"text": text})
    publish(ReviewAnswered(review_id=str(review.public_id)))
    return answer


@transaction.atomic
def withdraw_answer(*, review: Review) -> None:
    """Take the answer back. Repeating changes nothing."""
    if ReviewAnswer.objects.filter(review=review).delete()[0]:
        audit.record("review.withdraw_answer", review)


def mail_answer(*, review_id: str) -> None:
    """Tell the author of a published review that the shop has answered; once."""
    review = (
        Review.objects.published()
        .whole()
        .select_related("customer", "product", "store", "answer")
        .filter(public_id=review_id, customer__isnull=False, answer__isnull=False)
        .first()
    )
    if review is None:
        return
    notify(
        kind="reviews/answered",
        recipient=review.customer.email,
        language=review.customer.language or review.language,
        context={
            "store_name": review.store.name,
            "store_email": review.store.email,
            "product": review.product.name,
            "answer": review.answer.text,
            "url": settings.PRODUCT_URL.format(
                slug=review.product.slug,
                language=review.language,
                domain=review.store.domain or "",
                store=review.store.code,
            ),
        },
        dedupe_key=f"review-answered:{review_id}",
    )
