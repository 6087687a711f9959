"""The truths that must hold about orders, and their figures."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.db.models.functions import Coalesce

from apps.core.invariants import invariant
from apps.core.metrics import gauge
from apps.orders import states
from apps.orders.models import Approval, BulkItem, BulkJob, Order, OrderEdit, OrderEvent, OrderLine
from apps.stores.models import Sequence


@gauge("orders_placed", "Orders ever placed, over all stores.")
def _placed() -> float:
    return float(Sequence.objects.filter(kind="order").aggregate(n=Coalesce(Sum("last"), 0))["n"])


@gauge("orders_open", "Orders that are confirmed or being processed.")
def _open() -> float:
    waiting = (states.CONFIRMED, states.PROCESSING)
    return float(Order.objects.filter(status__in=waiting).count())


@invariant("an order's total is the sum of its parts")
def _totals() -> Iterator[str]:
    parts = F("subtotal") - F("discount") + F("shipping")
    wrong = Order.objects.filter(
        Q(tax_included=True) & ~Q(total=parts) | Q(tax_included=False) & ~Q(total=parts + F("tax"))
    )
    for order in wrong:
        yield f"{order.number}: total {order.total}"


@invariant("prices are lowered above the store's limit by two people")
def _approved_edits() -> Iterator[str]:
    limits = "order__store__approval_limits"
    alone = OrderEdit.objects.filter(
        status=OrderEdit.Status.CONFIRMED,
        lowered__gt=F(f"{limits}__amount"),
        order__currency=F(f"{limits}__currency"),
        confirmed_at__gt=F(f"{limits}__updated_at"),
    )
    alone = alone.exclude(approval__status=Approval.Status.DONE)
    for edit in alone.select_related("order"):
        yield f"{edit.order.number}: lowered by {edit.lowered}"


@invariant("an order's lines add up to the order")
def _lines() -> Iterator[str]:
    sums = (
        OrderLine.objects.values("order_id")
        .annotate(sub=Sum("subtotal"), off=Sum("discount"), taxes=Sum("tax"))
        .filter(
            ~Q(sub=F("order__subtotal"))
            | ~Q(off=F("order__discount"))
            # Shipping bears tax too.
            | Q(taxes__gt=F("order__tax"))
        )
    )
    for row in sums:
        yield f"order {row['order_id']}: lines {row['sub']}, discount {row['off']}"
    for line in OrderLine.objects.exclude(subtotal=F("unit_price") * F("quantity")):
        yield f"line {line.pk}: {line.quantity} x {line.unit_price} is not {line.subtotal}"


@invariant("an order costs what its last edit says")
def _edits() -> Iterator[str]:
    confirmed = OrderEdit.objects.filter(
        order=OuterRef("pk"), status=OrderEdit.Status.CONFIRMED
    ).order_by("-pk")
    edited = Order.objects.annotate(told=Subquery(confirmed.values("total_after")[:1])).exclude(
        told=None
    )
    for order in edited.exclude(told=F("total")):
        yield f"{order.number}: total {order.total}, its last edit says {order.told}"


@invariant("order numbers have no gaps and sources one order")
def _numbers() -> Iterator[str]:
    counted = dict(Order.objects.values_list("store_id").annotate(Count("pk")))
    for sequence in Sequence.objects.filter(kind="order"):
        if sequence.last != counted.get(sequence.store_id, 0):
            have = counted.get(sequence.store_id, 0)
            yield f"store {sequence.store_id}: number {sequence.last}, {have} orders"


@invariant("every order's history is a path of the transition table")
def _history() -> Iterator[str]:
    moves = OrderEvent.objects.exclude(to_status="").order_by("order_id", "pk")
    where: dict[int, str] = {}
    for order_id, kind, source, target in moves.values_list(
        "order_id", "kind", "from_status", "to_status"
    ).iterator(chunk_size=2000):
        if source != where.get(order_id, "") or (source and states.target(source, kind) != target):
            yield f"order {order_id}: {kind} from {source!r} to {target!r}"
        where[order_id] = target
    for pk, status in Order.objects.values_list("pk", "status").iterator(chunk_size=2000):
        if where.get(pk) != status:
            yield f"order {pk}: is {status}, its timeline ends at {where.get(pk)!r}"


@invariant("a bulk change that is done has answered for each of its orders")
def _bulk() -> Iterator[str]:
    waiting = BulkItem.objects.filter(
        job__status=BulkJob.Status.DONE, status=BulkItem.Status.WAITING
    )
    for job_id in waiting.values_list("job_id", flat=True).distinct():
        yield f"bulk change {job_id}: orders wait"
