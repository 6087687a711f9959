"""How much API keys are called: counted by each process, written once a minute, billed by month."""

from __future__ import annotations

import atexit
import logging
import threading
import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from django.conf import settings
from django.db import DatabaseError, IntegrityError, connection, transaction
from django.db.models import F, Sum
from django.utils import timezone

from apps.accounts.events import UsageClosed
from apps.accounts.models import ApiKey, ApiKeyBill, ApiKeyUsage, ApiPlan
from apps.core.events import publish

logger = logging.getLogger(__name__)
# Months of which bills are still made, should the task have stood still.
MONTHS_BACK = 3
# After a month's end, for the processes to write what they counted of it.
GRACE = timedelta(hours=1)


@dataclass(slots=True)
class _Counted:
    calls: int = 0
    errors: int = 0


_lock = threading.Lock()
# By key and day: what isn't written yet.
_counted: dict[tuple[int, date], _Counted] = {}
# By key: when it was read, of which period, how many calls were written of it.
_written: dict[int, tuple[float, date, int]] = {}


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a key stands in its plan's quota: what is left, and when the next period begins."""

    quota: int
    left: int
    seconds: int
    starts_again: datetime
    is_allowed: bool


def count_call(*, key: ApiKey) -> Standing | None:
    """Count a call, unless the quota of the key's plan refuses it; None without a quota.

    Calls of other processes are known once these have written them: within a minute.
    """
    plan, now = key.plan, datetime.now(UTC)
    if plan is None or plan.quota is None:
        with _lock:
            _entry(key.pk, now.date()).calls += 1
        return None
    first, following = _period(plan, now)
    before = _calls_written(key.pk, first)
    with _lock:
        days = [day for pk, day in _counted if pk == key.pk and day >= first]
        here = sum(_counted[key.pk, day].calls for day in days)
        left = plan.quota - before - here
        is_allowed = left > 0 or plan.overage_price is not None
        if is_allowed:
            _entry(key.pk, now.date()).calls += 1
    return Standing(
        quota=plan.quota,
        left=max(0, left - is_allowed),
        seconds=(following.date() - first).days * 86_400,
        starts_again=following,
        is_allowed=is_allowed,
    )


def count_error(*, key: ApiKey) -> None:
    """A call that was counted has failed."""
    with _lock:
        _entry(key.pk, datetime.now(UTC).date()).errors += 1


def write_usage() -> None:
    """Add what this process counted to the table. Without a database it is kept for next time."""
    global _counted
    with _lock:
        taken, _counted = _counted, {}
    for (key_id, day), counted in sorted(taken.items()):
        try:
            _add(key_id, day, counted)
        except IntegrityError:
            logger.warning("the calls of a key that is gone are lost")
        except DatabaseError:
            logger.warning("usage isn't written", exc_info=True)
            with _lock:
                kept = _entry(key_id, day)
                kept.calls += counted.calls
                kept.errors += counted.errors
    with _lock:
        _written.clear()


def close_months(*, now: datetime | None = None) -> int:
    """Bill the months that are over, each key and month once; the number of bills."""
    month = ((now or timezone.now()).astimezone(UTC) - GRACE).date().replace(day=1)
    made = 0
    for _month in range(MONTHS_BACK):
        month, following = (month - timedelta(days=1)).replace(day=1), month
        keys = ApiKey.objects.filter(usage__day__gte=month, usage__day__lt=following)
        unbilled = keys.exclude(bills__month=month).select_related("plan").distinct()
        made += sum(_bill(key, month, following) for key in unbilled.order_by("pk"))
    return made


@transaction.atomic
def _bill(key: ApiKey, month: date, following: date) -> bool:
    days = list(key.usage.filter(day__gte=month, day__lt=following).values_list("calls", flat=True))
    billable, amount = _over(key.plan, days)
    try:
        with transaction.atomic():
            bill = ApiKeyBill.objects.create(
                key=key,
                month=month,
                calls=sum(days),
                billable_calls=billable,
                amount=amount,
                currency=key.plan.currency if key.plan else "",
            )
    except IntegrityError:
        return False
    publish(
        UsageClosed(
            key_id=str(key.public_id),
            key_name=key.name,
            month=f"{month:%Y-%m}",
            calls=bill.calls,
            billable_calls=billable,
            amount=amount,
            currency=bill.currency,
        )
    )
    return True


def _over(plan: ApiPlan | None, days: list[int]) -> tuple[int, int]:
    """The calls over the plan's quota, and their price, rounded half up."""
    if plan is None or plan.quota is None or plan.overage_price is None:
        return 0, 0
    counts = days if plan.period == ApiPlan.Period.DAY else [sum(days)]
    billable = sum(max(0, count - plan.quota) for count in counts)
    return billable, (billable * plan.overage_price + 500) // 1000


def _period(plan: ApiPlan, now: datetime) -> tuple[date, datetime]:
    """The first day of the running period, and when the next begins."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if plan.period == ApiPlan.Period.DAY:
        return midnight.date(), midnight + timedelta(days=1)
    first = midnight.replace(day=1)
    return first.date(), (first + timedelta(days=32)).replace(day=1)


def _calls_written(key_id: int, first: date) -> int:
    """How many calls were written of this period, at most a minute old."""
    known = _written.get(key_id)
    if known and known[1] == first and time.monotonic() - known[0] < settings.API_USAGE_SECONDS:
        return known[2]
    rows = ApiKeyUsage.objects.filter(key=key_id, day__gte=first)
    calls = rows.aggregate(calls=Sum("calls"))["calls"] or 0
    with _lock:
        _written[key_id] = (time.monotonic(), first, calls)
    return calls


def _entry(key_id: int, day: date) -> _Counted:
    """Where to count, under the lock; the first since the last writing sets its clock."""
    if not _counted and settings.API_USAGE_SECONDS:
        timer = threading.Timer(settings.API_USAGE_SECONDS, _write_by_the_clock)
        timer.daemon = True
        timer.start()
    return _counted.setdefault((key_id, day), _Counted())


def _write_by_the_clock() -> None:
    """In a thread of its own: a process that isn't called any more writes its last calls too."""
    try:
        write_usage()
    finally:
        connection.close()


@transaction.atomic
def _add(key_id: int, day: date, counted: _Counted) -> None:
    ApiKeyUsage.objects.bulk_create([ApiKeyUsage(key_id=key_id, day=day)], ignore_conflicts=True)
    ApiKeyUsage.objects.filter(key=key_id, day=day).update(
        calls=F("calls") + counted.calls, errors=F("errors") + counted.errors
    )


def _write_at_exit() -> None:
    if settings.API_USAGE_SECONDS:
        write_usage()


# A process that ends in peace loses nothing.
atexit.register(_write_at_exit)
