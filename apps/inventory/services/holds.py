"""Promises of stock: held for an unpaid order, committed for a confirmed one, then shipped.

Rows are locked in primary key order and every write is a conditional UPDATE on top: on no engine
can two orders be promised the same piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.inventory.engines.allocation import allocate
from apps.inventory.models import Hold, StockLevel, StockMovement
from apps.inventory.selectors import holds_of, locations_of
from apps.inventory.services.stock import check_pieces, tell_changed
from apps.products.models import Variant

HOLD_LIFETIME = timedelta(minutes=30)


class InsufficientStock(Conflict):
    """`extra["unavailable"]` tells each SKU with the quantity that is left."""

    code = "out_of_stock"
    message = _("Some items are no longer available in this quantity.")


@dataclass(frozen=True, slots=True)
class Want:
    variant_id: int
    quantity: int


@transaction.atomic
def hold(
    *, reference: str, store_id: int, wants: Iterable[Want], expires_at: datetime | None = None
) -> list[Hold]:
    """Promise stock to `reference` until `expires_at` (30 minutes from now).

    Ships from as few locations as possible, the preferred ones first. All or nothing: raises
    InsufficientStock. Holding again for the same reference returns what is held. Variants whose
    stock isn't tracked need no hold.
    """
    if existing := holds_of(reference):
        return existing
    expires_at = expires_at or timezone.now() + HOLD_LIFETIME
    tracked = _tracked(wants)
    if not tracked:
        return []
    by_location = list(locations_of(store_id).values_list("pk", flat=True))
    levels = list(
        locked(StockLevel.objects.filter(variant_id__in=tracked, location_id__in=by_location))
    )
    # Look again under the locks: a retry of the same request may have been faster.
    if existing := holds_of(reference):
        return existing
    takes = _plan(tracked, levels, by_location)
    holds = []
    for level, quantity in sorted(takes, key=lambda take: take[0].pk):
        _promise(level, quantity)
        holds.append(
            Hold(reference=reference, level=level, quantity=quantity, expires_at=expires_at)
        )
    _write(reference, holds)
    tell_changed(level.variant_id for level, _quantity in takes)
    return holds


def _write(reference: str, holds: list[Hold]) -> None:
    """Insert the holds; those of a reference that had given its stock back come to life again."""
    over = {
        hold_.level_id: hold_
        for hold_ in Hold.objects.filter(
            reference=reference, level_id__in=[hold_.level_id for hold_ in holds]
        )
    }
    for hold_ in holds:
        if known := over.get(hold_.level_id):
            hold_.pk, hold_.created_at, hold_.shipped = known.pk, known.created_at, known.shipped
            # What has shipped stays on the record.
            hold_.quantity += known.shipped
            hold_.save(force_update=True)
    Hold.objects.bulk_create(h for h in holds if h.level_id not in over)


def _tracked(wants: Iterable[Want]) -> dict[int, int]:
    """Wanted pieces by variant, of those whose stock is tracked."""
    total: dict[int, int] = {}
    for want in wants:
        check_pieces(want.quantity)
        total[want.variant_id] = total.get(want.variant_id, 0) + want.quantity
    tracked = Variant.objects.filter(pk__in=total, track_inventory=True)
    return {pk: total[pk] for pk in tracked.values_list("pk", flat=True)}


def _plan(
    wanted: Mapping[int, int], levels: list[StockLevel], by_location: list[int]
) -> list[tuple[StockLevel, int]]:
    """Which level gives how much; raises InsufficientStock with everything that is missing."""
    rank = {location: i for i, location in enumerate(by_location)}
    free: dict[int, list[tuple[StockLevel, int]]] = {}
    for level in sorted(levels, key=lambda level: rank[level.location_id]):
        free.setdefault(level.variant_id, []).append((level, level.available))
    takes, short = allocate(wanted, free)
    if short:
        skus = dict(Variant.objects.filter(pk__in=short).values_list("pk", "sku"))
        missing = [{"sku": skus.get(pk, ""), "available": left} for pk, left in short.items()]
        raise InsufficientStock(extra={"unavailable": missing})
    return [(level, pieces) for _variant, level, pieces in takes]


def _promise(level: StockLevel, quantity: int) -> None:
    """The guard against overselling: the database itself compares, whatever we read before."""
    promised = StockLevel.objects.filter(
        pk=level.pk,
        on_hand__gte=F("held") + F("committed") + quantity - F("backorder_limit"),
    ).update(held=F("held") + quantity, updated_at=timezone.now())
    if promised != 1:
        raise InsufficientStock()


@transaction.atomic
def commit(*, reference: str) -> int:
    """Turn the held stock of `reference` into committed stock; the number of holds.

    Committing twice changes nothing.
    """
    holds = _locked_holds(reference, Hold.State.HELD)
    for hold_ in holds:
        rest = hold_.quantity - hold_.shipped
        StockLevel.objects.filter(pk=hold_.level_id).update(
            held=F("held") - rest, committed=F("committed") + rest, updated_at=timezone.now()
        )
    _change(holds, Hold.State.COMMITTED)
    return len(holds)


@transaction.atomic
def commit_again(*, reference: str, store_id: int, wants: Iterable[Want]) -> int:
    """Take stock for a confirmed order that got none when it was paid; the number of holds.

    Changes nothing for a reference that has stock, or has shipped it. Raises InsufficientStock.
    """
    took = Hold.objects.filter(reference=reference).exclude(state=Hold.State.RELEASED)
    if took.exists():
        return 0
    hold(reference=reference, store_id=store_id, wants=wants)
    return commit(reference=reference)


def extend(*, reference: str, expires_at: datetime) -> None:
    """Keep what is held for `reference` until then."""
    Hold.objects.filter(reference=reference, state=Hold.State.HELD).update(
        expires_at=expires_at, updated_at=timezone.now()
    )


def release(*, reference: str) -> int:
    """Give back what is held or committed for `reference` and not shipped; the pieces given back.

    Releasing twice changes nothing.
    """
    return _give_back(reference, Hold.State.HELD, Hold.State.COMMITTED)


@transaction.atomic
def _give_back(reference: str, *states: str, expired_at: datetime | None = None) -> int:
    given_back, over = 0, []
    for hold_ in _locked_holds(reference, *states):
        if expired_at and (hold_.expires_at is None or hold_.expires_at >= expired_at):
            continue
        column = "held" if hold_.state == Hold.State.HELD else "committed"
        rest = hold_.quantity - hold_.shipped
        StockLevel.objects.filter(pk=hold_.level_id).update(
            **{column: F(column) - rest}, updated_at=timezone.now()
        )
        given_back += rest
        over.append(hold_)
    _change(over, Hold.State.RELEASED)
    if over:
        tell_changed(hold_.level.variant_id for hold_ in over)
    return given_back


@transaction.atomic
def ship(*, reference: str, quantities: Mapping[int, int], key: str) -> None:
    """Take committed pieces of `reference` off the shelf, by variant id, with a movement each.

    `key` makes the movements unique. Raises Conflict when fewer pieces are committed, and
    InsufficientStock for a backorder that hasn't arrived. Variants whose stock isn't tracked are
    left alone.
    """
    holds = _locked_holds(reference, Hold.State.COMMITTED)
    by_variant: dict[int, list[Hold]] = {}
    for hold_ in holds:
        by_variant.setdefault(hold_.level.variant_id, []).append(hold_)
    for variant_id, wanted in quantities.items():
        check_pieces(wanted)
        mine = by_variant.get(variant_id)
        if mine is None and not Variant.objects.filter(pk=variant_id, track_inventory=True):
            continue
        left = wanted
        for hold_ in mine or ():
            part = min(left, hold_.quantity - hold_.shipped)
            if part:
                _take_off_the_shelf(hold_, part, f"{key}:{hold_.level_id}")
                left -= part
        if left:
            raise Conflict(_("More pieces than are committed to this order."))


def _take_off_the_shelf(hold_: Hold, quantity: int, key: str) -> None:
    level = StockLevel.objects.filter(pk=hold_.level_id)
    # A backorder may be committed before it lies on the shelf, but not shipped.
    if not level.filter(on_hand__gte=quantity, committed__gte=quantity).update(
        on_hand=F("on_hand") - quantity,
        committed=F("committed") - quantity,
        updated_at=timezone.now(),
    ):
        raise InsufficientStock(_("This isn't on the shelf yet."))
    hold_.shipped += quantity
    if hold_.shipped == hold_.quantity:
        hold_.state = Hold.State.SHIPPED
    hold_.save(update_fields=["shipped", "state", "updated_at"])
    StockMovement.objects.create(
        level_id=hold_.level_id,
        delta=-quantity,
        on_hand_after=level.values_list("on_hand", flat=True).get(),
        reason=StockMovement.Reason.SHIP,
        reference=hold_.reference,
        actor=current_actor().label,
        key=key,
    )


def release_expired(*, now: datetime | None = None) -> int:
    """Release every hold whose time is over; the number of references released.

    What was committed, or given more time, after we looked stays.
    """
    now = now or timezone.now()
    expired = Hold.objects.filter(state=Hold.State.HELD, expires_at__lt=now)
    references = set(expired.values_list("reference", flat=True)[:1000])
    return sum(
        1
        for reference in sorted(references)
        if _give_back(reference, Hold.State.HELD, expired_at=now)
    )


def _change(holds: Iterable[Hold], state: str) -> None:
    Hold.objects.filter(pk__in=[hold_.pk for hold_ in holds]).update(
        state=state, expires_at=None, updated_at=timezone.now()
    )


def _locked_holds(reference: str, *states: str) -> list[Hold]:
    """The holds of a reference, after their levels have been locked in primary key order."""
    mine = Hold.objects.filter(reference=reference, state__in=states)
    list(locked(StockLevel.objects.filter(pk__in=list(mine.values_list("level_id", flat=True)))))
    # Read again under the locks: somebody may have been faster.
    return list(mine.select_related("level").order_by("level_id"))
