"""What lies on the shelves: received, adjusted, transferred, returned, told by other systems.

Every change is one conditional UPDATE with its ledger row in the same transaction.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.ids import uuid7
from apps.core.locks import locked
from apps.inventory.events import StockChanged
from apps.inventory.models import Location, StockLevel, StockMovement
from apps.products.models import Variant

_Reason = StockMovement.Reason
MAX_PIECES = 2_000_000_000
# What becomes of pieces in quarantine.
QUARANTINE_OUTCOMES = (_Reason.RELEASE, _Reason.SCRAP, _Reason.SUPPLIER)


class StockPromised(Conflict):
    """Fewer pieces would be left than are promised to orders."""

    code = "stock_promised"
    message = _("These pieces are promised to orders.")


class NotOnHand(Conflict):
    code = "not_on_hand"
    message = _("There are fewer pieces here.")


class NotQuarantined(Conflict):
    code = "not_quarantined"
    message = _("There are fewer pieces in quarantine.")


class MovementKeyReused(Conflict):
    code = "movement_key_reused"
    message = _("This key already moved other stock.")


class InvalidQuantity(DomainError):
    code = "invalid_quantity"
    message = _("This isn't a possible number of pieces.")


def level_for(*, variant: Variant, location: Location) -> StockLevel:
    """The stock row of a variant at a location, made if it is the first time."""
    level = StockLevel.objects.filter(variant=variant, location=location).first()
    if level is not None:
        return level
    try:
        with transaction.atomic():
            return StockLevel.objects.create(variant=variant, location=location)
    except IntegrityError:
        return StockLevel.objects.get(variant=variant, location=location)


@transaction.atomic
def receive(
    *,
    variant: Variant,
    location: Location,
    quantity: int,
    reference: str = "",
    note: str = "",
    key: str = "",
) -> StockMovement:
    """Goods came in. The same `key` again moves nothing and returns the first movement."""
    check_pieces(quantity)
    level = level_for(variant=variant, location=location)
    return _move(level, quantity, 0, _Reason.RECEIVE, reference=reference, note=note, key=key)


@transaction.atomic
def return_stock(
    *,
    variant: Variant,
    location: Location,
    quantity: int,
    reference: str,
    key: str,
    into_quarantine: bool = False,
) -> StockMovement:
    """Sold goods came back, and may be sold again; or lie in quarantine first."""
    check_pieces(quantity)
    level = level_for(variant=variant, location=location)
    change = (0, quantity) if into_quarantine else (quantity, 0)
    return _move(level, *change, _Reason.RETURN, reference=reference, key=key)


@transaction.atomic
def set_apart(
    *, variant: Variant, location: Location, quantity: int, note: str = "", key: str = ""
) -> StockMovement:
    """Take pieces from the shelf into quarantine: they aren't sold until somebody decides.

    Raises NotOnHand, StockPromised.
    """
    check_pieces(quantity)
    level = level_for(variant=variant, location=location)
    return _move(level, -quantity, quantity, _Reason.APART, note=note, key=key)


@transaction.atomic
def settle_quarantine(
    *,
    variant: Variant,
    location: Location,
    quantity: int,
    outcome: str,
    note: str = "",
    key: str = "",
) -> StockMovement:
    """Decide about pieces in quarantine: an outcome of `QUARANTINE_OUTCOMES`; those that are
    released may be sold. Raises NotQuarantined.
    """
    check_pieces(quantity)
    level = level_for(variant=variant, location=location)
    back = quantity if outcome == _Reason.RELEASE else 0
    return _move(level, back, -quantity, _Reason(outcome), note=note, key=key)


@transaction.atomic
def adjust(
    *, variant: Variant, location: Location, delta: int, note: str = "", key: str = ""
) -> StockMovement:
    """Correct the shelf by `delta` pieces.

    Raises StockPromised below what orders wait for, NotOnHand below nothing.
    """
    level = level_for(variant=variant, location=location)
    return _move(level, delta, 0, _Reason.ADJUST, note=note, key=key)


@transaction.atomic
def set_on_hand(
    *, variant: Variant, location: Location, quantity: int, note: str = ""
) -> StockMovement | None:
    """Somebody counted the shelf: a movement by the difference; None if it was right."""
    check_count(quantity)
    level = locked(
        StockLevel.objects.filter(pk=level_for(variant=variant, location=location).pk)
    ).get()
    if quantity == level.on_hand:
        return None
    return _move(level, quantity - level.on_hand, 0, _Reason.ADJUST, note=note)


@transaction.atomic
def transfer(
    *,
    variant: Variant,
    source: Location,
    target: Location,
    quantity: int,
    note: str = "",
    key: str = "",
) -> tuple[StockMovement, StockMovement]:
    """Move pieces between locations: the movement out and the one in.

    Raises NotOnHand, StockPromised, or Conflict for one and the same location.
    """
    check_pieces(quantity)
    if source.pk == target.pk:
        raise Conflict(_("Source and target are the same location."))
    key = key or str(uuid7())
    levels = [level_for(variant=variant, location=place) for place in (source, target)]
    list(locked(StockLevel.objects.filter(pk__in=[level.pk for level in levels])))
    reference = f"transfer:{key}"[:120]
    out, into = (
        _move(level, delta, 0, _Reason.TRANSFER, reference=reference, note=note, key=f"{key}:{way}")
        for level, delta, way in ((levels[0], -quantity, "out"), (levels[1], quantity, "in"))
    )
    return out, into


@transaction.atomic
def set_backorder(*, variant: Variant, location: Location, limit: int) -> bool:
    """How many pieces may be sold beyond what is there; True if that changed.

    Raises StockPromised when orders already rely on a higher limit.
    """
    check_count(limit)
    level = level_for(variant=variant, location=location)
    if level.backorder_limit == limit:
        return False
    allowed = StockLevel.objects.filter(
        pk=level.pk, on_hand__gte=F("held") + F("committed") - limit
    ).update(backorder_limit=limit, updated_at=timezone.now())
    if not allowed:
        raise StockPromised()
    tell_changed([variant.pk])
    return True


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What another system says is there."""

    variant_id: int
    location_id: int
    quantity: int


