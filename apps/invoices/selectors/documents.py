"""Invoices as the API shapes them."""

from __future__ import annotations

from typing import Any

from apps.core.money import money_json
from apps.invoices.models import Invoice


def invoice_json(invoice: Invoice, *, for_staff: bool = False) -> dict[str, Any]:
    """One row of a list; needs the rows of `for_reading()`. Staff also see whose it is."""
    currency = invoice.currency
    document = {
        "id": str(invoice.public_id),
        "kind": invoice.kind,
        "number": invoice.number,
        "issued_on": invoice.issued_on,
        "due_on": invoice.content["due_on"],
        "order": invoice.order.number,
        "corrects": invoice.corrects.number if invoice.corrects else None,
        "reason": invoice.reason,
        "net": money_json(invoice.net, currency),
        "tax": money_json(invoice.tax, currency),
        "total": money_json(invoice.total, currency),
        "taxes": [
            {
                "name": row["name"],
                "percent": row["percent"],
                "base": money_json(row["net"], currency),
                "amount": money_json(row["tax"], currency),
            }
            for row in invoice.content["taxes"]
        ],
        "tax_note": invoice.content["tax_note"],
    }
    if for_staff:
        document |= {"store": invoice.store.code, "buyer": invoice.buyer}
    return document
