"""What is searched for, counted by day: no row per search, and nothing of who searched."""

from __future__ import annotations

import atexit
import logging
import re
import threading
import time
from dataclasses import dataclass
from datetime import date, timedelta

from django.conf import settings
from django.db import DatabaseError, transaction
from django.db.models import Case, F, Value, When
from django.utils import timezone

from apps.storefront.engines.words import phrase
from apps.storefront.models import SearchQuery

logger = logging.getLogger(__name__)
# How long a process counts by itself, and how many different searches at most.
_SECONDS, _MOST = 60.0, 200
_LONGEST = 100
# An e-mail address; a number of a phone, a card, an account, an identity.
_PERSONAL = re.compile(r"@|(?:\d[\s()./+-]*){7}")
# Store, day, phrase.
Key = tuple[int, date, str]


@dataclass(slots=True)
class _Counted:
    searches: int = 0
    without_result: int = 0


_lock = threading.Lock()
_counted: dict[Key, _Counted] = {}
_due = time.monotonic() + _SECONDS


def note_search(*, store_id: int, search: str, found: bool) -> None:
    """Count a search. Once a minute the process writes what it counted, which never fails.

    Not counted: what is longer than 100 characters, or may be an address or a number of a person.
    """
    text = phrase(search)
    if not settings.SEARCH_LOG_DAYS or not text or len(text) > _LONGEST or _PERSONAL.search(text):
        return
    key = (store_id, timezone.localdate(), text)
    with _lock:
        if key in _counted or len(_counted) < _MOST:
            row = _counted.setdefault(key, _Counted())
            row.searches += 1
            row.without_result += not found
        due = time.monotonic() >= _due
    if due:
        write_searches()


def write_searches() -> None:
    """Add what this process counted to the table. What fails is lost, and logged."""
    global _counted, _due  # noqa: PLW0603 (of the process)
    with _lock:
        taken, _counted = _counted, {}
        _due = time.monotonic() + _SECONDS
    if not taken:
        return
    try:
        _add(taken)
    except DatabaseError:
        logger.warning("%d counted searches are lost", len(taken), exc_info=True)


@transaction.atomic
def _add(taken: dict[Key, _Counted]) -> None:
    SearchQuery.objects.bulk_create(
        [SearchQuery(store_id=key[0], day=key[1], phrase=key[2]) for key in taken],
        ignore_conflicts=True,
    )
    rows = SearchQuery.objects.filter(
        store__in={key[0] for key in taken},
        day__in={key[1] for key in taken},
        phrase__in={key[2] for key in taken},
    )
    known = {tuple(key): pk for pk, *key in rows.values_list("pk", "store_id", "day", "phrase")}
    counts = {known[key]: counted for key, counted in taken.items() if key in known}
    # In the database's own sum: other processes add to the same rows.
    SearchQuery.objects.filter(pk__in=sorted(counts)).update(
        searches=F("searches") + _sum({pk: row.searches for pk, row in counts.items()}),
        without_result=F("without_result")
        + _sum({pk: row.without_result for pk, row in counts.items()}),
    )


def _sum(counts: dict[int, int]) -> Case:
    whens = [When(pk=pk, then=Value(count)) for pk, count in counts.items()]
    return Case(*whens, default=Value(0))


def prune_searches() -> int:
    """Delete what is older than `SEARCH_LOG_DAYS`; the number of rows."""
    since = timezone.localdate() - timedelta(days=settings.SEARCH_LOG_DAYS)
    return SearchQuery.objects.filter(day__lt=since).delete()[0]


# A process that ends in peace loses nothing.
atexit.register(write_searches)
