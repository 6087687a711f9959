"""Forgetting people: at once out of reach, within a day out of the tables (docs/privacy.md)."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from datetime import date
from typing import Any

from django.db import models, transaction
from django.db.models import F
from django.utils import timezone

from apps.accounts.models import User, normalize_email
from apps.accounts.services.tokens import close_sessions
from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import NotFound
from apps.core.events import publish
from apps.core.locks import locked
from apps.core.outdated import outdate
from apps.core.personal import Person, Personal, kept_until, personal
from apps.customers.events import ErasureAsked
from apps.customers.models import Customer, ErasureRequest, KeptRecord
from apps.customers.services.consents import set_marketing
from apps.customers.services.people import (
    StaffAccount,
    everybody_at,
    person_of,
    prove,
    subject_of,
)

logger = logging.getLogger(__name__)

BATCH = 200
_Status = ErasureRequest.Status


def erase_me(*, customer: Customer, password: str = "", code: str = "") -> ErasureRequest:
    """The own wish of a customer with an account; raises what `prove` and `request_erasure` do."""
    if customer.user is None:
        raise NotFound()
    prove(user=customer.user, password=password, code=code)
    return request_erasure(customer=customer)


@transaction.atomic
def request_erasure(*, customer: Customer) -> ErasureRequest:
    """Sign a customer out for good, and have their data erased. Repeatable; raises StaffAccount."""
    customer = locked(Customer.objects.filter(pk=customer.pk)).get()
    user = customer.user
    if user is not None and user.is_staff:
        raise StaffAccount()
    request = _request(subject_of(str(customer.public_id)), person_of(customer), customer)
    set_marketing(customer=customer, given=False, page="erasure")
    Customer.objects.filter(pk=customer.pk, erased_at=None).update(erased_at=timezone.now())
    if user is not None:
        User.objects.filter(pk=user.pk).update(
            is_active=False, security_stamp=F("security_stamp") + 1
        )
        close_sessions(user=user)
    audit.record("customer.erase", customer)
    publish(ErasureAsked(customer_id=str(customer.public_id)))
    return request


@transaction.atomic
def request_erasure_at(*, email: str) -> list[ErasureRequest]:
    """The same of whoever reads a mailbox and has no account. Repeatable."""
    guests = Customer.objects.filter(user=None, email__iexact=email).order_by("pk")
    requests = [request_erasure(customer=guest) for guest in guests]
    person = Person(emails=(normalize_email(email),))
    request = _request(subject_of(person.emails[0]), person, None)
    audit.record("customer.erase", request)
    return [*requests, request]


@transaction.atomic
def request_erasures_of(*, email: str) -> list[ErasureRequest]:
    """Of everybody at an address, accounts too: for who runs the shop. Raises StaffAccount."""
    person = everybody_at(email)
    accounts = Customer.objects.filter(pk__in=person.customers, user__isnull=False)
    return [
        *(request_erasure(customer=customer) for customer in accounts.order_by("pk")),
        *request_erasure_at(email=email),
    ]


def run_erasures(*, limit: int = 100) -> int:
    """Go on with what is asked for, the oldest first; the number finished."""
    pending = ErasureRequest.objects.filter(status=_Status.PENDING).order_by("updated_at", "pk")
    return sum(_tried(request) for request in pending[:limit])


def _tried(request: ErasureRequest) -> bool:
    """One that fails doesn't stop the others; its error could name the person."""
    try:
        return erase(request=request)
    except Exception as error:
        logger.error(
            "erasure failed",
            extra={"erasure": str(request.public_id), "error": type(error).__name__},
        )
        ErasureRequest.objects.filter(pk=request.pk).update(updated_at=timezone.now())
        return False


def erase(*, request: ErasureRequest) -> bool:
    """Erase what can be, in short transactions; whether that was all.

    Orders that aren't delivered and returns that aren't settled keep what they need until they
    are. Safe to be interrupted and to run twice: it begins anew, and finds less.
    """
    person = _person(request)
    entries = personal()
    waits_for = [entry.label for entry in entries if _open(entry, person)]
    for entry in entries:
        if not (waits_for and entry.waits):
            _erase_rows(entry, person, request)
    if waits_for:
        ErasureRequest.objects.filter(pk=request.pk).update(
            waits_for=waits_for, updated_at=timezone.now()
        )
        return False
    ErasureRequest.objects.filter(pk=request.pk, status=_Status.PENDING).update(
        status=_Status.DONE, emails=[], user_pk=None, waits_for=[], finished_at=timezone.now()
    )
    return True


