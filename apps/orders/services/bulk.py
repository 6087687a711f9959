"""One verb for many orders, in the background: a result for each, resumed after a crash.

Upper rooms add verbs of their own with `register_verb`, as their app gets ready.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import InterfaceError, OperationalError, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import audit
from apps.core.context import Actor, acting
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.failpoints import failpoint
from apps.core.scopes import scoped
from apps.orders.events import BulkQueued
from apps.orders.models import BulkItem, BulkJob, Order

logger = logging.getLogger(__name__)

MOST_ORDERS = 10_000
# A worker that stopped without a word; far longer than a batch takes.
LEASE = timedelta(minutes=2)
BATCH = 20
_FAILED = _("This failed; it is in the log.")
_Status = BulkJob.Status
_Item = BulkItem.Status


class UnknownVerb(DomainError):
    code = "unknown_action"
    message = _("There is no such action.")


class WrongData(DomainError):
    code = "wrong_data"
    message = _("The action needs other data.")


class UnknownOrders(DomainError):
    code = "unknown_orders"
    message = _("Some of these orders don't exist.")


class TooManyOrders(DomainError):
    code = "too_many_orders"
    message = _("At least one order, at most %d at once.") % MOST_ORDERS


class VerbRefused(DomainError):
    code = "permission_denied"
    status = 403
    message = _("You may not do this.")


class BulkOver(Conflict):
    code = "bulk_over"
    message = _("This has ended already.")


def _no_data(data: Mapping[str, Any]) -> dict[str, Any]:
    if data:
        raise WrongData(_("Unknown: %s") % ", ".join(map(str, data))[:200], field="data")
    return {}


@dataclass(frozen=True)
class Ask:
    """A text that a form asks for a verb, kept under `name`; one of `choices()` if it has any."""

    name: str
    label: Any
    choices: Callable[[], Sequence[str]] | None = None


@dataclass(frozen=True, kw_only=True)
class Verb:
    """`run(order, data)` makes one service call; what it refuses is a DomainError.

    `clean(data)` gives the data as they are kept (JSON), or raises WrongData. `is_atomic` is for
    verbs that only write to the database: done and written down in one transaction, exactly once.
    One that talks to others (a payment provider) isn't: after a crash it is run again, so its
    service must be safe to repeat. `finish(orders, data)` does once, with those that were done,
    what is done for all of them together: in the transaction that ends the job, which fails with
    what it refuses. Whoever may use a verb holds `permission` and all of `also`.
    """

    name: str
    label: Any
    permission: str
    run: Callable[[Order, Mapping[str, Any]], Any]
    clean: Callable[[Mapping[str, Any]], dict[str, Any]] = _no_data
    is_atomic: bool = True
    finish: Callable[[QuerySet[Order], Mapping[str, Any]], Any] | None = None
    also: tuple[str, ...] = ()
    asks: tuple[Ask, ...] = ()

    def allowed(self, holds: Callable[[str], bool]) -> bool:
        """Whether somebody may use it who holds those permissions."""
        return all(holds(permission) for permission in (self.permission, *self.also))


_verbs: dict[str, Verb] = {}


def register_verb(*verbs: Verb) -> None:
    """Offer `verbs` for many orders, in this order after those there are."""
    _verbs.update({verb.name: verb for verb in verbs})


def verbs() -> list[Verb]:
    """All that can be done with many orders."""
    return list(_verbs.values())


def verb_called(name: str) -> Verb:
    """Raises UnknownVerb."""
    if name not in _verbs:
        raise UnknownVerb(field="action", extra={"known": sorted(_verbs)})
    return _verbs[name]


@transaction.atomic
def draft_bulk(*, orders: QuerySet[Order], user: User) -> BulkJob:
    """Remember which orders somebody has chosen, until they say what is to be done with them.

    Raises TooManyOrders.
    """
    chosen = list(orders.order_by("pk").values_list("pk", flat=True)[: MOST_ORDERS + 1])
    if not 1 <= len(chosen) <= MOST_ORDERS:
        raise TooManyOrders(field="orders")
    job = BulkJob.objects.create(created_by=user)
    BulkItem.objects.bulk_create((BulkItem(job=job, order_id=pk) for pk in chosen), batch_size=500)
    return job


@transaction.atomic
def start_bulk(*, job: BulkJob, verb: str, data: Mapping[str, Any], user: User) -> BulkJob:
    """Say what is to be done, and have it done in the background.

    Raises UnknownVerb, WrongData, VerbRefused without the verb's permission, BulkOver for a job
    that was started before.
    """
    chosen = verb_called(verb)
    if not chosen.allowed(user.has_perm):
        raise VerbRefused()
    kept = chosen.clean(data)
    if not BulkJob.objects.filter(pk=job.pk, status=_Status.DRAFT).update(
        verb=verb,
        data=kept,
        status=_Status.QUEUED,
        created_by=user,
        updated_at=timezone.now(),
    ):
        raise BulkOver()
    job.refresh_from_db()
    audit.record("order.bulk", job, {"action": verb, "data": kept, "orders": job.items.count()})
    publish(BulkQueued(job_id=str(job.public_id)))
    return job


@transaction.atomic
def create_bulk(
    *, verb: str, numbers: Sequence[str], data: Mapping[str, Any], user: User
) -> BulkJob:
    """Choose orders by number and start. Raises what both do, and UnknownOrders."""
    wanted = set(numbers)
    orders = scoped(Order.objects.filter(number__in=wanted))
    if unknown := sorted(wanted - set(orders.values_list("number", flat=True)))[:20]:
        raise UnknownOrders(field="orders", extra={"unknown": unknown})
    return start_bulk(job=draft_bulk(orders=orders, user=user), verb=verb, data=data, user=user)


@transaction.atomic
def cancel_bulk(*, job: BulkJob) -> BulkJob:
    """Stop before the next order; what is done stays done. Raises BulkOver."""
    running = (_Status.DRAFT, _Status.QUEUED, _Status.RUNNING)
    if not BulkJob.objects.filter(pk=job.pk, status__in=running).update(
        status=_Status.CANCELLED, finished_at=timezone.now(), updated_at=timezone.now()
    ):
        raise BulkOver()
    job.refresh_from_db()
    audit.record("order.bulk_cancel", job, progress(job))
    return job


def progress(job: BulkJob) -> dict[str, int]:
    """How many orders a job has, how many are done and how many were refused. One query."""
    return job.items.aggregate(
        total=Count("pk"),
        done=Count("pk", filter=Q(status=_Item.DONE)),
        refused=Count("pk", filter=Q(status=_Item.REFUSED)),
    )


def run_bulk(*, max_seconds: float = 60.0) -> int:
    """Work on the oldest job that waits until it is done or the time is over; orders done.

    Safe to run several times at once: a job is claimed, its lease renewed with every batch.
    """
    job = _claim()
    if job is None:
        return 0
    try:
        verb = verb_called(job.verb)
    except UnknownVerb as error:
        _end(job, _Status.FAILED, str(error))
        return 0
    user = job.created_by
    # Who left, or lost the right, changes nothing any more.
    if user is None or not user.is_active or not verb.allowed(user.has_perm):
        _end(job, _Status.FAILED, str(VerbRefused.message))
        return 0
    started, done = time.monotonic(), 0
    with acting(Actor(label=user.email, user_id=user.pk)):
        while time.monotonic() - started < max_seconds:
            if not _renew(job):
                return done
            batch = job.items.filter(status=_Item.WAITING).select_related("order")
            # Who waits for others may wait long: the lease is for one of them.
            items = list(batch.order_by("order_id")[: BATCH if verb.is_atomic else 1])
            if not items:
                _finish(verb, job)
                return done
            for item in items:
                _do(verb, job, item)
            done += len(items)
    # The time is over: another turn goes on at once.
    with transaction.atomic():
        if _mine(job).update(lease_until=None, updated_at=timezone.now()):
            publish(BulkQueued(job_id=str(job.public_id)))
    return done


def _claim() -> BulkJob | None:
    now = timezone.now()
    waiting = BulkJob.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        status__in=(_Status.QUEUED, _Status.RUNNING),
    )
    for job in waiting.select_related("created_by").order_by("pk")[:5]:
        lease = now + LEASE
        if waiting.filter(pk=job.pk).update(status=_Status.RUNNING, lease_until=lease):
            job.status, job.lease_until = _Status.RUNNING, lease
            return job
    return None


def _mine(job: BulkJob) -> QuerySet[BulkJob]:
    return BulkJob.objects.filter(pk=job.pk, status=_Status.RUNNING, lease_until=job.lease_until)


def _renew(job: BulkJob) -> bool:
    """False when somebody cancelled the job, or took it over."""
    lease = timezone.now() + LEASE
    if not _mine(job).update(lease_until=lease):
        return False
    job.lease_until = lease
    return True


def _end(job: BulkJob, status: str, error: str = "") -> bool:
    """Whether it was still ours to end."""
    ended = _mine(job).update(
        status=status,
        error=error[:300],
        lease_until=None,
        finished_at=timezone.now(),
        updated_at=timezone.now(),
    )
    return bool(ended)


def _finish(verb: Verb, job: BulkJob) -> None:
    """The end, and what is done once for all orders: both or neither."""
    done = job.items.filter(status=_Item.DONE)
    try:
        with transaction.atomic():
            if _end(job, _Status.DONE) and verb.finish is not None and done.exists():
                orders = Order.objects.filter(pk__in=done.values("order_id")).order_by("pk")
                verb.finish(orders, job.data)
    except DomainError as refusal:
        _end(job, _Status.FAILED, str(refusal))
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("bulk change failed at its end", extra={"job": str(job.public_id)})
        _end(job, _Status.FAILED, str(_FAILED))


def _do(verb: Verb, job: BulkJob, item: BulkItem) -> None:
    """One order: done or refused, and written down. A cancelled job does nothing."""
    try:
        if not verb.is_atomic:
            if BulkJob.objects.filter(pk=job.pk, status=_Status.RUNNING).exists():
                verb.run(item.order, job.data)
                _write(item, _Item.DONE)
            return
        with transaction.atomic():
            # First of all: of two workers one waits here, and then finds it done.
            if _write(item, _Item.DONE, job.pk):
                verb.run(item.order, job.data)
                failpoint("bulk-item-done")
    except DomainError as refusal:
        _write(item, _Item.REFUSED, code=refusal.code, message=str(refusal)[:300])
    except (OperationalError, InterfaceError):
        # A lost database: the next turn goes on with this order.
        raise
    except Exception:
        # A mistake of the verb must not keep the others waiting for ever.
        logger.exception("bulk change failed", extra={"order": item.order.number})
        _write(item, _Item.REFUSED, code="error", message=str(_FAILED))


def _write(item: BulkItem, status: str, job_pk: int | None = None, **told: str) -> int:
    waiting = BulkItem.objects.filter(pk=item.pk, status=_Item.WAITING)
    if job_pk is not None:
        waiting = waiting.filter(job__in=BulkJob.objects.filter(pk=job_pk, status=_Status.RUNNING))
    return waiting.update(status=status, **told)


def prune_drafts(*, now: datetime | None = None) -> int:
    """Forget choices with which nothing was done for a day; their number."""
    old = (now or timezone.now()) - timedelta(days=1)
    drafts = BulkJob.objects.filter(status=_Status.DRAFT, created_at__lt=old)
    return len([job.delete() for job in drafts[:100]])
