"""What happens to invoices. The names are the public webhook names."""

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class InvoiceIssued(Event):
    """An invoice or a credit note (`kind`) has its number."""

    name: ClassVar[str] = "invoice.issued"
    invoice_id: str
    kind: str
    number: str
    order_number: str


@dataclass(frozen=True)
class BatchAsked(Event):
    """Somebody wants many invoices as one file."""

    name: ClassVar[str] = "invoice.batch_asked"
    batch_id: str
