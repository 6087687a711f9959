"""What the staff decides about a review."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.locks import locked
from apps.reviews import states
from apps.reviews.models import Review
from apps.reviews.services.counting import tell


class AlreadyDecided(Conflict):
    code = "already_decided"
    message = _("This was decided already.")


class ReasonMissing(DomainError):
    code = "reason_missing"
    message = _("Say why: its author reads it.")


@transaction.atomic
def approve_review(*, review: Review) -> Review:
    """Publish a review; what was reported of it is settled. Raises AlreadyDecided."""
    return _decide(review, "approve", "")


@transaction.atomic
def reject_review(*, review: Review, reason: str) -> Review:
    """Keep a review from shoppers, or take it down. Raises ReasonMissing and AlreadyDecided."""
    if not reason.strip():
        raise ReasonMissing(field="reason")
    return _decide(review, "reject", reason.strip())


def _decide(review: Review, event: str, reason: str) -> Review:
    review = locked(Review.objects.filter(pk=review.pk)).get()
    was = review.status
    if was not in states.sources(event):
        raise AlreadyDecided()
    review.status, review.reason = states.TRANSITIONS[was, event], reason
    review.moderated_by_id, review.moderated_at = current_actor().user_id, timezone.now()
    review.save()
    review.reports.filter(is_open=True).update(is_open=False)
    audit.record(f"review.{event}", review, {"status": [was, review.status], "reason": reason})
    tell(review, was=was)
    return review
