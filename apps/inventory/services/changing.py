"""A confirmed order wants other pieces than before: the difference is taken, or given back."""

from __future__ import annotations

from collections.abc import Mapping

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from apps.core.locks import locked
from apps.inventory.engines.allocation import allocate
from apps.inventory.models import Hold, StockLevel
from apps.inventory.selectors import locations_of
from apps.inventory.services.holds import InsufficientStock
from apps.inventory.services.stock import check_count, tell_changed
from apps.products.models import Variant


@transaction.atomic
def recommit(*, reference: str, store_id: int, wanted: Mapping[int, int]) -> None:
    """Make what is committed to `reference` and not shipped exactly `wanted`, by variant id.

    A variant that isn't named wants nothing. Pieces come as a hold takes them, and go back to
    where the least preferred location gave them. All or nothing: raises InsufficientStock, its
    `extra["unavailable"]` telling what more could be had. Variants whose stock isn't tracked need
    none. The caller holds the lock of whatever `reference` names.
    """
    for pieces in wanted.values():
        check_count(pieces)
    holds = {hold.level_id: hold for hold in locked(Hold.objects.filter(reference=reference))}
    tracked = Variant.objects.filter(pk__in=wanted, track_inventory=True)
    variants = set(tracked.values_list("pk", flat=True))
    levels = _locked_levels(store_id, variants, holds)
    have: dict[int, int] = {}
    for level in levels:
        if rest := _rest(holds.get(level.pk)):
            have[level.variant_id] = have.get(level.variant_id, 0) + rest
    more, changed = {}, set()
    for variant_id in variants | set(have):
        difference = wanted.get(variant_id, 0) - have.get(variant_id, 0)
        if difference:
            changed.add(variant_id)
        if difference > 0:
            more[variant_id] = difference
        mine = [level for level in levels if level.variant_id == variant_id]
        _give_back(mine, holds, -difference)
    _take(reference, levels, holds, more)
    if changed:
        tell_changed(changed)


@transaction.atomic
def pass_on(*, reference: str, to: str, store_id: int, pieces: Mapping[int, int]) -> None:
    """Of what is committed to `reference` and not shipped, promise so many pieces by variant id to
    `to`, which has none yet; or all that there are.

    They come from the least preferred locations, and lie where they lay. The caller holds the lock
    of whatever `reference` names.
    """
    committed = Hold.objects.filter(reference=reference, state=Hold.State.COMMITTED)
    holds = list(locked(committed))
    levels = StockLevel.objects.in_bulk([hold.level_id for hold in holds])
    order = {pk: n for n, pk in enumerate(locations_of(store_id).values_list("pk", flat=True))}
    left = dict(pieces)
    for hold in sorted(
        holds,
        key=lambda hold: (order.get(levels[hold.level_id].location_id, len(order)), hold.pk),
        reverse=True,
    ):
        variant_id = levels[hold.level_id].variant_id
        part = min(_rest(hold), left.get(variant_id, 0))
        if part <= 0:
            continue
        left[variant_id] -= part
        if part == hold.quantity:
            Hold.objects.filter(pk=hold.pk).update(reference=to, updated_at=timezone.now())
            continue
        _shrink(hold, part)
        state = Hold.State.COMMITTED
        Hold.objects.create(reference=to, level_id=hold.level_id, quantity=part, state=state)


def _shrink(hold: Hold, pieces: int) -> None:
    hold.quantity -= pieces
    if hold.quantity == hold.shipped:
        hold.state = Hold.State.SHIPPED
    hold.save(update_fields=["quantity", "state", "updated_at"])


def _rest(hold: Hold | None) -> int:
    if hold is None or hold.state != Hold.State.COMMITTED:
        return 0
    return hold.quantity - hold.shipped


def _locked_levels(
    store_id: int, variants: set[int], holds: Mapping[int, Hold]
) -> list[StockLevel]:
    """Where the variants lie, and what the holds are on; the preferred location first."""
    order = {pk: n for n, pk in enumerate(locations_of(store_id).values_list("pk", flat=True))}
    selling = StockLevel.objects.filter(variant__in=variants, location__in=list(order))
    ids = {*selling.values_list("pk", flat=True), *holds}
    levels = locked(StockLevel.objects.filter(pk__in=ids))
    return sorted(levels, key=lambda level: (order.get(level.location_id, len(order)), level.pk))


def _give_back(levels: list[StockLevel], holds: Mapping[int, Hold], pieces: int) -> None:
    for level in reversed(levels):
        hold = holds.get(level.pk)
        part = min(pieces, _rest(hold))
        if part <= 0 or hold is None:
            continue
        StockLevel.objects.filter(pk=level.pk).update(
            committed=F("committed") - part, updated_at=timezone.now()
        )
        if part == hold.quantity:
            hold.state = Hold.State.RELEASED
            hold.save(update_fields=["state", "updated_at"])
        else:
            _shrink(hold, part)
        pieces -= part


def _take(
    reference: str, levels: list[StockLevel], holds: Mapping[int, Hold], more: Mapping[int, int]
) -> None:
    if not more:
        return
    free: dict[int, list[tuple[StockLevel, int]]] = {}
    for level in levels:
        free.setdefault(level.variant_id, []).append((level, level.available))
    takes, short = allocate(more, free)
    if short:
        skus = dict(Variant.objects.filter(pk__in=short).values_list("pk", "sku"))
        missing = [{"sku": skus.get(pk, ""), "available": left} for pk, left in short.items()]
        raise InsufficientStock(extra={"unavailable": missing})
    for _variant, level, pieces in takes:
        # The guard against overselling: the database itself compares, whatever we read before.
        promised = StockLevel.objects.filter(
            pk=level.pk, on_hand__gte=F("held") + F("committed") + pieces - F("backorder_limit")
        ).update(committed=F("committed") + pieces, updated_at=timezone.now())
        if not promised:
            raise InsufficientStock()
        hold = holds.get(level.pk)
        if hold is None:
            hold = Hold(reference=reference, level=level, quantity=0)
        # What has shipped stays on the record.
        hold.quantity = hold.shipped + _rest(hold) + pieces
        hold.state, hold.expires_at = Hold.State.COMMITTED, None
        hold.save()
