"""Promises of stock: held for an unpaid order, committed for a confirmed one, then shipped.

Rows are locked in primary key order and every write is a conditional UPDATE on top: on no engine
can two orders be promised the same piece.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import transaction
from django.db.models import Case, F, IntegerField, Value, When
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.locks import locked
from apps.inventory.events import StockChanged
from apps.inventory.models import Hold, StockLevel, StockMovement
from apps.inventory.selectors import levels_of, plan
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
    *,
    reference: str,
    store_id: int,
    wants: Iterable[Want],
    expires_at: datetime | None = None,
    destination: Mapping[str, str] | None = None,
) -> list[Hold]:
    """Promise stock to `reference` until `expires_at` (30 minutes from now).

    Which locations send it to `destination` (an address) is the store's rule. All or nothing:
    raises InsufficientStock. Holding again for the same reference returns what is held. Variants
    whose stock isn't tracked need no hold.
    """
    expires_at = expires_at or timezone.now() + HOLD_LIFETIME
    wanted = _pieces(wants)
    # By variant, the product that it is of.
    tracked = dict(
        Variant.objects.filter(pk__in=wanted, track_inventory=True).values_list(
            "pk", "product__public_id"
        )
    )
    if not tracked:
        return []
    levels = list(locked(levels_of(store_id, tracked)))
    # Looked up under the locks: a retry of the same request may have been faster.
    known = list(Hold.objects.filter(reference=reference).order_by("level_id"))
    if alive := [hold_ for hold_ in known if hold_.is_alive]:
        return alive
    takes = _plan({pk: wanted[pk] for pk in tracked}, levels, destination or {})
    holds = [
        Hold(reference=reference, level=level, quantity=quantity, expires_at=expires_at)
        for level, quantity in sorted(takes, key=lambda take: take[0].pk)
    ]
    _promise(holds)
    _write(holds, known)
    publish(StockChanged(product_ids=sorted({str(product) for product in tracked.values()})))
    return holds


def _write(holds: list[Hold], known: list[Hold]) -> None:
    """Insert the holds; those of a reference that had given its stock back come to life again."""
    over = {hold_.level_id: hold_ for hold_ in known}
    for hold_ in holds:
        if before := over.get(hold_.level_id):
            hold_.pk, hold_.created_at = before.pk, before.created_at
            # What has shipped stays on the record.
            hold_.shipped = before.shipped
            hold_.quantity += before.shipped
            hold_.save(force_update=True)
    Hold.objects.bulk_create(h for h in holds if h.level_id not in over)


def _pieces(wants: Iterable[Want]) -> dict[int, int]:
    """Wanted pieces by variant."""
    total: dict[int, int] = {}
    for want in wants:
        check_pieces(want.quantity)
        total[want.variant_id] = total.get(want.variant_id, 0) + want.quantity
    return total


def _plan(
    wanted: Mapping[int, int], levels: list[StockLevel], destination: Mapping[str, str]
) -> list[tuple[StockLevel, int]]:
    """Which level gives how much; raises InsufficientStock with everything that is missing."""
    takes, short = plan(wanted, levels, destination)
    if short:
        skus = dict(Variant.objects.filter(pk__in=short).values_list("pk", "sku"))
        missing = [{"sku": skus.get(pk, ""), "available": left} for pk, left in short.items()]
        raise InsufficientStock(extra={"unavailable": missing})
    return [(level, pieces) for _variant, level, pieces in takes]


def _promise(holds: Sequence[Hold]) -> None:
    """The guard against overselling: the database itself compares, whatever we read before."""
    pieces = _rest_by_level(holds)
    promised = StockLevel.objects.filter(
        pk__in=[hold_.level_id for hold_ in holds],
        on_hand__gte=F("held") + F("committed") + pieces - F("backorder_limit"),
    ).update(held=F("held") + pieces, updated_at=timezone.now())
    if promised != len(holds):
        raise InsufficientStock()


def _rest_by_level(holds: Sequence[Hold]) -> Case:
    """In an UPDATE of levels: the pieces of the hold on it that haven't shipped."""
    parts = [When(pk=hold_.level_id, then=Value(hold_.quantity - hold_.shipped)) for hold_ in holds]
    return Case(*parts, output_field=IntegerField())


@transaction.atomic
def commit(*, reference: str) -> int:
    """Turn the held stock of `reference` into committed stock; the number of holds.

    Committing twice changes nothing.
    """
    holds = _locked_holds(reference, Hold.State.HELD)
    if holds:
        pieces = _rest_by_level(holds)
        StockLevel.objects.filter(pk__in=[hold_.level_id for hold_ in holds]).update(
            held=F("held") - pieces, committed=F("committed") + pieces, updated_at=timezone.now()
        )
        _change(holds, Hold.State.COMMITTED)
    return len(holds)


@transaction.atomic
def commit_again(
    *,
    reference: str,
    store_id: int,
    wants: Iterable[Want],
    destination: Mapping[str, str] | None = None,
) -> int:
    """Take stock for a confirmed order that got none when it was paid; the number of holds.

    Changes nothing for a reference that has stock, or has shipped it. Raises InsufficientStock.
    """
    took = Hold.objects.filter(reference=reference).exclude(state=Hold.State.RELEASED)
    if took.exists():
        return 0
    hold(reference=reference, store_id=store_id, wants=wants, destination=destination)
    return commit(reference=reference)


@transaction.atomic
def hand_over(
    *,
    reference: str,
    to: str,
    store_id: int,
    wants: Iterable[Want],
    expires_at: datetime | None = None,
    destination: Mapping[str, str] | None = None,
) -> None:
    """Hold for `to` what `reference` has; what it has beyond `wants` is free again.

    Nobody can come between. Raises InsufficientStock for more than `reference` had and is free.
    """
    wants = list(wants)
    wanted = [want.variant_id for want in wants]
    mine = Hold.objects.filter(reference=reference).values_list("level_id", flat=True)
    ids = [*mine, *levels_of(store_id, wanted).values_list("pk", flat=True)]
    # All of them at once, in their order.
    list(locked(StockLevel.objects.filter(pk__in=ids)))
    release(reference=reference)
    if wants:
        hold(
            reference=to,
            store_id=store_id,
            wants=wants,
            expires_at=expires_at,
            destination=destination,
        )


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
def ship(
    *, reference: str, quantities: Mapping[int, int], key: str, location_id: int | None = None
) -> None:
    """Take committed pieces of `reference` off the shelf, by variant id, with a movement each.

    From the shelves of one location, if it is given. `key` makes the movements unique. Raises
    Conflict when fewer pieces are committed, and InsufficientStock for a backorder that hasn't
    arrived. Variants whose stock isn't tracked are left alone.
    """
    holds = _locked_holds(reference, Hold.State.COMMITTED)
    by_variant: dict[int, list[Hold]] = {}
    for hold_ in holds:
        by_variant.setdefault(hold_.level.variant_id, []).append(hold_)
    for variant_id, wanted in quantities.items():
        check_pieces(wanted)
        mine = by_variant.get(variant_id)
        if mine is not None and location_id is not None:
            mine = [hold_ for hold_ in mine if hold_.level.location_id == location_id]
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
    """The holds of a reference with their levels, locked in primary key order."""
    holds = list(locked(Hold.objects.filter(reference=reference, state__in=states)))
    ids = [hold_.level_id for hold_ in holds]
    levels = {level.pk: level for level in locked(StockLevel.objects.filter(pk__in=ids))}
    for hold_ in holds:
        hold_.level = levels[hold_.level_id]
    return sorted(holds, key=lambda hold_: hold_.level_id)
