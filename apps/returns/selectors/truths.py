"""The truths that must hold about returns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from django.db.models import Count, F, Q, Sum
from django.db.models.functions import Coalesce

from apps.core.invariants import invariant
from apps.core.photos import MAX_PHOTOS
from apps.inventory.models import Hold
from apps.orders.models import Order, OrderLine
from apps.payments.models import StoredValue
from apps.returns import states
from apps.returns.models import ReturnEvent, ReturnLine, ReturnPhoto, ReturnRequest
from apps.stores.models import Sequence

_GONE = (states.DECLINED, states.CANCELLED)


@invariant("what is returned of a line is what its returns say, at most what was shipped")
def _pieces() -> Iterator[str]:
    told: dict[int, int] = {}
    for line in ReturnLine.objects.exclude(request__status__in=_GONE).select_related("request"):
        status = line.request.status
        pieces = line.quantity
        if status == states.RECEIVED:
            pieces = line.received_quantity
        elif status in (states.INSPECTED, states.CLOSED):
            pieces = line.accepted_quantity
        told[line.order_line_id] = told.get(line.order_line_id, 0) + pieces
    lines = OrderLine.objects.filter(Q(pk__in=told) | Q(returned_quantity__gt=0))
    for line in lines:
        if line.returned_quantity != told.get(line.pk, 0):
            yield f"line {line.pk}: {line.returned_quantity}, returns {told.get(line.pk, 0)}"
        if line.returned_quantity > line.fulfilled_quantity:
            yield f"line {line.pk}: {line.returned_quantity} of {line.fulfilled_quantity}"


@invariant("inspected pieces are those that were received")
def _inspected() -> Iterator[str]:
    lines = ReturnLine.objects.filter(
        request__status__in=(states.INSPECTED, states.CLOSED), request__kind__in=_SENT
    ).annotate(
        seen=Coalesce(Sum("inspections__quantity"), 0),
        kept=Coalesce(Sum("inspections__quantity", filter=~Q(inspections__outcome="refused")), 0),
    )
    for line in lines.exclude(seen=F("received_quantity"), kept=F("accepted_quantity")):
        yield f"return line {line.pk}: {line.seen} of {line.received_quantity}"


_SENT = (ReturnRequest.Kind.RETURN, ReturnRequest.Kind.WITHDRAWAL)


@invariant("an order's returns give back at most what it cost, and what was captured")
def _refunds() -> Iterator[str]:
    orders = Order.objects.filter(returns__settled_at__isnull=False).annotate(
        goods=Sum("returns__goods_amount"),
        given=Sum("returns__refund_amount"),
        delivery=Sum("returns__shipping_amount"),
    )
    for order in orders:
        if order.goods + order.delivery > order.total or order.given > order.captured_amount:
            yield f"{order.number}: {order.goods} + {order.delivery}, refunded {order.given}"


@invariant("a settled return's payouts are its refund")
def _payouts() -> Iterator[str]:
    requests = ReturnRequest.objects.annotate(paid=Coalesce(Sum("payouts__amount"), 0))
    for request in requests.exclude(paid=F("refund_amount")):
        yield f"{request.number}: {request.refund_amount}, payouts {request.paid}"


@invariant("what of an order's money was given back otherwise is what its returns say")
def _credited() -> Iterator[str]:
    told = Order.objects.annotate(
        told=Coalesce(Sum("returns__payouts__amount", filter=Q(returns__payouts__refund=None)), 0)
    )
    for order in told.exclude(told=F("credited_amount")):
        yield f"{order.number}: {order.credited_amount}, payouts {order.told}"


@invariant("what is set against a replacement is what its credit paid")
def _credits() -> Iterator[str]:
    made = StoredValue.objects.filter(kind=StoredValue.Kind.EXCHANGE)
    issued = dict(made.values_list("reference", "initial_amount"))
    requests = ReturnRequest.objects.filter(credit_amount__gt=0).annotate(
        paid=Coalesce(Sum("payouts__amount", filter=Q(payouts__is_credit=True)), 0)
    )
    for request in requests:
        credit = issued.pop(request.credit_reference, 0)
        if not request.paid == request.credit_amount == credit:
            yield f"{request.number}: {request.credit_amount}, paid {request.paid}, made {credit}"
    for reference in issued:
        yield f"{reference}: a credit, and no return says so"


@invariant("a settled exchange has its replacement, and nothing is kept for one")
def _replacements() -> Iterator[str]:
    pieces = ReturnLine.objects.filter(
        request__status=states.CLOSED, replacement__isnull=False, accepted_quantity__gt=0
    )
    for number in pieces.filter(request__replacement_order=None).values_list("request__number"):
        yield f"{number[0]}: no replacement"
    kept = Hold.objects.filter(reference__startswith="return:", state=Hold.State.COMMITTED)
    waiting = ReturnRequest.objects.filter(
        status__in=(states.APPROVED, states.RECEIVED, states.INSPECTED), replacement_order=None
    )
    wanted: Counter[tuple[str, int | None]] = Counter()
    lines = ReturnLine.objects.filter(request__in=waiting, replacement__isnull=False)
    for line in lines.select_related("request"):
        wanted[line.request.reference, line.replacement_id] += line.quantity
    for row in kept.values("reference", "level__variant_id").annotate(n=Sum("quantity")).order_by():
        most = wanted[row["reference"], row["level__variant_id"]]
        if row["n"] > most:
            yield f"{row['reference']}: {row['n']} kept for {most}"


@invariant("a return has a few pictures, of its own order")
def _pictures() -> Iterator[str]:
    counted = ReturnRequest.objects.annotate(n=Count("photos"))
    for request in counted.filter(n__gt=MAX_PHOTOS):
        yield f"{request.number}: {request.n} photos"
    attached = ReturnPhoto.objects.filter(request__isnull=False)
    for photo in attached.exclude(order=F("request__order")):
        yield f"{photo.public_id}: of another order"


@invariant("return numbers have no gaps")
def _numbers() -> Iterator[str]:
    counted = dict(ReturnRequest.objects.values_list("order__store_id").annotate(Count("pk")))
    for sequence in Sequence.objects.filter(kind="return"):
        if sequence.last != counted.get(sequence.store_id, 0):
            yield f"store {sequence.store_id}: number {sequence.last}"


@invariant("every return's history is a path of the transition table")
def _history() -> Iterator[str]:
    where: dict[int, str] = {}
    moves = ReturnEvent.objects.exclude(to_status="").order_by("request_id", "pk")
    for pk, kind, source, target in moves.values_list(
        "request_id", "kind", "from_status", "to_status"
    ):
        if source != where.get(pk, "") or (
            source and states.TRANSITIONS.get((source, kind)) != target
        ):
            yield f"return {pk}: {kind} from {source!r} to {target!r}"
        where[pk] = target
    for pk, status in ReturnRequest.objects.values_list("pk", "status"):
        if where.get(pk) != status:
            yield f"return {pk}: is {status}, its timeline ends at {where.get(pk)!r}"
