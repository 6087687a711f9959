"""What is personal of invoices: the buyer, as tax law wants it."""

from collections.abc import Iterator

from django.core.files.storage import Storage, storages

from apps.core.personal import Reason, Where, emptied, impersonal, impersonal_texts
from apps.invoices.models import Invoice, InvoiceBatch, InvoiceSettings


def _file(row: Invoice) -> Iterator[tuple[Storage, str]]:
    yield storages["private"], row.file_name


impersonal(InvoiceSettings)
impersonal_texts(InvoiceBatch, "invoices")
emptied(
    Invoice,
    Where(customer="order__customer", email="order__email"),
    forgets={},
    keeps={"buyer": "", "reason": "", "content": {}},
    reason=Reason.TAX,
    since="issued_on",
    country="store__country",
    plain="number currency language",
    waits=True,
    files=_file,
)
