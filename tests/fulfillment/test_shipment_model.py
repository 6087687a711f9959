"""Shipments of an order against a model of plain numbers, in any order of calls."""

from __future__ import annotations

import os

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
from apps.core.invariants import violations
from apps.fulfillment import services, states
from apps.fulfillment.models import Fulfillment
from apps.inventory import services as inventory
from apps.inventory.models import StockLevel
from apps.orders import services as orders
from apps.orders.models import Order, OrderEvent, OrderLine
from tests.factories.inventory import LocationFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import StoreFactory

EXAMPLES = int(os.environ.get("SHIPMENT_EXAMPLES", "25"))
PIECES = st.integers(1, 4)
WHICH = st.integers(0, 9)
EVENTS = ("deliver", "fail", "return")


class ShipmentMachine(RuleBasedStateMachine):
    """Six pieces of one variant in two locations; `known` is each shipment's state and pieces."""

    @initialize()
    def begin(self) -> None:
        self.example = transaction.atomic()
        self.example.__enter__()
        store, variant = StoreFactory(), VariantFactory()
        for priority, pieces in enumerate((4, 5)):
            place = LocationFactory(priority=priority)
            inventory.receive(variant=variant, location=place, quantity=pieces)
        self.order = Order.objects.create(
            number="T-1",
            store=store,
            email="ana@example.com",
            currency="EUR",
            subtotal=0,
            total=0,
            status="pending",
            shipping_address={"country": "ES"},
        )
        self.line = OrderLine.objects.create(
            order=self.order, variant=variant, sku="MUG", name="Mug", quantity=6,
            unit_price=0, subtotal=0, total=0, weight=300,
        )  # fmt: skip
        OrderEvent.objects.create(
            order=self.order, kind="created", to_status="pending", actor="test"
        )
        inventory.hold(
            reference=self.order.reference,
            store_id=store.pk,
            wants=[inventory.Want(variant.pk, 6)],
        )
        orders.confirm(order=self.order)
        self.known: dict[int, tuple[str, int]] = {}
        self.cancelled = False

    def _try(self, call) -> object:
        try:
            with transaction.atomic():
                return call()
        except DomainError:
            return None

    def _left(self) -> int:
        taken = states.GONE + states.WAITING
        return 6 - sum(pieces for state, pieces in self.known.values() if state in taken)

    @property
    def _open(self) -> bool:
        gone = sum(pieces for state, pieces in self.known.values() if state in states.GONE)
        return not self.cancelled and gone < 6

    @rule(pieces=PIECES, at_once=st.booleans())
    def make(self, pieces: int, at_once: bool) -> None:
        make = services.fulfill if at_once else services.plan
        wanted = {str(self.line.public_id): pieces}
        made = self._try(lambda: make(order=self.order, quantities=wanted))
        assert (made is not None) == (self._open and pieces <= self._left())
        if made:
            self.known[made.pk] = (states.SHIPPED if at_once else states.PLANNED, pieces)

    @rule()
    def plan_whole(self) -> None:
        made = self._try(lambda: services.plan_whole(order=self.order))
        assert (made is not None) == self._open
        pieces = {s.pk: sum(line.quantity for line in s.lines.all()) for s in made or ()}
        assert sum(pieces.values()) == (self._left() if self._open else 0)
        self.known |= {pk: (states.PLANNED, n) for pk, n in pieces.items()}

    @rule(which=WHICH, event=st.sampled_from(["ship", "cancel", *EVENTS]))
    def move(self, which: int, event: str) -> None:
        if not self.known:
            return
        pk = sorted(self.known)[which % len(self.known)]
        state, pieces = self.known[pk]
        shipment = Fulfillment.objects.get(pk=pk)
        call = {
            "ship": lambda: services.ship(shipment=shipment),
            "cancel": lambda: services.cancel_shipment(shipment=shipment),
        }.get(event, lambda: services.mark(shipment=shipment, event=event))
        target = states.target(state, event)
        ends = {"deliver": "delivered", "fail": "failed", "return": "returned"}
        if event == "ship" and not self._open:
            target = None
        done = self._try(call)
        again = state == ends.get(event)
        assert (done is not None) == (target is not None or again)
        if target:
            self.known[pk] = (target, pieces)

    @rule()
    def cancel_order(self) -> None:
        none_gone = all(state not in states.GONE for state, _pieces in self.known.values())
        done = self._try(lambda: orders.cancel(order=self.order))
        assert (done is not None) == (none_gone and not self.cancelled)
        if done:
            self.cancelled = True
            services.cancel_waiting(order_id=str(self.order.public_id))
            for pk, (state, pieces) in self.known.items():
                if state in states.WAITING:
                    self.known[pk] = (states.CANCELLED, pieces)

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "known"):
            return
        assert dict(Fulfillment.objects.values_list("pk", "status")) == {
            pk: state for pk, (state, _pieces) in self.known.items()
        }
        gone = sum(pieces for state, pieces in self.known.values() if state in states.GONE)
        assert sum(StockLevel.objects.values_list("on_hand", flat=True)) == 9 - gone
        self.line.refresh_from_db()
        assert self.line.fulfilled_quantity == gone
        self.order.refresh_from_db()
        all_in = gone == 6 and all(
            state in (states.DELIVERED, states.CANCELLED) for state, _ in self.known.values()
        )
        assert (self.order.status == "delivered") == all_in

    def teardown(self) -> None:
        if hasattr(self, "example"):
            found = {name: lines for name, lines in violations().items() if lines}
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)
            assert found == {}


def test_shipments_agree_with_plain_numbers(db):
    run_state_machine_as_test(
        ShipmentMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
