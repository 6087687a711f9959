"""Telling the caches in front of the shop what is outdated. The log of keys is the queue: a row
stays unpurged until every cache has been told."""

from __future__ import annotations

import time
from functools import partial

from django.utils import timezone

from apps.core.edge.base import edge_caches
from apps.core.models import OutdatedKeys
from apps.core.outdated import KEPT_ROWS, TRUST
from apps.core.remote import ask_all

# For all of them at once, each in calls of bounded size.
PATIENCE = 15.0
# Every web process has read the log by then: what a cache fetches again is new.
_UNTIL_READ = TRUST + 0.1
_ROWS = 500


class PurgeFailed(Exception):
    """Some caches weren't told; the same again will tell all of them."""


def purge_due() -> int:
    """Let every edge cache forget what is outdated; the number of keys.

    Many changes are one call. Older rows than any answer lives are left alone. Raises PurgeFailed.
    """
    caches = edge_caches()
    if not caches:
        return 0
    since = timezone.now() - KEPT_ROWS
    due = OutdatedKeys.objects.filter(purged=False, created_at__gte=since)
    rows = list(due.order_by("pk").values_list("pk", "keys")[:_ROWS])
    if not rows:
        return 0
    time.sleep(_UNTIL_READ)
    keys = sorted({key for _pk, named in rows for key in named.split()})
    told = ask_all(
        {path: partial(cache.purge, keys) for path, cache in caches.items()},
        patience=PATIENCE,
    )
    if missing := sorted(caches.keys() - told.keys()):
        raise PurgeFailed(", ".join(missing))
    OutdatedKeys.objects.filter(pk__in=[pk for pk, _keys in rows]).update(purged=True)
    return len(keys)