def apply_snapshot(*, variant: Variant, location: Location, quantity: int) -> int:
    """`apply_snapshots()` for one; the pieces the shelf changed by."""
    return apply_snapshots([Snapshot(variant.pk, location.pk, quantity)])[0]


@transaction.atomic
def apply_snapshots(snapshots: Sequence[Snapshot]) -> list[int]:
    """Bring the shelves to what another system tells; the change of each, in order.

    What is applied is the difference to the last snapshot, so that a file from this morning
    doesn't give back what was sold since. The first snapshot of a shelf sets it. Never goes
    below what is promised to orders: the rest stays until they are shipped.
    """
    for snapshot in snapshots:
        check_count(snapshot.quantity)
    levels = _levels_of(snapshots)
    movements, changed, deltas = [], [], []
    now, actor = timezone.now(), current_actor().label
    for snapshot in snapshots:
        level = levels[snapshot.variant_id, snapshot.location_id]
        known = level.last_snapshot
        delta = snapshot.quantity - (level.on_hand if known is None else known)
        floor = max(0, level.held + level.committed - level.backorder_limit)
        delta = max(delta, floor - level.on_hand)
        deltas.append(delta)
        if delta or known != snapshot.quantity:
            level.on_hand += delta
            level.last_snapshot, level.updated_at = snapshot.quantity, now
            changed.append(level)
        if delta:
            movements.append(
                StockMovement(
                    level=level,
                    delta=delta,
                    on_hand_after=level.on_hand,
                    reason=_Reason.IMPORT,
                    actor=actor,
                    key=str(uuid7()),
                )
            )
    # The rows are locked, so writing values (not differences) is safe here.
    StockLevel.objects.bulk_update(
        {level.pk: level for level in changed}.values(),
        ["on_hand", "last_snapshot", "updated_at"],
        batch_size=500,
    )
    StockMovement.objects.bulk_create(movements, batch_size=500)
    if movements:
        tell_changed({movement.level.variant_id for movement in movements})
    return deltas


