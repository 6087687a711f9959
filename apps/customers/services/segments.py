"""Segments, and who is in them."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import DomainError
from apps.core.locks import locked
from apps.customers.models import Segment, SegmentMember
from apps.customers.selectors import check_conditions, matching

_BATCH = 1000


class SegmentTaken(DomainError):
    code = "code_taken"
    message = _("There is a segment with this code.")


@transaction.atomic
def create_segment(
    *, code: str, name: str, conditions: list[dict[str, Any]], match: str = Segment.Match.ALL
) -> Segment:
    """A new segment with its members; raises SegmentTaken and InvalidSegment."""
    check_conditions(conditions)
    segment, created = Segment.objects.get_or_create(
        code=code, defaults={"name": name, "conditions": conditions, "match": match}
    )
    if not created:
        raise SegmentTaken(field="code")
    audit.record("add", segment)
    refresh_segment(segment=segment)
    return segment


@transaction.atomic
def update_segment(*, segment: Segment, **changes: Any) -> Segment:
    """Change `name`, `match` or `conditions`; raises InvalidSegment. The code stays."""
    if "conditions" in changes:
        check_conditions(changes["conditions"])
    before = audit.assign(segment, changes)
    segment.save(update_fields=[*changes, "updated_at"])
    audit.note(segment, False, before, changes)
    refresh_segment(segment=segment)
    return segment


@transaction.atomic
def delete_segment(*, segment: Segment) -> None:
    """Promotions that name it fit nobody by it any more."""
    audit.record("delete", segment)
    segment.delete()


@transaction.atomic
def refresh_segment(*, segment: Segment) -> int:
    """Make the members those whom the conditions fit now; how many there are."""
    # Two at once would add the same members.
    locked(Segment.objects.filter(pk=segment.pk)).first()
    found = matching(conditions=segment.conditions, match=segment.match).order_by()
    members = SegmentMember.objects.filter(segment=segment)
    members.exclude(customer__in=found.values("pk")).delete()
    missing = found.exclude(pk__in=members.values("customer")).values_list("pk", flat=True)
    SegmentMember.objects.bulk_create(
        (SegmentMember(segment=segment, customer_id=pk) for pk in list(missing)),
        batch_size=_BATCH,
        ignore_conflicts=True,
    )
    segment.refreshed_at = timezone.now()
    segment.save(update_fields=["refreshed_at"])
    return members.count()


def refresh_segments() -> int:
    """Refresh every segment; how many there are."""
    segments = list(Segment.objects.order_by("pk"))
    for segment in segments:
        refresh_segment(segment=segment)
    return len(segments)


@transaction.atomic
def refresh_customer(*, customer_id: int) -> None:
    """Put one customer into the segments that fit them now, and out of the others."""
    mine = SegmentMember.objects.filter(customer=customer_id)
    before = set(mine.values_list("segment", flat=True))
    for segment in Segment.objects.order_by("pk"):
        found = matching(conditions=segment.conditions, match=segment.match)
        fits = found.filter(pk=customer_id).exists()
        if fits and segment.pk not in before:
            SegmentMember.objects.get_or_create(segment=segment, customer_id=customer_id)
        elif not fits and segment.pk in before:
            mine.filter(segment=segment).delete()
