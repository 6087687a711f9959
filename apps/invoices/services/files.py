"""The files of invoices: drawn when first asked for, then kept in the private storage for good."""

from __future__ import annotations

from datetime import datetime, timedelta
from io import BytesIO
from uuid import UUID

from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import transaction
from django.utils import translation
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.pdf import merge_pdfs
from apps.invoices.engines.paper import draw
from apps.invoices.events import BatchAsked
from apps.invoices.models import Invoice, InvoiceBatch
from apps.invoices.selectors import settings_of
from apps.notifications.services import notify
from apps.orders.services.mails import mail_context, money_text

# A file of more is no use to a printer, and a worker has other things to do.
MOST_IN_A_BATCH = 500
_STEP = 20
BATCH_LIFE = timedelta(days=7)


class BadBatch(Conflict):
    code = "bad_batch"
    message = _("Choose between one and %d papers.") % MOST_IN_A_BATCH


def pdf_of(*, invoice: Invoice) -> bytes:
    """The PDF of an invoice: as it was drawn the first time, byte for byte."""
    storage = storages["private"]
    if storage.exists(invoice.file_name):
        with storage.open(invoice.file_name) as file:
            return bytes(file.read())
    known = settings_of(invoice.store)
    logo = None
    if known and known.logo:
        with known.logo.open("rb") as file:
            logo = file.read()
    with translation.override(invoice.language):
        data = draw(invoice, logo=logo)
    kept = storage.save(invoice.file_name, ContentFile(data))
    if kept != invoice.file_name:
        # Somebody drew it in the same moment; theirs counts.
        storage.delete(kept)
        return pdf_of(invoice=invoice)
    return data


def mail_invoice(*, invoice_id: str) -> None:
    """Mail the customer where to find an issued paper, if the store wants that; once."""
    invoice = Invoice.objects.for_reading().get(public_id=UUID(invoice_id))
    known = settings_of(invoice.store)
    if known is None or not known.is_mailed:
        return
    notify(
        kind=f"invoices/{invoice.kind}",
        recipient=invoice.content["buyer"]["email"],
        language=invoice.language,
        context={
            **mail_context(invoice.order),
            "invoice_number": invoice.number,
            "amount": money_text(invoice.total, invoice.currency, invoice.language),
        },
        dedupe_key=f"invoice:{invoice_id}",
    )


@transaction.atomic
def ask_batch(*, invoices: list[int], user: User | None) -> InvoiceBatch:
    """Have many invoices (primary keys) made into one PDF, in their order. Raises BadBatch."""
    if not 0 < len(invoices) <= MOST_IN_A_BATCH:
        raise BadBatch()
    batch = InvoiceBatch.objects.create(invoices=invoices, created_by=user)
    publish(BatchAsked(batch_id=str(batch.public_id)))
    return batch


def forget_batches(*, now: datetime) -> int:
    """Delete batches, and their files, after a week; the number deleted. Their papers stay."""
    old = InvoiceBatch.objects.filter(created_at__lt=now - BATCH_LIFE)
    for batch in old:
        storages["private"].delete(batch.file_name)
        batch.delete()
    return len(old)


def make_batch(*, batch_id: str) -> InvoiceBatch:
    """Make the file of a batch, telling how far it is. Repeatable."""
    batch = InvoiceBatch.objects.get(public_id=UUID(batch_id))
    if batch.status == InvoiceBatch.Status.DONE:
        return batch
    mine = InvoiceBatch.objects.filter(pk=batch.pk)
    rows = Invoice.objects.for_reading().in_bulk(batch.invoices)
    parts = []
    for number, pk in enumerate(batch.invoices, 1):
        parts.append(pdf_of(invoice=rows[pk]))
        if number % _STEP == 0:
            mine.update(done=number)
    target = BytesIO()
    merge_pdfs(parts, target)
    storage = storages["private"]
    storage.delete(batch.file_name)
    storage.save(batch.file_name, ContentFile(target.getvalue()))
    mine.update(done=len(parts), status=InvoiceBatch.Status.DONE)
    batch.refresh_from_db()
    return batch
