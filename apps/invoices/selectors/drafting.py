"""What an invoice for an order would say now: `content`, as plain data.

`seller`, `buyer`, `ship_to`, `order` (number, days), `scheme`, `tax_note`, `tax_included`,
`lines` (`apps.invoices.engines.lines`), `payments` and what was `paid` at issue, `due_on`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.core.exceptions import ObjectDoesNotExist

from apps.core.addresses import FIELDS
from apps.invoices.engines.lines import Line
from apps.invoices.models import InvoiceSettings
from apps.orders.models import Order, OrderLine
from apps.payments.selectors import payments_of
from apps.stores.models import Store


def settings_of(store: Store) -> InvoiceSettings | None:
    """How a store invoices, or None."""
    return InvoiceSettings.objects.filter(store=store).first()


def seller_is_complete(store: Store) -> bool:
    """Whether the store says who sells, and where."""
    return all((store.legal_name, store.street, store.city))


def content_of(order: Order, on: date) -> dict[str, Any]:
    """Everything an invoice for `order` would say that is issued `on`."""
    known = settings_of(order.store)
    zone = order.store.zone
    paid = [payment for payment in payments_of(order) if payment.captured_amount]
    kept = order.captured_amount - order.refunded_amount
    days = known.due_days if known and kept < order.total else 0
    placed = order.confirmed_at or order.created_at
    return {
        "seller": _seller(order.store, known),
        "buyer": {**_address(order.billing_address or order.shipping_address), **_mail(order)},
        "ship_to": _address(order.shipping_address),
        "order": {
            "number": order.number,
            "placed_on": placed.astimezone(zone).date().isoformat(),
            "supplied_on": _supplied_on(order, on).isoformat(),
        },
        "scheme": order.tax_scheme,
        "tax_note": order.tax_note,
        "tax_included": order.tax_included,
        "lines": lines_of(order),
        "payments": [
            {
                "gateway": payment.gateway,
                "amount": payment.captured_amount - payment.refunded_amount,
                "on": payment.created_at.astimezone(zone).date().isoformat(),
            }
            for payment in paid
        ],
        "paid": kept,
        "due_on": (on + timedelta(days=days)).isoformat(),
    }


def lines_of(order: Order) -> list[Line]:
    """The order's lines and its shipping, with the taxes that were quoted for each."""
    quoted = order.quote.get("lines", ())
    lines = list(order.lines.order_by("position", "pk"))
    tallies = len(quoted) == len(lines)
    found = [
        _line(order, line, quoted[number]["taxes"] if tallies else None)
        for number, line in enumerate(lines)
    ]
    if order.shipping:
        found += _shipping(order, sum(line.tax for line in lines))
    return [{"n": number, **line} for number, line in enumerate(found, 1)]


def _line(order: Order, line: OrderLine, quoted: list[dict[str, Any]] | None) -> Line:
    value = line.subtotal - line.discount
    net = value - line.tax if order.tax_included else value
    return {
        "sku": line.sku,
        "name": line.name,
        "options": line.options,
        "quantity": line.quantity,
        "unit_price": line.unit_price,
        "discount": line.discount,
        "net": net,
        "taxes": _taxes(quoted or [], net, line.tax),
    }


def _shipping(order: Order, tax_of_lines: int) -> list[Line]:
    """Shipping: one line, or one for each rate where it is taxed as the goods are."""
    tax = order.tax - tax_of_lines
    net = order.shipping - tax if order.tax_included else order.shipping
    rows = (order.quote.get("shipping_choice") or {}).get("taxes", ())
    bases = sum(row["base"] for row in rows)
    named = {
        "sku": "",
        "name": order.shipping_method_name or "Shipping",
        "options": {},
        "quantity": 1,
        "discount": 0,
    }
    if len(rows) < 2 or bases > net or sum(row["amount"] for row in rows) != tax:
        taxes = _taxes(list(rows), net, tax)
        return [{**named, "unit_price": order.shipping, "net": net, "taxes": taxes}]
    parts = [(row["base"], [_tax(row)]) for row in rows]
    if bases < net:
        parts.append((net - bases, []))
    return [
        {
            **named,
            "unit_price": part + sum(t["amount"] for t in taxes) * order.tax_included,
            "net": part,
            "taxes": taxes,
        }
        for part, taxes in parts
    ]


def _taxes(quoted: list[dict[str, Any]], net: int, tax: int) -> list[dict[str, Any]]:
    """The taxes as quoted; where they don't tell what is due, one at the rate that was paid."""
    if sum(row["amount"] for row in quoted) == tax:
        return [_tax(row) for row in quoted]
    percent = format((Decimal(tax * 100) / max(net, 1)).quantize(Decimal("0.01")).normalize(), "f")
    return [{"name": "", "percent": percent, "amount": tax}]


def _tax(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("name", "percent", "amount")}


def _seller(store: Store, known: InvoiceSettings | None) -> dict[str, str]:
    try:
        vat_number = store.tax_settings.vat_number
    except ObjectDoesNotExist:
        vat_number = ""
    return {
        "name": store.legal_name,
        "line1": store.street,
        "postal_code": store.postal_code,
        "city": store.city,
        "country": store.country,
        "vat_number": vat_number,
        "email": store.email,
        "footer": known.footer if known else "",
    }


def _address(address: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(address.get(name) or "") for name in FIELDS}


def _mail(order: Order) -> dict[str, str]:
    return {"email": order.email}


def _supplied_on(order: Order, on: date) -> date:
    """When the last parcel left; what hasn't left is supplied on the day of issue."""
    if order.fulfillment_status != Order.FulfillmentStatus.FULFILLED:
        return on
    shipped = max((each.shipped_at for each in order.fulfillments.all()), default=None)
    return shipped.astimezone(order.store.zone).date() if shipped else on
