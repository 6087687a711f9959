"""The stock services against a model of plain numbers, in any order of calls."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
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
from apps.inventory import services
from apps.inventory.models import StockLevel
from apps.inventory.selectors import availability
from tests.factories.inventory import LocationFactory
from tests.factories.products import VariantFactory
from tests.factories.stores import StoreFactory
from tests.truths import untruths

PIECES = st.integers(1, 6)
VARIANTS = st.integers(0, 1)
PLACES = st.integers(0, 1)
REFERENCES = st.sampled_from(["order:1", "order:2", "order:3"])


class StockMachine(RuleBasedStateMachine):
    """`shelf[variant, place]` is what lies there; `held` and `committed` what is promised."""

    @initialize()
    def begin(self) -> None:
        self.example = transaction.atomic()
        self.example.__enter__()
        self.store = StoreFactory()
        self.variants = [VariantFactory() for _ in range(2)]
        self.places = [LocationFactory(priority=n) for n in range(2)]
        self.shelf = {(v, p): 0 for v in range(2) for p in range(2)}
        self.apart = dict.fromkeys(self.shelf, 0)
        self.backorder = dict.fromkeys(self.shelf, 0)
        # reference → {variant: pieces}, whichever shelves they are on.
        self.held: dict[str, dict[int, int]] = {}
        self.committed: dict[str, dict[int, int]] = {}
        self.steps = 0

    def _promised(self, variant: int) -> int:
        living = [*self.held.values(), *self.committed.values()]
        return sum(order.get(variant, 0) for order in living)

    def _free(self, variant: int) -> int:
        lying = sum(self.shelf[variant, p] + self.backorder[variant, p] for p in range(2))
        return lying - self._promised(variant)

    def _level(self, variant: int, place: int) -> StockLevel | None:
        return StockLevel.objects.filter(
            variant=self.variants[variant], location=self.places[place]
        ).first()

    def _where(self, variant: int, place: int) -> dict:
        return {"variant": self.variants[variant], "location": self.places[place]}

    def _movable(self, variant: int, place: int) -> int:
        level = self._level(variant, place)
        if level is None:
            return 0
        return min(level.on_hand, level.available)

    @rule(variant=VARIANTS, place=PLACES, pieces=PIECES)
    def receive(self, variant: int, place: int, pieces: int) -> None:
        self.steps += 1
        for _ in range(2):
            services.receive(**self._where(variant, place), quantity=pieces, key=f"r{self.steps}")
        self.shelf[variant, place] += pieces

    @rule(variant=VARIANTS, place=PLACES, delta=st.integers(-6, 6).filter(bool))
    def adjust(self, variant: int, place: int, delta: int) -> None:
        possible = delta > 0 or self._movable(variant, place) >= -delta
        assert possible == self._works(services.adjust, **self._where(variant, place), delta=delta)
        if possible:
            self.shelf[variant, place] += delta

    @rule(variant=VARIANTS, place=PLACES, pieces=st.integers(0, 6))
    def count(self, variant: int, place: int, pieces: int) -> None:
        possible = pieces >= self.shelf[variant, place] - self._movable(variant, place)
        assert possible == self._works(
            services.set_on_hand, **self._where(variant, place), quantity=pieces
        )
        if possible:
            self.shelf[variant, place] = pieces

    @rule(variant=VARIANTS, source=PLACES, pieces=PIECES)
    def transfer(self, variant: int, source: int, pieces: int) -> None:
        possible = self._movable(variant, source) >= pieces
        assert possible == self._works(
            services.transfer,
            variant=self.variants[variant],
            source=self.places[source],
            target=self.places[1 - source],
            quantity=pieces,
        )
        if possible:
            self.shelf[variant, source] -= pieces
            self.shelf[variant, 1 - source] += pieces

    @rule(variant=VARIANTS, place=PLACES, pieces=PIECES)
    def set_apart(self, variant: int, place: int, pieces: int) -> None:
        possible = self._movable(variant, place) >= pieces
        where = self._where(variant, place)
        assert possible == self._works(services.set_apart, **where, quantity=pieces)
        if possible:
            self.shelf[variant, place] -= pieces
            self.apart[variant, place] += pieces

    @rule(
        variant=VARIANTS,
        place=PLACES,
        pieces=PIECES,
        outcome=st.sampled_from(services.QUARANTINE_OUTCOMES),
    )
    def settle_quarantine(self, variant: int, place: int, pieces: int, outcome: str) -> None:
        possible = self.apart[variant, place] >= pieces
        settled = {"quantity": pieces, "outcome": outcome}
        where = self._where(variant, place)
        assert possible == self._works(services.settle_quarantine, **where, **settled)
        if possible:
            self.apart[variant, place] -= pieces
            self.shelf[variant, place] += pieces if outcome == "release" else 0

    @rule(variant=VARIANTS, place=PLACES, limit=st.integers(0, 4))
    def allow_backorders(self, variant: int, place: int, limit: int) -> None:
        level = self._level(variant, place)
        lying, promised = (level.on_hand, level.held + level.committed) if level else (0, 0)
        possible = limit + lying >= promised
        assert possible == self._works(
            services.set_backorder, **self._where(variant, place), limit=limit
        )
        if possible:
            self.backorder[variant, place] = limit

    @rule(reference=REFERENCES, first=st.integers(0, 5), second=st.integers(0, 5))
    def hold(self, reference: str, first: int, second: int) -> None:
        wanted = {v: n for v, n in ((0, first), (1, second)) if n}
        living = reference in self.held or reference in self.committed
        possible = living or all(self._free(v) >= n for v, n in wanted.items())
        assert possible == self._works(
            services.hold,
            reference=reference,
            store_id=self.store.pk,
            wants=[services.Want(self.variants[v].pk, n) for v, n in wanted.items()],
        )
        if possible and not living and wanted:
            self.held[reference] = wanted

    @rule(reference=REFERENCES)
    def commit(self, reference: str) -> None:
        services.commit(reference=reference)
        if reference in self.held:
            self.committed[reference] = self.held.pop(reference)

    @rule(reference=REFERENCES)
    def release(self, reference: str) -> None:
        order = self.held.pop(reference, None) or self.committed.pop(reference, None) or {}
        assert services.release(reference=reference) == sum(order.values())

    @rule()
    def expire(self) -> None:
        assert services.release_expired(now=timezone.now() + timedelta(hours=1)) == len(self.held)
        self.held.clear()

    @rule(reference=REFERENCES, variant=VARIANTS, pieces=PIECES)
    def ship(self, reference: str, variant: int, pieces: int) -> None:
        self.steps += 1
        before = {key: level.on_hand for key in self.shelf if (level := self._level(*key))}
        shipped = self._works(
            services.ship,
            reference=reference,
            quantities={self.variants[variant].pk: pieces},
            key=f"s{self.steps}",
        )
        order = self.committed.get(reference, {})
        if not shipped:
            # Too many, or (some of) them are backorders that haven't arrived.
            lying = sum(self.shelf[variant, p] for p in range(2))
            assert order.get(variant, 0) < pieces or any(self.backorder.values()) or lying < pieces
            return
        assert order[variant] >= pieces
        order[variant] -= pieces
        if not order[variant]:
            del order[variant]
        if not order:
            del self.committed[reference]
        for key in before:
            self.shelf[key] = self._level(*key).on_hand
        assert sum(before.values()) - sum(self.shelf[key] for key in before) == pieces

    @staticmethod
    def _works(service, **kwargs) -> bool:
        try:
            service(**kwargs)
        except DomainError:
            return False
        return True

    @invariant()
    def numbers_agree(self) -> None:
        if not hasattr(self, "shelf"):
            return
        levels = {(v, p): level for v in range(2) for p in range(2) if (level := self._level(v, p))}
        assert {k: level.on_hand for k, level in levels.items()} == {
            k: self.shelf[k] for k in levels
        }
        apart = {key: level.quarantined for key, level in levels.items()}
        assert apart == {key: self.apart[key] for key in levels}
        assert not any(n for key, n in self.shelf.items() if key not in levels)
        for column, orders in (("held", self.held), ("committed", self.committed)):
            for v in range(2):
                told = sum(getattr(level, column) for (w, _p), level in levels.items() if w == v)
                assert told == sum(order.get(v, 0) for order in orders.values())
        free = availability(store_id=self.store.pk, variant_ids=[v.pk for v in self.variants])
        assert [free[v.pk] for v in self.variants] == [self._free(0), self._free(1)]

    def teardown(self) -> None:
        """Whatever happened, the ledger adds up; then the next example begins with no rows."""
        if not hasattr(self, "example"):
            return
        found = untruths()
        transaction.set_rollback(True)
        self.example.__exit__(None, None, None)
        assert found == {}


@pytest.mark.django_db
def test_stock_services_agree_with_a_model():
    run_state_machine_as_test(
        StockMachine,
        settings=settings(
            max_examples=12,
            stateful_step_count=20,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
