"""Shipments of two orders of one customer against plain numbers, in any order of calls."""

from __future__ import annotations

import os
from dataclasses import dataclass

from django.db import transaction
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from apps.core.errors import DomainError
from apps.fulfillment import services, states
from apps.fulfillment.models import Fulfillment, Parcel, ShippingLabel
from apps.fulfillment.services import labels
from apps.inventory import services as inventory
from apps.inventory.models import StockLevel
from apps.orders import services as orders
from apps.orders.models import Order, OrderEvent, OrderLine
from apps.shipping.carriers.base import Label
from tests.factories.inventory import LocationFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import StoreFactory
from tests.truths import untruths

EXAMPLES = int(os.environ.get("SHIPMENT_EXAMPLES", "25"))
PIECES, WHICH = st.integers(1, 4), st.integers(0, 9)
ORDER = st.integers(0, 1)
ENDS = {"deliver": states.DELIVERED, "fail": states.FAILED, "return": states.RETURNED}
EVENTS = ("ship", "cancel", "label", "void", "separate", *ENDS)
HOME = {"country": "ES", "line1": "Calle Mayor 1", "city": "Madrid", "postal_code": "28013"}
# Pieces that each order is for; there are nine in two locations.
ORDERED = (6, 3)


@dataclass
class Known:
    """A shipment as it should be; those that share `parcel` share their parcels."""

    order: int
    state: str
    pieces: int
    place: int | None
    parcel: int


