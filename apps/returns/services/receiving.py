"""The parcel is here: what is in it, and what becomes of each piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.inventory import services as inventory
from apps.inventory.models import Location
from apps.orders import services as orders
from apps.returns.events import ReturnReceived
from apps.returns.models import Inspection, ReturnLine, ReturnRequest
from apps.returns.services.lifecycle import ReturnRefused, hold, move

_Outcome = Inspection.Outcome
# What lies at the location then, and how its movement is keyed.
_KEPT = {_Outcome.RESTOCK.value: "", _Outcome.QUARANTINE.value: ":quarantine"}


class WrongPieces(Conflict):
    code = "wrong_pieces"
    message = _("These aren't the pieces of the return.")


@dataclass(frozen=True, slots=True)
class Finding:
    """So many pieces of a line of the return (its public id) are to be restocked, scrapped, …"""

    line_id: UUID
    outcome: str
    quantity: int


@transaction.atomic
def receive_return(
    *, request: ReturnRequest, location: Location, quantities: Mapping[UUID, int] | None = None
) -> ReturnRequest:
    """Note what arrived, by the return's lines; without `quantities` all of it.

    What didn't come stays with the customer, and may be asked for again. Raises WrongPieces for
    more than was asked for, or nothing at all; ReturnRefused.
    """
    order, row = hold(request)
    if row.is_claim:
        raise ReturnRefused(_("Nothing is sent back for a claim."))
    lines = list(row.lines.all())
    if quantities is None:
        came = {line.public_id: line.quantity for line in lines}
    else:
        came = {line.public_id: quantities.get(line.public_id, 0) for line in lines}
        if set(quantities) - set(came):
            raise WrongPieces(field="lines")
    if not any(came.values()) or any(
        not 0 <= came[line.public_id] <= line.quantity for line in lines
    ):
        raise WrongPieces(field="lines")
    missing = {}
    for line in lines:
        line.received_quantity = line.accepted_quantity = came[line.public_id]
        line.save(update_fields=["received_quantity", "accepted_quantity", "updated_at"])
        if line.received_quantity < line.quantity:
            missing[line.order_line_id] = line.quantity - line.received_quantity
    orders.leave_with_customer(order=order, quantities=missing)
    move(request=row, event="receive", location=location)
    publish(ReturnReceived(return_id=str(row.public_id), order_number=order.number))
    return row


@transaction.atomic
def inspect_return(
    *, request: ReturnRequest, findings: Sequence[Finding] | None = None
) -> ReturnRequest:
    """Decide about every received piece; without `findings` all of them go back to stock.

    Restocked pieces are on hand where the return was received, those set apart in quarantine there;
    others are only told here. Pieces that aren't accepted stay the customer's. Raises WrongPieces
    unless it is exactly what was received; ReturnRefused.
    """
    order, row = hold(request)
    move(request=row, event="inspect")
    lines = {line.public_id: line for line in row.lines.select_related("order_line__variant")}
    if findings is None:
        findings = [
            Finding(line.public_id, _Outcome.RESTOCK, line.received_quantity)
            for line in lines.values()
            if line.received_quantity
        ]
    sums: dict[UUID, int] = {}
    for found in findings:
        if found.line_id not in lines or found.quantity <= 0:
            raise WrongPieces(field="findings")
        sums[found.line_id] = sums.get(found.line_id, 0) + found.quantity
    if sums != {pk: line.received_quantity for pk, line in lines.items() if line.received_quantity}:
        raise WrongPieces(field="findings")
    refused: dict[int, int] = {}
    for (line_id, outcome), quantity in _merged(findings).items():
        line = lines[line_id]
        _write(row, line, outcome, quantity)
        if outcome == _Outcome.REFUSED:
            refused[line.order_line_id] = quantity
            line.accepted_quantity = line.received_quantity - quantity
            line.save(update_fields=["accepted_quantity", "updated_at"])
    orders.leave_with_customer(order=order, quantities=refused)
    _put_away(row, lines, _merged(findings))
    return row


def _merged(findings: Sequence[Finding]) -> dict[tuple[UUID, str], int]:
    merged: dict[tuple[UUID, str], int] = {}
    for found in findings:
        key = found.line_id, found.outcome
        merged[key] = merged.get(key, 0) + found.quantity
    return merged


def _write(row: ReturnRequest, line: ReturnLine, outcome: str, quantity: int) -> None:
    Inspection.objects.create(
        line=line,
        outcome=outcome,
        quantity=quantity,
        location=row.location,
        actor=current_actor().label,
    )


def _put_away(
    row: ReturnRequest, lines: Mapping[UUID, ReturnLine], found: Mapping[tuple[UUID, str], int]
) -> None:
    """Variants by their keys, as stock levels are locked."""
    back = [
        (lines[line_id].order_line.variant, outcome, lines[line_id], quantity)
        for (line_id, outcome), quantity in found.items()
        if outcome in _KEPT and lines[line_id].order_line.variant is not None
    ]
    for variant, outcome, line, quantity in sorted(back, key=lambda one: (one[0].pk, one[1])):
        if variant.track_inventory:
            inventory.return_stock(
                variant=variant,
                location=row.location,
                quantity=quantity,
                reference=f"return:{row.public_id}",
                key=f"return:{line.public_id}{_KEPT[outcome]}",
                into_quarantine=outcome == _Outcome.QUARANTINE,
            )
