"""Reads of invoices."""

from __future__ import annotations

from uuid import UUID

from django.db.models import F, Q, QuerySet

from apps.core.errors import NotFound
from apps.invoices.models import Invoice, InvoiceSettings
from apps.orders.models import Order
from apps.stores.models import Store

_IssueOn = InvoiceSettings.IssueOn
_PAST_CANCEL = (Order.Status.PENDING, Order.Status.CANCELLED)
# What an order must be, by the store's choice.
_DUE = {
    _IssueOn.CONFIRMED: Q(),
    _IssueOn.PAID: Q(captured_amount__gte=F("total")),
    _IssueOn.SHIPPED: Q(fulfillment_status=Order.FulfillmentStatus.FULFILLED),
}


def invoices_of(order: Order) -> QuerySet[Invoice]:
    """An order's papers, the first one first."""
    found: QuerySet[Invoice] = Invoice.objects.for_reading().filter(order=order).order_by("pk")
    return found


def invoice_of(order: Order, invoice_id: UUID) -> Invoice:
    """One of the order's papers. Raises NotFound."""
    invoice = invoices_of(order).filter(public_id=invoice_id).first()
    if invoice is None:
        raise NotFound()
    return invoice


def orders_due(store: Store) -> QuerySet[Order]:
    """Orders that the store wants invoiced by now, and that have no invoice yet. Not those that are
    held: nobody knows yet whether they are sales."""
    known = InvoiceSettings.objects.filter(store=store).first()
    if known is None or known.issue_on not in _DUE:
        return Order.objects.none()
    wanted: QuerySet[Order] = Order.objects.filter(
        _DUE[_IssueOn(known.issue_on)],
        # What was given back whole before it was invoiced needs no papers.
        Q(refunded_amount=0) | Q(refunded_amount__lt=F("captured_amount")),
        store=store,
        on_hold=False,
        total__gt=0,
        invoices__isnull=True,
    )
    return wanted.exclude(status__in=_PAST_CANCEL).order_by("pk")