def empty_expired(*, today: date | None = None, limit: int = 1000) -> int:
    """Empty what was kept for a term that is over; the number of rows."""
    today = today or timezone.localdate()
    over = KeptRecord.objects.filter(emptied_at=None, until__lt=today).order_by("pk")
    entries = {entry.label: entry for entry in personal()}
    kept = list(over[:limit])
    for record in kept:
        entry = entries[record.model]
        with transaction.atomic():
            for row in entry.model._base_manager.filter(pk=record.row):
                _delete_files(entry, [row])
            _empty(entry, [record.row], entry.keeps)
            KeptRecord.objects.filter(pk=record.pk).update(emptied_at=timezone.now())
    return len(kept)


def subjects() -> Iterator[str]:
    """The keyed hashes of everybody who was erased: what to do again after a restore."""
    yield from ErasureRequest.objects.order_by("pk").values_list("subject", flat=True).iterator()


def reerase(*, wanted: Iterable[str]) -> int:
    """Ask anew for the erasure of those who came back with a backup; how many these are."""
    hashes = set(wanted)
    found = 0
    for customer in Customer.objects.select_related("user").order_by("pk").iterator():
        if subject_of(str(customer.public_id)) in hashes and customer.email:
            request_erasure(customer=customer)
            found += 1
    for email in _addresses():
        if subject_of(email) in hashes:
            request_erasure_at(email=email)
            found += 1
    return found


def _request(subject: str, person: Person, customer: Customer | None) -> ErasureRequest:
    request, _created = ErasureRequest.objects.get_or_create(
        subject=subject, defaults={"asked_by": current_actor().label[:254], "customer": customer}
    )
    request.status = _Status.PENDING
    # Asked again, it may know less by now than it did at first.
    request.emails = sorted({*request.emails, *person.emails})
    request.user_pk = person.users[0] if person.users else request.user_pk
    request.save()
    return request


def _person(request: ErasureRequest) -> Person:
    return Person(
        customers=(request.customer_id,) if request.customer_id else (),
        users=(request.user_pk,) if request.user_pk else (),
        emails=tuple(request.emails),
    )


def _open(entry: Personal, person: Person) -> bool:
    return entry.open is not None and entry.rows(person).filter(entry.open).exists()


def _erase_rows(entry: Personal, person: Person, request: ErasureRequest) -> None:
    rows = entry.rows(person)
    if entry.open is not None:
        rows = rows.exclude(entry.open)
    last = 0
    while True:
        with transaction.atomic():
            batch = list(rows.filter(pk__gt=last).order_by("pk")[:BATCH])
            if not batch:
                return
            last = batch[-1].pk
            if entry.outdates is not None:
                outdate(*(key for row in batch for key in entry.outdates(row)))
            if entry.forgets is None:
                entry.model._base_manager.filter(pk__in=[row.pk for row in batch]).delete()
            else:
                _keep(entry, batch, request)
                _empty(entry, [row.pk for row in batch], entry.forgets)


def _keep(entry: Personal, rows: Iterable[Any], request: ErasureRequest) -> None:
    KeptRecord.objects.bulk_create(
        [
            KeptRecord(
                request=request,
                model=entry.label,
                row=row.pk,
                reason=entry.reason,
                until=kept_until(entry, row),
            )
            for row in rows
            if any(getattr(row, name) for name in entry.keeps)
        ],
        ignore_conflicts=True,
    )


def _empty(entry: Personal, pks: list[int], values: Any) -> None:
    if values:
        # Ledgers refuse a save; to forget is no new entry.
        entry.model._base_manager.filter(pk__in=pks).update(**values)


def _delete_files(entry: Personal, rows: Iterable[models.Model]) -> None:
    for row in rows:
        for storage, name in entry.files(row) if entry.files else ():
            transaction.on_commit(lambda s=storage, n=name: s.delete(n), robust=True)


def _addresses() -> Iterator[str]:
    """Every address that somebody without an account is found by, each once, in lower case."""
    # Those behind a relation are the related row's own.
    named = {e.model: e.where.email for e in personal() if "__" not in e.where.email}
    seen = {""}
    for model, name in ((Customer, "email"), *named.items()):
        if name:
            rows = model._base_manager.order_by().values_list(name, flat=True)
            for value in rows.distinct().iterator():
                if (address := value.lower()) not in seen:
                    seen.add(address)
                    yield address
