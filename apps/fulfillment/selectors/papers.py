"""Packing slips and customs papers, drawn as PDF."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING

from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from apps.core.addresses import address_lines
from apps.core.money import decimal_string, exponent, to_decimal
from apps.core.pdf import FONT, draw_code128, new_pdf
from apps.fulfillment.models import Fulfillment
from apps.fulfillment.selectors.requests import (
    crosses_customs,
    customs_items,
    duties_paid,
    order_numbers,
    origin_of,
    shipment_duties,
)
from apps.shipping.carriers.base import Address, CustomsItem

if TYPE_CHECKING:
    from fpdf import FPDF

_LEFT, _RIGHT, _WIDTH = 15, 110, 180
# CN 22 is for what is worth at most 300 special drawing rights and weighs two kilograms at most,
# CN 23 for the rest (Universal Postal Union). 300 of a currency's main units are fewer than that,
# or 120 of a dinar's; who fills in the longer form where the short one would do is right, too.
CN22_VALUE, CN22_DINARS, CN22_GRAMS = 300, 120, 2000


def slips_pdf(shipments: list[Fulfillment], *, made_at: datetime) -> bytes:
    """A packing slip for each of the shipments (of `shipments_for_papers()`, none that another
    carries), and the customs papers of those that cross customs; each slip in the language of its
    order, with the pieces of every order in its parcels."""
    pdf = new_pdf(title="Packing slips", made_at=made_at)
    for shipment in shipments:
        with override(shipment.order.language):
            _slip(pdf, shipment)
            if crosses_customs(shipment):
                _customs(pdf, shipment, made_at)
    return bytes(pdf.output())


def _slip(pdf: FPDF, shipment: Fulfillment) -> None:
    order = shipment.order
    pdf.add_page()
    _heading(pdf, _("Packing slip"), order.store.name)
    if order.number.isascii():
        draw_code128(pdf, order.number, x=_RIGHT, y=15, width=85, height=14)
    together = shipment.together
    pdf.set_xy(_RIGHT, 30)
    pdf.multi_cell(85, 5, "\n".join(_ordered(each) for each in together), align="R")
    bottom = pdf.get_y()
    pdf.set_xy(_LEFT, 45)
    pdf.multi_cell(90, 5, "\n".join(address_lines(order.shipping_address)))
    pdf.set_y(max(pdf.get_y(), bottom, 75) + 5)
    for each in together:
        _contents(pdf, each, is_named=len(together) > 1)
    boxes = len(shipment.parcels.all())
    pdf.ln(5)
    parts = [f"{_('Parcels')}: {boxes}", shipment.location.name if shipment.location else ""]
    if shipment.tracking_number:
        parts.append(f"{shipment.carrier} {shipment.tracking_number}".strip())
    pdf.multi_cell(_WIDTH, 5, " · ".join(part for part in parts if part))


def _ordered(shipment: Fulfillment) -> str:
    order = shipment.order
    return f"{_('Order')} {order.number}\n{date_format(order.created_at, 'SHORT_DATE_FORMAT')}"


def _contents(pdf: FPDF, shipment: Fulfillment, *, is_named: bool) -> None:
    if is_named:
        pdf.ln(2)
        pdf.set_font(FONT, style="B", size=12)
        pdf.cell(_WIDTH, 7, f"{_('Order')} {shipment.order.number}")
        pdf.set_xy(_LEFT, pdf.get_y() + 8)
    _row(pdf, (_("Pieces"), _("SKU"), _("Article")), (20, 45, 115), bold=True)
    for line in shipment.lines.all():
        piece = line.order_line
        options = " / ".join(str(value) for value in piece.options.values())
        name = f"{piece.name} {options}".strip()
        _row(pdf, (str(line.quantity), piece.sku, name), (20, 45, 115))


def _customs(pdf: FPDF, shipment: Fulfillment, made_at: datetime) -> None:
    """CN 22 or CN 23, and the commercial invoice; in English, as customs everywhere read them."""
    items = customs_items(shipment)
    origin, number = origin_of(shipment), order_numbers(shipment)
    to = address_lines(shipment.order.shipping_address)
    with override("en"):
        form = customs_form(items)
        _paper(pdf, f"CUSTOMS DECLARATION {form}", number, origin, to, items)
        pdf.multi_cell(
            _WIDTH,
            5,
            "Category of item: sale of goods\nI, the undersigned, certify that the particulars"
            " given in this declaration are correct and that this item does not contain any"
            " dangerous article or articles prohibited by legislation or by postal or customs"
            f" regulations.\n\nDate and sender's signature: {made_at:%Y-%m-%d} ______________",
        )
        _paper(pdf, "COMMERCIAL INVOICE", number, origin, to, items)
        paid = duties_paid(shipment)
        terms = "DDP (delivered duty paid)" if paid else "DAP (delivered at place)"
        lines = [f"Incoterms 2020: {terms}", "Reason for export: sale"]
        if paid and (said := _estimate(shipment, made_at.date())):
            lines.append(said)
        pdf.multi_cell(_WIDTH, 5, "\n".join(lines))


def _estimate(shipment: Fulfillment, on: date) -> str:
    """What the sender will probably pay; "" where nothing of it is known."""
    duties = shipment_duties(shipment, on)
    if duties is None or not (duties.is_free or duties.amount or not duties.unknown):
        return ""
    amount = f"{decimal_string(duties.amount, duties.currency)} {duties.currency}"
    without = f", without {', '.join(duties.unknown)}" if duties.unknown else ""
    return f"Estimated duties, paid by the sender: {amount}{without} (not binding)"


def customs_form(items: tuple[CustomsItem, ...]) -> str:
    """ "CN 22", or "CN 23" beyond its limits."""
    if not items:
        return "CN 22"
    currency = items[0].currency
    limit = CN22_DINARS if exponent(currency) == 3 else CN22_VALUE
    value = to_decimal(sum(item.value for item in items), currency)
    small = value <= limit and sum(item.weight for item in items) <= CN22_GRAMS
    return "CN 22" if small else "CN 23"


def _paper(
    pdf: FPDF,
    title: str,
    number: str,
    origin: Address,
    to: list[str],
    items: tuple[CustomsItem, ...],
) -> None:
    pdf.add_page()
    _heading(pdf, title, number)
    sender = [origin.name, origin.company, origin.line1, origin.line2]
    sender += [f"{origin.postal_code} {origin.city} {origin.region}".strip(), origin.country]
    pdf.set_xy(_LEFT, 40)
    pdf.multi_cell(90, 5, "From:\n" + "\n".join(part for part in sender if part))
    bottom = pdf.get_y()
    pdf.set_xy(_RIGHT, 40)
    pdf.multi_cell(85, 5, "To:\n" + "\n".join(to))
    pdf.set_y(max(bottom, pdf.get_y()) + 5)
    widths = (15, 70, 25, 20, 20, 30)
    _row(pdf, ("Qty", "Description", "HS code", "Origin", "kg", "Value"), widths, bold=True)
    for item in items:
        value = f"{decimal_string(item.value, item.currency)} {item.currency}"
        kilograms = f"{item.weight / 1000:.3f}"
        cells = (str(item.quantity), item.description, item.hs_code, item.origin, kilograms, value)
        _row(pdf, cells, widths)
    if items:
        total = decimal_string(sum(item.value for item in items), items[0].currency)
        weight = f"{sum(item.weight for item in items) / 1000:.3f}"
        cells = ("", "Total", "", "", weight, f"{total} {items[0].currency}")
        _row(pdf, cells, widths, bold=True)
    pdf.ln(5)


def _heading(pdf: FPDF, text: str, below: str) -> None:
    pdf.set_xy(_LEFT, 15)
    pdf.set_font(FONT, style="B", size=16)
    pdf.cell(90, 8, text)
    pdf.set_font(FONT, size=10)
    pdf.set_xy(_LEFT, 24)
    pdf.cell(90, 5, below)


def _row(pdf: FPDF, cells: tuple[str, ...], widths: tuple[int, ...], *, bold: bool = False) -> None:
    """A row of a table, as high as its longest cell; on the next page if it doesn't fit."""
    pdf.set_font(FONT, style="B" if bold else "", size=10)
    heights = [
        len(pdf.multi_cell(width, 5, cell, dry_run=True, output="LINES")) or 1
        for cell, width in zip(cells, widths, strict=True)
    ]
    high = 5 * max(heights)
    if pdf.will_page_break(high):
        pdf.add_page()
    x, y = _LEFT, pdf.get_y()
    for cell, width in zip(cells, widths, strict=True):
        pdf.set_xy(x, y)
        pdf.multi_cell(width, 5, cell)
        x += width
    pdf.set_xy(_LEFT, y + high + 1)
    pdf.set_font(FONT, size=10)
