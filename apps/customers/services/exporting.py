"""A copy of everything the shop knows of somebody: JSON, the same to read, and their files."""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZipFile

from django.conf import settings
from django.core import signing
from django.core.files import File
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models, transaction
from django.db.models import F, Q
from django.template.loader import render_to_string
from django.utils import timezone, translation
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, NotFound
from apps.core.events import publish
from apps.core.personal import Person, Personal, personal
from apps.core.ratelimit import Limit
from apps.core.secrets import Sealed
from apps.customers.events import PersonalExportAsked
from apps.customers.models import Customer, PersonalExport
from apps.customers.services.people import person_at, person_of
from apps.notifications.services import notify
from apps.stores.selectors import default_store

logger = logging.getLogger(__name__)

# How long a file can be fetched.
KEPT = timedelta(days=7)
PER_PERSON = Limit("personal-export", by="customer or e-mail address", most=3, seconds=24 * 3600)
# Far longer than a copy takes.
LEASE = timedelta(minutes=10)
MAX_ATTEMPTS = 3
_SALT = "customers.export"
_Status = PersonalExport.Status


class NoAddress(Conflict):
    code = "no_address"
    message = _("There is no address to send the link to.")


def request_export(*, customer: Customer) -> PersonalExport:
    """Have a copy made, and its link mailed to the customer. Raises NoAddress and RateLimited."""
    email = customer.user.email if customer.user else customer.email
    if not email:
        raise NoAddress()
    return _queue(email, customer.language, customer)


def request_export_at(*, email: str, language: str = "") -> PersonalExport:
    """The same for whoever reads a mailbox and has no account. Raises RateLimited."""
    return _queue(email, language, None)


def run_exports(*, now: datetime | None = None) -> int:
    """Write the copies that wait; the number finished. Safe to run several times at once."""
    now = now or timezone.now()
    free = Q(lease_until__isnull=True) | Q(lease_until__lt=now)
    waiting = PersonalExport.objects.filter(free, status__in=(_Status.QUEUED, _Status.RUNNING))
    done = 0
    for run in list(waiting.order_by("pk")[:20]):
        if run.attempts >= MAX_ATTEMPTS:
            waiting.filter(pk=run.pk).update(status=_Status.FAILED, lease_until=None)
            logger.warning("personal export failed", extra={"export": str(run.public_id)})
        elif waiting.filter(pk=run.pk, attempts=run.attempts).update(
            status=_Status.RUNNING, lease_until=now + LEASE, attempts=F("attempts") + 1
        ):
            run.refresh_from_db()
            done += _work(run)
    return done


def prune_exports(*, now: datetime | None = None) -> int:
    """Delete copies that have had their time; the number."""
    old = PersonalExport.objects.filter(expires_at__lt=now or timezone.now())
    gone = list(old.order_by("pk")[:500])
    for run in gone:
        run.file.storage.delete(run.file.name)
        run.delete()
    return len(gone)


def write_export(stream: IO[bytes], person: Person) -> None:
    """Write the zip file of `person`: data.json, index.html, and their files under files/."""
    with ZipFile(stream, "w", ZIP_DEFLATED) as archive:
        parts: dict[str, list[dict[str, Any]]] = {}
        shown = []
        # From the person down to the details.
        for entry in reversed(personal()):
            rows = list(entry.rows(person).order_by("pk"))
            if not rows:
                continue
            parts[entry.label] = [_values(entry, row) for row in rows]
            shown.append((capfirst(entry.model._meta.verbose_name_plural), parts[entry.label]))
            _add_files(archive, entry, rows)
        said = {"exported_at": timezone.now(), "data": parts}
        document = json.dumps(said, cls=DjangoJSONEncoder, ensure_ascii=False, indent=1)
        archive.writestr("data.json", document)
        page = render_to_string("privacy/export.html", {"parts": shown, "at": timezone.now()})
        archive.writestr("index.html", page)


def export_url(run: PersonalExport) -> str:
    """Where the link of the mail leads."""
    token = signing.Signer(salt=_SALT).sign(str(run.public_id))
    return f"{settings.SITE_URL}/privacy/copy/{token}/"


def export_by(token: str) -> PersonalExport:
    """The copy behind a mailed link. Raises NotFound when its time is over."""
    try:
        public_id = signing.Signer(salt=_SALT).unsign(token)
    except signing.BadSignature as error:
        raise NotFound() from error
    run = PersonalExport.objects.filter(
        public_id=public_id, status=_Status.DONE, expires_at__gt=timezone.now()
    ).first()
    if run is None:
        raise NotFound()
    return run


def _queue(email: str, language: str, customer: Customer | None) -> PersonalExport:
    who = str(customer.public_id) if customer else email
    PER_PERSON.hit(who)
    with transaction.atomic():
        run = PersonalExport.objects.create(customer=customer, email=email, language=language)
        audit.record("customer.export", customer or run)
        publish(PersonalExportAsked(export_id=str(run.public_id)))
    return run


def _work(run: PersonalExport) -> bool:
    mine = PersonalExport.objects.filter(pk=run.pk, status=_Status.RUNNING, attempts=run.attempts)
    person = person_of(run.customer) if run.customer else person_at(run.email)
    with tempfile.TemporaryFile("w+b") as scratch:
        with translation.override(run.language or settings.LANGUAGE_CODE):
            write_export(scratch, person)
        scratch.seek(0)
        # The attempt's own name: one that lost its lease overwrites nobody's file.
        run.file.save(f"{run.public_id}-{run.attempts}.zip", File(scratch), save=False)
    with transaction.atomic():
        finished = mine.update(
            status=_Status.DONE,
            file=run.file.name,
            lease_until=None,
            expires_at=timezone.now() + KEPT,
        )
        if finished:
            _tell(run)
    if not finished:
        run.file.storage.delete(run.file.name)
    return bool(finished)


def _tell(run: PersonalExport) -> None:
    store = default_store()
    notify(
        kind="customers/export",
        recipient=run.email,
        language=run.language or settings.LANGUAGE_CODE,
        context={
            "store_name": store.name,
            "store_email": store.email,
            "link": export_url(run),
            "days": KEPT.days,
        },
        dedupe_key=f"personal-export:{run.public_id}",
        # Whoever has the link has the file.
        is_confidential=True,
    )


def _values(entry: Personal, row: models.Model) -> Mapping[str, Any]:
    """A row but for its keys and secrets; what is a file lies beside."""
    return {
        field.name: field.value_from_object(row)
        for field in row._meta.concrete_fields
        if not field.is_relation
        and not field.primary_key
        and field.name not in entry.hidden
        and not isinstance(field, (models.FileField, models.BinaryField))
        and not isinstance(field.value_from_object(row), Sealed)
    }


def _add_files(archive: ZipFile, entry: Personal, rows: list[models.Model]) -> None:
    for row in rows:
        for storage, name in entry.files(row) if entry.files else ():
            if storage.exists(name):
                with storage.open(name) as file:
                    archive.writestr(f"files/{entry.label}/{name.rpartition('/')[2]}", file.read())
