"""Returns against a model of plain numbers, in any order of calls."""

from __future__ import annotations

import os
from typing import Any

import pytest
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
from rest_framework.test import APIClient

from apps.core import outbox
from apps.core.errors import DomainError
from apps.inventory.models import Hold
from apps.orders.models import Order
from apps.orders.services import cancel
from apps.returns import services
from apps.returns.models import Inspection
from tests.factories.promotions import PromotionFactory
from tests.factories.stores import StoreFactory
from tests.flows.conftest import build_shop
from tests.returns.conftest import Buyer, buy, pay_and_send, wish
from tests.truths import untruths

EXAMPLES = int(os.environ.get("RETURNS_EXAMPLES", "60")) // 12
SOLD = {"MUG": 3, "BOOK": 2}
WHICH = st.integers(0, 9)


class ReturnsMachine(RuleBasedStateMachine):
    """`away[sku]` is what is out of the customer's hands; `made` the returns, in their states."""

    @initialize(percent=st.sampled_from(["10", "33.33"]), enough=st.sampled_from([2, 4]))
    def begin(self, percent: str, enough: int) -> None:
        self.example = transaction.atomic()
        self.example.__enter__()
        store = StoreFactory(code="main", name="Main", is_default=True, order_prefix="WEB-")
        self.shop = build_shop(store)
        PromotionFactory(
            code="off",
            effect={"type": "percentage", "percent": percent, "of": "order"},
            conditions={"min_quantity": enough},
        )
        order = buy(Buyer(APIClient()), *SOLD.items())
        self.order = pay_and_send(order)
        self.away = dict.fromkeys(SOLD, 0)
        self.made: list[tuple[Any, str, int]] = []

    def _try(self, call: Any) -> bool:
        try:
            with transaction.atomic():
                call()
        except DomainError:
            return False
        return True

    def _one(self, which: int, status: str) -> tuple[Any, str, int] | None:
        mine = [one for one in self.made if one[0].status == status]
        return mine[which % len(mine)] if mine else None

    @rule(
        sku=st.sampled_from(sorted(SOLD)),
        pieces=st.integers(1, 3),
        ours=st.booleans(),
        instead=st.sampled_from(["", "MUG", "BOOK"]),
    )
    def ask(self, sku: str, pieces: int, ours: bool, instead: str) -> None:
        reason = "defective" if ours else "changed_mind"
        wanted = [wish(self.order, sku, pieces, reason=reason, exchange_for=instead)]

        def call() -> None:
            request = services.request_return(order=self.order, wishes=wanted, by_staff=True)
            self.made.append((request, sku, pieces))

        fits = self.away[sku] + pieces <= SOLD[sku]
        assert self._try(call) == fits
        self.away[sku] += pieces if fits else 0

    @rule(which=WHICH, how=st.sampled_from(["approve", "send first", "decline", "cancel"]))
    def decide(self, which: int, how: str) -> None:
        if not (one := self._one(which, "requested")):
            return None
        request, sku, pieces = one
        if how in ("approve", "send first"):
            # Refused where nothing is exchanged, or too little is on the shelf.
            send_now = how == "send first"
            self._try(lambda: services.approve_return(request=request, send_now=send_now))
            return self._again(request)
        if how == "decline":
            services.decline_return(request=request, reason="No")
        else:
            services.cancel_return(request=request)
        self.away[sku] -= pieces
        return self._again(request)

    @rule(which=WHICH, came=st.integers(0, 3))
    def receive(self, which: int, came: int) -> None:
        if not (one := self._one(which, "approved")):
            return
        request, sku, pieces = one
        line = request.lines.get()

        def call() -> None:
            services.receive_return(
                request=request, location=self.shop.near, quantities={line.public_id: came}
            )

        if self._try(call):
            assert 0 < came <= pieces
            self.away[sku] -= pieces - came
        self._again(request)

    @rule(which=WHICH, refused=st.integers(0, 2))
    def inspect(self, which: int, refused: int) -> None:
        if not (one := self._one(which, "received")):
            return
        request, sku, _pieces = one
        line = request.lines.get()
        refused = min(refused, line.received_quantity)
        outcomes = Inspection.Outcome
        parts = {outcomes.REFUSED: refused, outcomes.RESTOCK: line.received_quantity - refused}
        services.inspect_return(
            request=request,
            findings=[services.Finding(line.public_id, how, n) for how, n in parts.items() if n],
        )
        self.away[sku] -= refused
        self._again(request)

    @rule(which=WHICH, status=st.sampled_from(["approved", "received", "inspected"]))
    def refund_instead(self, which: int, status: str) -> None:
        if one := self._one(which, status):
            self._try(lambda: services.refund_instead(request=one[0]))
            self._again(one[0])

    @rule(which=WHICH)
    def give_up(self, which: int) -> None:
        if one := self._one(which, "approved"):
            services.cancel_return(request=one[0])
            outbox.drain()
            self.away[one[1]] -= one[2]
            self._again(one[0])

    @rule(which=WHICH)
    def refund(self, which: int) -> None:
        if one := self._one(which, "inspected"):
            services.refund_return(request=one[0])
            outbox.drain()
            self._again(one[0])

    @rule(which=WHICH)
    def cancel_replacement(self, which: int) -> None:
        made = [one[0].replacement_order for one in self.made if one[0].replacement_order]
        if made:
            self._try(lambda: cancel(order=made[which % len(made)]))
            outbox.drain()
            for one in self.made:
                self._again(one[0])

    def _again(self, request: Any) -> None:
        request.refresh_from_db()

    @invariant()
    def pieces_are_where_the_model_says(self) -> None:
        if not hasattr(self, "order"):
            return
        lines = self.order.lines.values_list("sku", "returned_quantity")
        assert dict(lines) == self.away
        order = Order.objects.get(pk=self.order.pk)
        assert order.refunded_amount <= order.captured_amount
        closed = [one for one in self.made if one[0].status == "closed"]
        back, credit, replaced = dict.fromkeys(SOLD, 0), 0, False
        for request, sku, _n in closed:
            back[sku] += request.lines.get().accepted_quantity
            against = request.payouts.filter(is_credit=True, refund=None)
            credit += sum(against.values_list("amount", flat=True))
            replaced |= request.lines.exclude(replacement=None).exists()
        if back == SOLD:
            # All of it, to the last cent, however it came; but for the delivery of what was kept.
            kept = 495 if replaced else 0
            assert order.captured_amount == order.total == order.refunded_amount + credit + kept

    @invariant()
    def what_is_exchanged_is_kept(self) -> None:
        for request, _sku, _n in getattr(self, "made", ()):
            holds = Hold.objects.filter(reference=request.reference, state="committed")
            kept = sum(holds.values_list("quantity", flat=True))
            line = request.lines.get()
            waits = request.status in ("approved", "received", "inspected")
            has_order = request.replacement_order_id is not None
            wanted = line.quantity if line.replacement_id and waits and not has_order else 0
            assert kept == wanted

    def teardown(self) -> None:
        if hasattr(self, "example"):
            found = untruths()
            transaction.set_rollback(True)
            self.example.__exit__(None, None, None)
            assert found == {}


@pytest.mark.django_db
def test_any_history_of_returns():
    run_state_machine_as_test(
        ReturnsMachine,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=20,
            suppress_health_check=list(HealthCheck),
        ),
    )
