"""Many at once, on PostgreSQL; and proof that the guard is what holds them."""

from __future__ import annotations

import random
import threading
from datetime import timedelta

import pytest
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from apps.inventory import services
from apps.inventory.models import Hold, StockLevel, StockMovement
from apps.inventory.services import InsufficientStock, Want
from tests.factories.inventory import LocationFactory, StockLevelFactory
from tests.factories.products import VariantFactory
from tests.truths import untruths

pytestmark = pytest.mark.race


@pytest.fixture
def variant(transactional_db):
    """50 pieces in two locations."""
    variant = VariantFactory()
    for on_hand in (20, 30):
        StockLevelFactory(variant=variant, location=LocationFactory(), on_hand=on_hand)
    return variant


def _twice(at_once, call):
    """100 calls by 50 threads: a server has only so many connections."""

    def both(number):
        answers = []
        for turn in range(2):
            try:
                answers.append(call(2 * number + turn))
            except InsufficientStock as error:
                answers.append(error)
        return answers

    return [answer for pair in at_once(50, both) for answer in pair]


def _sold():
    return sum(StockLevel.objects.values_list("held", flat=True))


def _truths():
    assert untruths() == {}


def test_holding_never_oversells(variant, store, at_once):
    def buy(number):
        reference, wants = f"order:{number}", [Want(variant.pk, 1)]
        return services.hold(reference=reference, store_id=store.pk, wants=wants)

    answers = _twice(at_once, buy)
    assert sum(isinstance(a, list) for a in answers) == 50
    assert sum(isinstance(a, InsufficientStock) for a in answers) == 50
    assert _sold() == 50
    _truths()


def test_reading_then_writing_oversells_without_the_guards(variant, store, at_once):
    """The negative control: the same race is lost by code that reads, compares and saves."""
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE inventory_stocklevel DROP CONSTRAINT level_promises_covered")

    all_have_read = threading.Barrier(50)

    def buy(number):
        with transaction.atomic():
            level = max(
                StockLevel.objects.filter(variant=variant), key=lambda level: level.available
            )
            all_have_read.wait(timeout=30)
            if level.available < 1:
                raise InsufficientStock()
            level.held += 1
            level.save()
            Hold.objects.create(reference=f"order:{number}", level=level, quantity=1)

    try:
        answers = _twice(at_once, buy)
        assert sum(answer is None for answer in answers) == Hold.objects.count()
        assert Hold.objects.count() > 50
    finally:
        Hold.objects.all().delete()
        StockLevel.objects.update(held=0)
        with connection.cursor() as cursor:
            cursor.execute(
                "ALTER TABLE inventory_stocklevel ADD CONSTRAINT level_promises_covered"
                " CHECK (on_hand >= held + committed - backorder_limit)"
            )


def test_holds_of_many_lines_in_any_order_never_deadlock(store, transactional_db, at_once):
    place = LocationFactory()
    variants = [StockLevelFactory(location=place, on_hand=500).variant.pk for _number in range(6)]

    def buy(number):
        for turn in range(10):
            wants = [Want(pk, 1) for pk in random.sample(variants, 6)]
            reference = f"order:{number}-{turn}"
            services.hold(reference=reference, store_id=store.pk, wants=wants)
            if turn % 2:
                services.commit(reference=reference)
            else:
                services.release(reference=reference)

    answers = at_once(20, buy)
    assert not any(isinstance(answer, OperationalError) for answer in answers)
    assert answers == [None] * 20
    levels = StockLevel.objects.values_list("held", "committed")
    assert list(levels) == [(0, 100)] * 6
    _truths()


def test_one_reference_is_held_once(variant, store, at_once):
    def buy(_number):
        return services.hold(reference="order:1", store_id=store.pk, wants=[Want(variant.pk, 3)])

    answers = at_once(20, buy)
    assert {type(answer) for answer in answers} == {list}
    assert _sold() == 3
    _truths()


def test_one_key_receives_once(variant, at_once):
    level = StockLevel.objects.first()
    level.location, level.variant  # noqa: B018 (loaded before the threads)

    def receive(_number):
        return services.receive(
            variant=level.variant, location=level.location, quantity=5, key="delivery"
        )

    answers = at_once(20, receive)
    assert {type(answer) for answer in answers} == {StockMovement}
    assert len({answer.pk for answer in answers}) == 1
    _truths()


def test_a_paid_order_keeps_its_stock_while_holds_expire(store, transactional_db, at_once):
    """The sweeper looks, the payment commits, the sweeper acts: the committed hold stays."""
    level = StockLevelFactory(on_hand=40)
    now = timezone.now()
    for number in range(40):
        services.hold(
            reference=f"order:{number:02}",
            store_id=store.pk,
            wants=[Want(level.variant_id, 1)],
            expires_at=now - timedelta(seconds=1),
        )

    def act(number):
        if number == 0:
            return services.release_expired(now=now)
        return [services.commit(reference=f"order:{n:02}") for n in range(39, -1, -1)]

    answers = at_once(2, act)
    level.refresh_from_db()
    assert answers[0] + sum(answers[1]) == 40
    assert (level.held, level.committed) == (0, sum(answers[1]))
    _truths()


def test_everything_at_once_keeps_the_ledger_true(variant, store, at_once):
    """Buying, counting, importing, expiring and cancelling the last pieces."""
    levels = list(StockLevel.objects.select_related("variant", "location"))

    def act(number):
        level, reference = levels[number % 2], f"order:{number % 7}"
        where = {"variant": level.variant, "location": level.location}
        for turn in range(5):
            step = (number + turn) % 6
            try:
                if step == 0:
                    services.hold(
                        reference=reference, store_id=store.pk, wants=[Want(variant.pk, 7)]
                    )
                elif step == 1:
                    services.commit(reference=reference)
                elif step == 2:
                    services.set_on_hand(**where, quantity=random.randint(5, 30))
                elif step == 3:
                    services.apply_snapshot(**where, quantity=random.randint(0, 30))
                elif step == 4:
                    services.release(reference=reference)
                else:
                    services.transfer(
                        variant=variant,
                        source=level.location,
                        target=levels[1 - number % 2].location,
                        quantity=3,
                    )
            except (InsufficientStock, services.StockPromised, services.NotOnHand):
                continue

    answers = at_once(18, act)
    assert answers == [None] * 18
    _truths()