class ShipmentMachine(RuleBasedStateMachine):
    @initialize()
    def begin(self) -> None:
        self.example = transaction.atomic()
        self.example.__enter__()
        store, variant = StoreFactory(), VariantFactory()
        for priority, pieces in enumerate((4, 5)):
            place = LocationFactory(priority=priority)
            inventory.receive(variant=variant, location=place, quantity=pieces)
        self.orders = [self._order(store, variant, n, ORDERED[n]) for n in (0, 1)]
        self.known: dict[int, Known] = {}
        self.cancelled: set[int] = set()
        self.sold = 0

    def _order(self, store, variant, number: int, pieces: int) -> Order:
        order = Order.objects.create(
            number=f"T-{number}",
            store=store,
            email="ana@example.com",
            email_key="ana",
            currency="EUR",
            subtotal=0,
            total=0,
            status="pending",
            shipping_address=HOME,
        )
        OrderLine.objects.create(
            order=order, variant=variant, sku="MUG", name="Mug", quantity=pieces,
            unit_price=0, subtotal=0, total=0, weight=300,
        )  # fmt: skip
        OrderEvent.objects.create(order=order, kind="created", to_status="pending", actor="test")
        wants = [inventory.Want(variant.pk, pieces)]
        inventory.hold(reference=order.reference, store_id=store.pk, wants=wants)
        orders.confirm(order=order)
        return order

    def _try(self, call) -> object:
        try:
            with transaction.atomic():
                return call()
        except DomainError:
            return None

    def _pieces(self, order: int, among: tuple[str, ...]) -> int:
        mine = (each for each in self.known.values() if each.order == order)
        return sum(each.pieces for each in mine if each.state in among)

    def _left(self, order: int) -> int:
        return ORDERED[order] - self._pieces(order, states.GONE + states.WAITING)

    def _open(self, order: int) -> bool:
        gone = self._pieces(order, states.GONE)
        return order not in self.cancelled and gone < ORDERED[order]

    def _learn(self, made, state: str = states.PLANNED) -> int:
        """Remember shipments that are new, each in its own parcel; how many pieces they have."""
        total = 0
        for shipment in made:
            if shipment.pk in self.known:
                continue
            pieces = sum(line.quantity for line in shipment.lines.all())
            order = next(n for n in (0, 1) if self.orders[n].pk == shipment.order_id)
            place = shipment.location_id
            self.known[shipment.pk] = Known(order, state, pieces, place, shipment.pk)
            total += pieces
        return total

    def _beside(self, pk: int) -> dict[int, Known]:
        parcel = self.known[pk].parcel
        return {key: each for key, each in self.known.items() if each.parcel == parcel}

    def _leave(self, pk: int) -> None:
        rest = {key: each for key, each in self._beside(pk).items() if key != pk}
        self.known[pk].parcel = pk
        for each in rest.values():
            each.parcel = min(rest)
            each.state = states.PLANNED

    @rule(order=ORDER, pieces=PIECES, at_once=st.booleans())
    def make(self, order: int, pieces: int, at_once: bool) -> None:
        make = services.fulfill if at_once else services.plan
        wanted = {str(self.orders[order].lines.get().public_id): pieces}
        made = self._try(lambda: make(order=self.orders[order], quantities=wanted))
        assert (made is not None) == (self._open(order) and pieces <= self._left(order))
        if made:
            self._learn([made], states.SHIPPED if at_once else states.PLANNED)

    @rule(order=ORDER)
    def plan_whole(self, order: int) -> None:
        left = self._left(order) if self._open(order) else 0
        made = self._try(lambda: services.plan_whole(order=self.orders[order]))
        assert (made is not None) == self._open(order)
        assert self._learn(made or ()) == left

    @rule()
    def together(self) -> None:
        before = {pk: each for pk, each in self.known.items() if each.state == states.PLANNED}
        made = self._try(lambda: services.ship_together(orders=self.orders))
        if not (self._open(0) and self._open(1)):
            assert made is None
            return
        if made is None:
            # Nothing was planned either: no two of them would have left from one place.
            both = [{e.place for e in before.values() if e.order == n} for n in (0, 1)]
            assert not both[0] & both[1]
            return
        self._learn(Fulfillment.objects.filter(order__in=self.orders))
        assert (self._left(0), self._left(1)) == (0, 0)
        places: dict[int | None, dict[int, Known]] = {}
        for pk, each in self.known.items():
            if each.state == states.PLANNED:
                places.setdefault(each.place, {})[pk] = each
        shared = [found for found in places.values() if len({e.order for e in found.values()}) > 1]
        assert {each.pk for each in made} == {pk for found in shared for pk in found}
        for found in shared:
            for each in found.values():
                each.parcel = min(found)

    @rule(which=WHICH, event=st.sampled_from(EVENTS))
    def move(self, which: int, event: str) -> None:
        if not self.known:
            return
        pk = sorted(self.known)[which % len(self.known)]
        state, beside = self.known[pk].state, self._beside(pk)
        done = self._try(lambda: self._call(event, Fulfillment.objects.get(pk=pk)))
        target = states.target(state, event)
        if event in ("label", "void"):
            allowed = state in states.WAITING
        elif event == "separate":
            allowed = len(beside) == 1 or state == states.PLANNED
        else:
            allowed = target is not None or state == ENDS.get(event)
        assert (done is not None) == allowed
        if allowed and event == "separate":
            self._leave(pk)
        elif target and event == "cancel":
            self._leave(pk)
            self.known[pk].state = target
        elif target:
            for each in beside.values():
                each.state = target

    def _call(self, event: str, shipment: Fulfillment) -> object:
        if event == "ship":
            return services.ship(shipment=shipment)
        if event == "cancel":
            cancelled = services.cancel_shipment(shipment=shipment)
            self._give_back()
            return cancelled
        if event == "label":
            asked = labels.request_labels(shipment=shipment, carrier="shipstation", service="x")
            for label in asked:
                self.sold += 1
                labels._bought(label, Label(f"se-{self.sold}", f"PQ{self.sold}"))
            return True
        if event == "void":
            labels._unwant(shipment)
            return self._give_back()
        if event == "separate":
            return services.separate(shipment=shipment)
        return services.mark(shipment=shipment, event=event)

    def _give_back(self) -> bool:
        for label in ShippingLabel.objects.filter(status="voiding"):
            labels._voided(label)
        return True

    @rule(order=ORDER)
    def cancel_order(self, order: int) -> None:
        none_gone = not self._pieces(order, states.GONE)
        done = self._try(lambda: orders.cancel(order=self.orders[order]))
        assert (done is not None) == (none_gone and order not in self.cancelled)
        if done:
            self.cancelled.add(order)
            services.cancel_waiting(order_id=str(self.orders[order].public_id))
            self._give_back()
            for pk, each in self.known.items():
                if each.order == order and each.state in states.WAITING:
                    self._leave(pk)
                    each.state = states.CANCELLED

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "known"):
            return
        assert dict(Fulfillment.objects.values_list("pk", "status")) == {
            pk: each.state for pk, each in self.known.items()
        }
        self._agree_parcels()
        total = 0
        for number, order in enumerate(self.orders):
            gone = self._pieces(number, states.GONE)
            total += gone
            assert order.lines.get().fulfilled_quantity == gone
            order.refresh_from_db()
            ends = (states.DELIVERED, states.CANCELLED)
            mine = [each.state for each in self.known.values() if each.order == number]
            all_in = gone == ORDERED[number] and all(state in ends for state in mine)
            assert (order.status == "delivered") == all_in
        assert sum(StockLevel.objects.values_list("on_hand", flat=True)) == 9 - total

    def _agree_parcels(self) -> None:
        holders = {each.parcel for each in self.known.values()}
        assert set(Parcel.objects.values_list("fulfillment", flat=True)) == holders
        living = ShippingLabel.objects.filter(is_alive=True)
        labelled = {e.parcel for e in self.known.values() if e.state == states.LABELLED}
        assert labelled <= set(living.values_list("parcel__fulfillment", flat=True))

    def teardown(self) -> None:
        if hasattr(self, "example"):
            found = untruths()
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)
            assert found == {}


def test_shipments_agree_with_plain_numbers(db, shipstation):
    run_state_machine_as_test(
        ShipmentMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            suppress_health_check=list(HealthCheck),
        ),
    )
