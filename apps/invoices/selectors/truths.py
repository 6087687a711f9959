"""The truths that must hold about invoices."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Case, F, Max, Sum, When
from django.db.models.aggregates import Count

from apps.core.invariants import invariant
from apps.core.models import OutboxMessage
from apps.invoices.engines.lines import gross, per_rate, remaining, sums
from apps.invoices.models import Invoice
from apps.invoices.selectors.worth import with_gifts, worth
from apps.orders.models import Order
from apps.payments.models import Refund
from apps.returns.models import ReturnRequest
from apps.stores.models import Sequence, Store

_RECEIVERS = "apps.invoices.receivers."


@invariant("numbers of invoices and credit notes have no gaps")
def _numbers() -> Iterator[str]:
    series = Invoice.objects.values("store_id", "kind", "year").annotate(
        number=Count("pk"), last=Max("position")
    )
    found = {
        (row["store_id"], f"{row['kind']}:{row['year']}"): (row["number"], row["last"])
        for row in series
    }
    counted = {
        (sequence.store_id, sequence.kind): (sequence.last, sequence.last)
        for sequence in Sequence.objects.filter(kind__contains=":")
        if sequence.kind.partition(":")[0] in Invoice.Kind.values
    }
    for key in sorted(found.keys() | counted.keys()):
        have, counter = found.get(key, (0, 0)), counted.get(key, (0, 0))
        if have != counter:
            yield f"store {key[0]}, {key[1]}: {have[0]} up to {have[1]}, counted {counter[0]}"


@invariant("an invoice's lines and rates add up to it, and its credit notes to no more")
def _sums() -> Iterator[str]:
    rows = Invoice.objects.prefetch_related("credit_notes").order_by("pk")
    for row in rows.iterator(chunk_size=500):
        lines = row.content["lines"]
        if sums(lines) != (row.net, row.tax) or per_rate(lines) != row.content["taxes"]:
            yield f"{row.number}: {sums(lines)} is not {row.net} + {row.tax}"
        credited = [line for note in row.credit_notes.all() for line in note.content["lines"]]
        left = remaining(lines, credited)
        if any(line["net"] < 0 or any(t["amount"] < 0 for t in line["taxes"]) for line in left):
            yield f"{row.number}: credited beyond its lines"
        if credited and sum(map(gross, left)) != row.total - sum(map(gross, credited)):
            yield f"{row.number}: its credit notes don't take off what they say"


@invariant("invoices less credit notes are what an order is worth")
def _worth() -> Iterator[str]:
    on_their_way = _orders_on_their_way()
    for order, net in drifting_orders():
        if order.pk not in on_their_way:
            yield f"{order.number}: papers {net}, worth {worth(order)}"


def drifting_orders(store: Store | None = None) -> Iterator[tuple[Order, int]]:
    """Invoiced orders whose papers don't come to what they are worth, and what they come to."""
    total = F("invoices__total")
    net = Sum(Case(When(invoices__kind=Invoice.Kind.INVOICE, then=total), default=-total))
    orders = with_gifts(Order.objects.filter(invoices__isnull=False).annotate(papers=net))
    if store is not None:
        orders = orders.filter(store=store)
    # What `worth()` reads: an order's row holds its whole quote.
    needed = ("number", "status", "total", "captured_amount", "refunded_amount", "store_id")
    for order in orders.only(*needed).order_by("pk").iterator(chunk_size=1000):
        if order.papers != worth(order):
            yield order, order.papers


def _orders_on_their_way() -> set[int]:
    """Orders of which an event still waits to be heard here."""
    waiting = OutboxMessage.objects.filter(
        status=OutboxMessage.Status.PENDING, receiver__startswith=_RECEIVERS
    ).values_list("payload", flat=True)
    payloads = list(waiting)
    ids = {payload["order_id"] for payload in payloads if "order_id" in payload}
    returns = {payload["return_id"] for payload in payloads if "return_id" in payload}
    refunds = {payload["refund_id"] for payload in payloads if "refund_id" in payload}
    found = set(Order.objects.filter(public_id__in=ids).values_list("pk", flat=True))
    returned = ReturnRequest.objects.filter(public_id__in=returns)
    refunded = Refund.objects.filter(public_id__in=refunds)
    found |= set(returned.values_list("order_id", flat=True))
    return found | set(refunded.values_list("payment__order_id", flat=True))