def _levels_of(snapshots: Sequence[Snapshot]) -> dict[tuple[int, int], StockLevel]:
    wanted = {(s.variant_id, s.location_id) for s in snapshots}
    known = StockLevel.objects.filter(
        variant_id__in={v for v, _l in wanted}, location_id__in={loc for _v, loc in wanted}
    )
    missing = wanted - set(known.values_list("variant_id", "location_id"))
    StockLevel.objects.bulk_create(
        [StockLevel(variant_id=v, location_id=loc) for v, loc in sorted(missing)],
        ignore_conflicts=True,
    )
    return {(level.variant_id, level.location_id): level for level in locked(known.all())}


def _move(
    level: StockLevel,
    delta: int,
    apart: int,
    reason: str,
    *,
    reference: str = "",
    note: str = "",
    key: str = "",
) -> StockMovement:
    """By `delta` on hand, and `apart` in quarantine."""
    if not (delta or apart) or max(abs(delta), abs(apart)) > MAX_PIECES:
        raise InvalidQuantity()
    row = StockLevel.objects.filter(pk=level.pk)
    if key:
        # Repeats of one request wait for each other here.
        locked(row).get()
        if moved := StockMovement.objects.filter(key=key).first():
            told = (moved.level_id, moved.delta, moved.quarantined_delta, moved.reason)
            if told != (level.pk, delta, apart, reason):
                raise MovementKeyReused()
            return moved
    if not _guarded(row, delta, apart).update(
        on_hand=F("on_hand") + delta,
        quarantined=F("quarantined") + apart,
        updated_at=timezone.now(),
    ):
        raise _refusal(row, delta, apart)
    movement = StockMovement.objects.create(
        level=level,
        delta=delta,
        on_hand_after=row.values_list("on_hand", flat=True).get(),
        quarantined_delta=apart,
        reason=reason,
        reference=reference,
        note=note,
        actor=current_actor().label,
        key=key or str(uuid7()),
    )
    if delta:
        tell_changed([level.variant_id])
    return movement


def _guarded(row: QuerySet[StockLevel], delta: int, apart: int) -> QuerySet[StockLevel]:
    """The level, if it can be moved so."""
    # Not `on_hand + delta` on the left: it could overflow.
    guarded = row.filter(on_hand__lte=MAX_PIECES - delta, quarantined__lte=MAX_PIECES - apart)
    if delta < 0:
        promised = F("held") + F("committed") - F("backorder_limit")
        guarded = guarded.filter(on_hand__gte=promised - delta).filter(on_hand__gte=-delta)
    return guarded.filter(quarantined__gte=-apart) if apart < 0 else guarded


def _refusal(row: QuerySet[StockLevel], delta: int, apart: int) -> DomainError:
    if apart < 0 and row.filter(quarantined__lt=-apart).exists():
        return NotQuarantined()
    if delta >= 0:
        return InvalidQuantity()
    return NotOnHand() if row.filter(on_hand__lt=-delta).exists() else StockPromised()


def check_pieces(quantity: int) -> None:
    """Raises InvalidQuantity unless `quantity` is a possible, positive number of pieces."""
    if not 0 < quantity <= MAX_PIECES:
        raise InvalidQuantity()


def check_count(quantity: int) -> None:
    """Raises InvalidQuantity unless `quantity` is a possible number of pieces, or none."""
    if not 0 <= quantity <= MAX_PIECES:
        raise InvalidQuantity()


def tell_changed(variant_ids: Iterable[int]) -> None:
    """Publish that what may be sold of the variants' products changed."""
    products = Variant.objects.filter(pk__in=list(variant_ids)).values_list(
        "product__public_id", flat=True
    )
    publish(StockChanged(product_ids=sorted({str(pk) for pk in products})))
