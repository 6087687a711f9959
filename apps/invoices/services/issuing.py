"""Issuing invoices, and keeping an order's papers at what the order is worth.

An order has at most one invoice that isn't credited whole. Whatever happens to the order, the
papers are brought to where it is now (`bring_up_to_date`), so that events may come twice, late
and in any order.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.failpoints import failpoint
from apps.core.locks import locked
from apps.invoices.engines.lines import Line, per_rate, remaining, share, sums
from apps.invoices.events import InvoiceIssued
from apps.invoices.models import Invoice
from apps.invoices.selectors.drafting import content_of, lines_of, seller_is_complete
from apps.invoices.selectors.worth import worth
from apps.orders import services as orders
from apps.orders.models import Order
from apps.payments.models import Refund
from apps.stores.services import lock_numbers, next_number

_Kind = Invoice.Kind
# In the order's own numbers: "WEB-INV-2026-00001".
_MARKS = {_Kind.INVOICE: "INV", _Kind.CREDIT_NOTE: "CN"}


class NothingToInvoice(Conflict):
    code = "nothing_to_invoice"
    message = _("The order isn't confirmed, is cancelled, or nothing of it is left to invoice.")


class SellerIncomplete(DomainError):
    code = "seller_incomplete"
    message = _("An invoice needs the store's legal name and address.")


class LinesDisagree(Conflict):
    code = "invoice_lines_disagree"
    message = _("The order's lines don't add up to its total.")


@dataclass(slots=True)
class _Papers:
    """An order's, the first one first; read and written under the order's lock."""

    order: Order
    rows: list[Invoice] = field(default_factory=list)

    @property
    def net(self) -> int:
        """Minor units: invoices less credit notes."""
        return sum(row.total if row.kind == _Kind.INVOICE else -row.total for row in self.rows)

    @property
    def current(self) -> Invoice | None:
        """The invoice that isn't credited whole."""
        if not self.net:
            return None
        return next(row for row in reversed(self.rows) if row.kind == _Kind.INVOICE)

    def left(self, invoice: Invoice) -> list[Line]:
        notes = [row for row in self.rows if row.corrects_id == invoice.pk]
        credited = [line for note in notes for line in note.content["lines"]]
        return remaining(invoice.content["lines"], credited)


@transaction.atomic
def issue_invoice(*, order: Order) -> Invoice:
    """The invoice of an order: the one it has, or a new one with the store's next number.

    What was given back meanwhile is credited with it. Raises NothingToInvoice, SellerIncomplete,
    LinesDisagree.
    """
    papers = _papers(order.pk)
    if (invoice := papers.current) is not None:
        return invoice
    if papers.order.status == Order.Status.PENDING or not worth(papers.order):
        raise NothingToInvoice()
    if worth(papers.order) < papers.order.total:
        _lock_counters(papers)
    invoice = _invoice(papers)
    _credit_beyond(papers)
    return invoice


@transaction.atomic
def bring_up_to_date(
    *, order: Order, reason: str = "", refund: Refund | None = None
) -> list[Invoice]:
    """Make an invoiced order's papers come to what it is worth now; the papers written.

    An edited order's invoice is credited whole and issued anew, which is plain everywhere: a
    document that refers to the first one and takes it back (article 219 of Directive 2006/112/EC),
    and a complete invoice. What was given back, and a cancelled order, is credited. With `refund`
    no more than its amount is, and the note names it. An order that never had an invoice gets none.
    """
    papers = _papers(order.pk)
    before = len(papers.rows)
    if not before or (refund and any(row.refund_id == refund.pk for row in papers.rows)):
        return []
    if worth(papers.order) and _is_outdated(papers):
        _anew(papers, reason)
    _credit_beyond(papers, reason=reason, refund=refund)
    return papers.rows[before:]


