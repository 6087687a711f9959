"""Fetching pieces from the shelves, for several shipments in one walk."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.locks import locked
from apps.fulfillment import states
from apps.fulfillment.models import Fulfillment, FulfillmentLine, PickLine, PickList
from apps.fulfillment.services.planning import plan_whole
from apps.inventory.models import Location
from apps.orders import services as orders
from apps.orders.models import Order
from apps.orders.services import TransitionRefused

# Boxes on a trolley.
MAX_BINS = 50
# Promises of a location that are looked through, the oldest first.
MOST_HOLDS = 5000


class NothingToPick(Conflict):
    code = "nothing_to_pick"
    message = _("No shipment waits at this location.")


class UnknownBarcode(DomainError):
    code = "unknown_barcode"
    message = _("Nothing on this list has this barcode (any more).")


class StillToPick(Conflict):
    """`extra["left"]` are the pieces that are neither picked nor missing."""

    code = "still_to_pick"
    message = _("Some pieces are neither picked nor missing.")


class PickListDone(Conflict):
    code = "pick_list_done"
    message = _("This list is done.")


def plan_open(*, location: Location, limit: int = MAX_BINS) -> int:
    """Plan the shipments of open orders that have pieces at a location; how many orders.

    The oldest first; each order is planned whole, with what it has elsewhere.
    """
    holds = location.stock_levels.filter(holds__state="committed").order_by("holds__pk")
    found = holds.values_list("holds__reference", flat=True)[:MOST_HOLDS]
    references = {reference.removeprefix("order:") for reference in found}
    waiting = Order.objects.to_ship().filter(public_id__in=_uuids(references)).order_by("pk")
    planned = 0
    for order in waiting.exclude(fulfillments__status__in=states.WAITING)[:limit]:
        try:
            planned += bool(plan_whole(order=order))
        except TransitionRefused:
            # Cancelled in this very moment.
            continue
    return planned


def _uuids(texts: set[str]) -> list[str]:
    return sorted(text for text in texts if len(text) == 36)


@transaction.atomic
def make_pick_list(*, location: Location, shipments: int = 20) -> PickList:
    """A list of what to fetch for the oldest shipments that wait at a location, each with a box.

    Those that share a parcel share a box. What needs no shipping, what is on another list, and
    what is held, is left out. Raises NothingToPick.
    """
    wanted = FulfillmentLine.objects.filter(
        fulfillment__location=location,
        fulfillment__status__in=states.WAITING,
        fulfillment__order__on_hold=False,
        pick_line__isnull=True,
        order_line__requires_shipping=True,
    )
    parcels = Coalesce("fulfillment__carried_by", "fulfillment")
    # Two people who ask at once don't get the same shipments.
    chosen = locked(Fulfillment.objects.filter(pk__in=wanted.values_list(parcels)))
    bins = {each.pk: number for number, each in enumerate(chosen[: min(shipments, MAX_BINS)], 1)}
    lines = (
        wanted.annotate(parcel=parcels)
        .filter(parcel__in=bins)
        .order_by("order_line__sku", "fulfillment_id")
    )
    if not bins or not lines:
        raise NothingToPick()
    pick_list = PickList.objects.create(location=location, picker=current_actor().label[:254])
    PickLine.objects.bulk_create(
        PickLine(
            pick_list=pick_list,
            line=line,
            bin=bins[line.parcel],
            quantity=line.quantity,
        )
        for line in lines
    )
    audit.record("fulfillment.pick_list", pick_list, {"shipments": len(bins)})
    return pick_list


@transaction.atomic
def pick(*, pick_list: PickList, code: str) -> PickLine:
    """A piece was scanned (its SKU or GTIN) and goes into the box of the line that is returned.

    Raises UnknownBarcode and PickListDone.
    """
    _check_open(pick_list)
    lines = PickLine.objects.filter(
        Q(line__order_line__sku__iexact=code) | Q(line__order_line__variant__gtin=code),
        pick_list=pick_list,
        quantity__gt=F("picked") + F("short"),
    ).order_by("bin", "pk")
    for line in lines if code else ():
        # Compared again by the update: two scanners on one trolley.
        if PickLine.objects.filter(pk=line.pk, quantity__gt=F("picked") + F("short")).update(
            picked=F("picked") + 1
        ):
            line.refresh_from_db()
            return line
    raise UnknownBarcode(field="code")


@transaction.atomic
def report_short(*, pick_list: PickList, line_id: int) -> PickLine:
    """What is left of a line isn't on the shelf: noted here and on the order's timeline.

    Stock and shipment stay: somebody counts, and decides. Raises UnknownBarcode, PickListDone.
    """
    _check_open(pick_list)
    line = locked(PickLine.objects.filter(pk=line_id, pick_list=pick_list)).first()
    if line is None or not line.left:
        raise UnknownBarcode()
    missing = line.left
    PickLine.objects.filter(pk=line.pk).update(short=F("quantity") - F("picked"))
    found = line.line
    orders.record_event(
        order=found.fulfillment.order,
        kind="short_pick",
        message=f"{missing} × {found.order_line.sku} ({pick_list.location})",
        data={"sku": found.order_line.sku, "missing": missing, "location": pick_list.location.code},
    )
    line.refresh_from_db()
    return line


@transaction.atomic
def finish_pick_list(*, pick_list: PickList) -> PickList:
    """Everything is in its box, or missing. Raises StillToPick; finishing twice changes nothing."""
    left = sum(line.left for line in pick_list.lines.all())
    if left:
        raise StillToPick(extra={"left": left})
    PickList.objects.filter(pk=pick_list.pk, status=PickList.Status.OPEN).update(
        status=PickList.Status.DONE, finished_at=timezone.now(), updated_at=timezone.now()
    )
    pick_list.refresh_from_db()
    return pick_list


def _check_open(pick_list: PickList) -> None:
    if not PickList.objects.filter(pk=pick_list.pk, status=PickList.Status.OPEN).exists():
        raise PickListDone()
