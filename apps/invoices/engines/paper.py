"""An invoice or a credit note as a PDF, in the language that is active. Pure.

The same invoice gives the same bytes: nothing is read but its own row.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time
from typing import TYPE_CHECKING, Any

from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.core.addresses import address_lines
from apps.core.pdf import FONT, new_pdf
from apps.invoices.models import Invoice
from apps.orders.services.mails import money_text

if TYPE_CHECKING:
    from fpdf import FPDF

_GREY, _BLACK = 110, 0
# Millimetres of the columns of lines: item, pieces, price, tax, without tax, total.
_COLUMNS = (63, 18, 24, 19, 28, 28)
_LOGO_HEIGHT = 16


def draw(invoice: Invoice, *, logo: bytes | None = None) -> bytes:
    """The PDF's bytes."""
    midnight = datetime.combine(invoice.issued_on, time(), tzinfo=UTC)
    pdf = new_pdf(title=invoice.number, made_at=midnight, language=invoice.language, margin=15)
    pdf.alias_nb_pages()
    pdf.set_auto_page_break(True, 26)
    pdf.footer = lambda: _foot(pdf, invoice)  # type: ignore[method-assign]
    pdf.add_page()
    _head(pdf, invoice, logo)
    _lines(pdf, invoice)
    _taxes(pdf, invoice)
    _totals(pdf, invoice)
    _notes(pdf, invoice)
    return bytes(pdf.output())


def _day(text: str) -> str:
    return date_format(date.fromisoformat(text), "DATE_FORMAT")


def _money(invoice: Invoice, amount: int) -> str:
    return money_text(amount, invoice.currency, invoice.language)


def _title(invoice: Invoice) -> str:
    is_note = invoice.kind == Invoice.Kind.CREDIT_NOTE
    return _("Credit note") if is_note else _("Invoice")