@transaction.atomic
def reissue_invoice(*, order: Order, reason: str) -> Invoice:
    """Credit what is left of the order's invoice and issue it anew, with the names and addresses
    of now. Raises NothingToInvoice, SellerIncomplete, LinesDisagree."""
    papers = _papers(order.pk)
    if papers.current is None or not worth(papers.order):
        raise NothingToInvoice()
    invoice = _anew(papers, reason)
    _credit_beyond(papers)
    return invoice


def _papers(order_id: int) -> _Papers:
    order = locked(Order.objects.filter(pk=order_id)).get()
    return _Papers(order, list(Invoice.objects.filter(order=order).order_by("pk")))


def _today(papers: _Papers) -> date:
    """In the store's time zone."""
    return timezone.now().astimezone(papers.order.store.zone).date()


def _is_outdated(papers: _Papers) -> bool:
    """Whether the order isn't what its invoice says any more, or has none left."""
    current = papers.current
    if current is None:
        return True
    order, told = papers.order, current.content
    return (lines_of(order), order.tax_note) != (told["lines"], told["tax_note"])


def _invoice(papers: _Papers) -> Invoice:
    if not seller_is_complete(papers.order.store):
        raise SellerIncomplete()
    content = content_of(papers.order, _today(papers))
    if sum(sums(content["lines"])) != papers.order.total:
        raise LinesDisagree()
    return _write(papers, _Kind.INVOICE, content)


def _anew(papers: _Papers, reason: str) -> Invoice:
    _lock_counters(papers)
    if papers.net:
        _credit(papers, papers.net, reason=reason)
    return _invoice(papers)


def _lock_counters(papers: _Papers) -> None:
    """Before papers of both kinds are written."""
    year = _today(papers).year
    lock_numbers(store=papers.order.store, kinds=[f"{kind}:{year}" for kind in _Kind.values])


def _credit_beyond(papers: _Papers, *, reason: str = "", refund: Refund | None = None) -> None:
    beyond = papers.net - worth(papers.order)
    if refund is not None:
        beyond = min(beyond, refund.amount)
    if beyond > 0:
        _credit(papers, beyond, reason=reason, refund=refund)


def _credit(
    papers: _Papers, amount: int, *, reason: str = "", refund: Refund | None = None
) -> None:
    invoice = papers.current
    assert invoice is not None  # noqa: S101 (there is something to credit)
    content = {
        **invoice.content,
        "lines": share(invoice.content["lines"], papers.left(invoice), amount),
        "corrects": {"number": invoice.number, "issued_on": invoice.issued_on.isoformat()},
        "payments": [],
        "paid": amount if refund is not None else 0,
        "due_on": _today(papers).isoformat(),
    }
    more = {"corrects": invoice, "refund": refund, "reason": reason[:300]}
    _write(papers, _Kind.CREDIT_NOTE, content, **more)


def _write(papers: _Papers, kind: str, content: dict[str, Any], **more: Any) -> Invoice:
    """Number and keep a paper. The number's lock is the last that is taken."""
    order, store = papers.order, papers.order.store
    on = _today(papers)
    net, tax = sums(content["lines"])
    buyer = content["buyer"]
    name = buyer["company"] or f"{buyer['first_name']} {buyer['last_name']}".strip()
    position = next_number(store=store, kind=f"{kind}:{on.year}")
    failpoint("invoice-numbered")
    row = Invoice(
        store=store,
        order=order,
        kind=kind,
        number=f"{store.order_prefix}{_MARKS[_Kind(kind)]}-{on.year}-{position:05d}",
        year=on.year,
        position=position,
        issued_on=on,
        currency=order.currency,
        net=net,
        tax=tax,
        total=net + tax,
        buyer=name[:200],
        language=order.language,
        content={**content, "taxes": per_rate(content["lines"])},
        **more,
    )
    row.save()
    papers.rows.append(row)
    audit.record(f"invoice.{kind}", row, {"total": row.total, "currency": row.currency})
    orders.record_event(order=order, kind=f"{kind}_issued", data={"number": row.number})
    publish(
        InvoiceIssued(
            invoice_id=str(row.public_id),
            kind=kind,
            number=row.number,
            order_number=order.number,
        )
    )
    return row
