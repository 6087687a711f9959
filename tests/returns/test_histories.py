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
from apps.core.invariants import violations
from apps.orders.models import Order
from apps.returns import services
from apps.returns.models import Inspection
from tests.factories.promotions import PromotionFactory
from tests.factories.stores import StoreFactory
from tests.flows.conftest import build_shop
from tests.returns.conftest import Buyer, buy, pay_and_send, wish

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

    @rule(sku=st.sampled_from(sorted(SOLD)), pieces=st.integers(1, 3), ours=st.booleans())
    def ask(self, sku: str, pieces: int, ours: bool) -> None:
        reason = "defective" if ours else "changed_mind"
        wanted = [wish(self.order, sku, pieces, reason=reason)]

        def call() -> None:
            request = services.request_return(order=self.order, wishes=wanted)
            self.made.append((request, sku, pieces))

        fits = self.away[sku] + pieces <= SOLD[sku]
        assert self._try(call) == fits
        self.away[sku] += pieces if fits else 0

    @rule(which=WHICH, how=st.sampled_from(["approve", "decline", "cancel"]))
    def decide(self, which: int, how: str) -> None:
        if not (one := self._one(which, "requested")):
            return None
        request, sku, pieces = one
        if how == "approve":
            services.approve_return(request=request)
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

    @rule(which=WHICH)
    def refund(self, which: int) -> None:
        if one := self._one(which, "inspected"):
            services.refund_return(request=one[0])
            outbox.drain()
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
        back = dict.fromkeys(SOLD, 0)
        for request, sku, _n in closed:
            back[sku] += request.lines.get().accepted_quantity
        if back == SOLD:
            # All of it, to the last cent, however it came.
            assert order.refunded_amount == order.captured_amount == order.total

    def teardown(self) -> None:
        if hasattr(self, "example"):
            found = {name: told for name, told in violations().items() if told}
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
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