def _head(pdf: FPDF, invoice: Invoice, logo: bytes | None) -> None:
    """The seller on the right, the buyer on the left, what and when below."""
    content, seller = invoice.content, invoice.content["seller"]
    top = pdf.get_y()
    if logo:
        pdf.image(logo, x=pdf.l_margin, y=top, h=_LOGO_HEIGHT, w=70, keep_aspect_ratio=True)
    # `address_lines` puts the name above; the seller is a company.
    from_lines = address_lines({**seller, "company": seller["name"]})
    _block(pdf, [*from_lines, seller["email"]], x=120, y=top)
    _block(pdf, address_lines(content["buyer"]), x=pdf.l_margin, y=top + 34)
    facts = [
        (_("Number"), invoice.number),
        (_("Date"), _day(invoice.issued_on.isoformat())),
        (_("Order"), content["order"]["number"]),
        (_("Date of supply"), _day(content["order"]["supplied_on"])),
    ]
    if first := content.get("corrects"):
        facts.append((_("Corrects"), f"{first['number']}, {_day(first['issued_on'])}"))
    elif content["paid"] < invoice.total:
        facts.append((_("Payable until"), _day(content["due_on"])))
    pdf.set_xy(120, top + 34)
    for label, text in facts:
        pdf.set_x(120)
        pdf.set_text_color(_GREY)
        pdf.cell(28, 5, label)
        pdf.set_text_color(_BLACK)
        pdf.multi_cell(0, 5, text, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.set_y(max(pdf.get_y(), top + 68) + 4)
    pdf.set_font(FONT, "B", 16)
    pdf.cell(0, 8, f"{_title(invoice)} {invoice.number}", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, size=9)
    pdf.ln(3)


def _block(pdf: FPDF, lines: Iterable[str], *, x: float, y: float) -> None:
    pdf.set_y(y)
    for number, line in enumerate(line for line in lines if line):
        pdf.set_font(FONT, "" if number else "B", 10)
        pdf.set_x(x)
        pdf.multi_cell(75, 5, line, align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, size=9)


def _table(
    pdf: FPDF, heads: Iterable[str], rows: Iterable[Iterable[str]], widths: tuple[int, ...]
) -> None:
    """The first column to the left, amounts to the right; the heads again on every page."""
    with pdf.table(
        [list(heads), *(list(row) for row in rows)],
        col_widths=widths,
        width=sum(widths),
        align="RIGHT",
        text_align=("LEFT", *("RIGHT",) * (len(widths) - 1)),
        borders_layout="HORIZONTAL_LINES",
        line_height=4.6,
        padding=(1, 1),
    ):
        pass


def _lines(pdf: FPDF, invoice: Invoice) -> None:
    heads = (_("Item"), _("Pieces"), _("Price"), _("Tax"), _("Without tax"), _("Total"))
    rows = [_row(invoice, line) for line in invoice.content["lines"]]
    _table(pdf, heads, rows, _COLUMNS)


def _row(invoice: Invoice, line: dict[str, Any]) -> tuple[str, ...]:
    name = line["name"]
    if line["options"]:
        name += f" ({', '.join(str(value) for value in line['options'].values())})"
    if line["sku"]:
        name += f"\n{line['sku']}"
    if line.get("is_part"):
        name += "\n" + _("Given back in part")
    if line["discount"]:
        name += "\n" + _("Discount") + f" {_money(invoice, -line['discount'])}"
    tax = sum(each["amount"] for each in line["taxes"])
    return (
        name,
        str(line["quantity"]),
        "" if line["unit_price"] is None else _money(invoice, line["unit_price"]),
        " + ".join(_percent(invoice, each["percent"]) for each in line["taxes"]) or "–",
        _money(invoice, line["net"]),
        _money(invoice, line["net"] + tax),
    )


def _percent(invoice: Invoice, percent: str) -> str:
    mark = "," if invoice.language.startswith("es") else "."
    return f"{percent.replace('.', mark)} %"


def _taxes(pdf: FPDF, invoice: Invoice) -> None:
    """What is on which rate."""
    pdf.ln(5)
    rows = [
        (
            row["name"] or (_percent(invoice, row["percent"]) if row["tax"] else _("Without tax")),
            _money(invoice, row["net"]),
            _money(invoice, row["tax"]),
        )
        for row in invoice.content["taxes"]
    ]
    _table(pdf, (_("Tax"), _("Taxable amount"), _("Tax")), rows, (52, 30, 28))


def _totals(pdf: FPDF, invoice: Invoice) -> None:
    pdf.ln(4)
    paid = invoice.content["paid"]
    rows = [
        (_("Total without tax"), invoice.net, ""),
        (_("Tax"), invoice.tax, ""),
        (_("Total"), invoice.total, "B"),
    ]
    if paid and invoice.kind == Invoice.Kind.INVOICE:
        rows += [(_("Paid"), -paid, ""), (_("Outstanding"), max(0, invoice.total - paid), "B")]
    # One sum isn't torn apart.
    if pdf.will_page_break(6 * len(rows)):
        pdf.add_page()
    for label, amount, style in rows:
        pdf.set_font(FONT, style, 10)
        pdf.set_x(pdf.w - pdf.r_margin - 80)
        pdf.cell(48, 6, label)
        pdf.cell(32, 6, _money(invoice, amount), align="R", new_x="LMARGIN", new_y="NEXT")
    pdf.set_font(FONT, size=9)


def _notes(pdf: FPDF, invoice: Invoice) -> None:
    reason = f"{capfirst(_('reason'))}: {invoice.reason}" if invoice.reason else ""
    for text in (invoice.content["tax_note"], reason):
        if text:
            pdf.ln(4)
            pdf.multi_cell(0, 5, text, align="L", new_x="LMARGIN", new_y="NEXT")


def _foot(pdf: FPDF, invoice: Invoice) -> None:
    pdf.set_y(-22)
    pdf.set_font(FONT, size=8)
    pdf.set_text_color(_GREY)
    footer = invoice.content["seller"]["footer"]
    pdf.multi_cell(150, 4, footer, align="L", new_x="LMARGIN", new_y="TOP", max_line_height=4)
    pdf.set_y(-14)
    pdf.cell(0, 4, f"{invoice.number} · {pdf.page_no()}/{{nb}}", align="R")
    pdf.set_text_color(_BLACK)
    pdf.set_font(FONT, size=9)
