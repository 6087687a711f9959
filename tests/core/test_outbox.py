"""Events: written with their change, delivered at least once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

import pytest
import time_machine
from django.db import connection, transaction
from django.utils import timezone

from apps.core import events, outbox
from apps.core.context import Actor, acting, current_actor
from apps.core.events import Event, publish
from apps.core.models import OutboxMessage

Status = OutboxMessage.Status


@dataclass(frozen=True)
class Rang(Event):
    name: ClassVar[str] = "tests.rang"
    times: int


@pytest.fixture
def heard(monkeypatch):
    """What the two receivers of `Rang` heard; `heard.fail` is how often the second one breaks."""

    class Heard(list):
        fail = 0
        actors: list[Actor] = []

    log = Heard()

    def first(event):
        log.append(("first", event.times))
        log.actors = [*log.actors, current_actor()]

    def second(event):
        if log.fail:
            log.fail -= 1
            raise RuntimeError("not now")
        log.append(("second", event.times))

    monkeypatch.setitem(events._types, Rang.name, Rang)
    monkeypatch.setitem(events._receivers, Rang.name, {"first": first, "second": second})
    return log


def _ring(times=1):
    with transaction.atomic():
        publish(Rang(times))


def _row(receiver):
    return OutboxMessage.objects.get(name=Rang.name, receiver=receiver)


def _later(**delta):
    return time_machine.travel(timezone.now() + timedelta(**delta), tick=False)


def test_every_receiver_hears_of_an_event_once(db, heard):
    with acting(Actor("merchant", request_id="r1")):
        _ring(3)
    assert heard == []
    assert outbox.drain() == 2
    assert heard == [("first", 3), ("second", 3)]
    assert outbox.drain() == 0
    assert heard.actors == [Actor("system", request_id="r1")]
    row = _row("first")
    assert (row.status, row.attempts, row.claim) == (Status.DONE, 1, None)
    assert row.done_at is not None


@pytest.mark.django_db(transaction=True)
def test_nobody_hears_of_what_was_rolled_back(heard):
    def ring_and_fail():
        with transaction.atomic():
            publish(Rang(1))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        ring_and_fail()
    assert outbox.drain() == 0
    assert not OutboxMessage.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_event_needs_the_transaction_of_its_change(heard):
    with pytest.raises(transaction.TransactionManagementError):
        publish(Rang(1))


def test_a_receiver_that_fails_is_tried_again_and_does_not_hold_up_others(db, heard):
    heard.fail = 2
    _ring()
    assert outbox.drain() == 2
    assert heard == [("first", 1)]
    row = _row("second")
    assert (row.status, row.attempts) == (Status.PENDING, 1)
    assert row.last_error == "RuntimeError: not now"
    assert outbox.drain() == 0
    for _turn in range(2):
        with _later(minutes=1):
            assert outbox.drain() == 1
        OutboxMessage.objects.filter(status=Status.PENDING).update(due_at=timezone.now())
    assert heard == [("first", 1), ("second", 1)]
    assert (_row("second").status, _row("second").attempts) == (Status.DONE, 3)


def test_delays_double_up_to_six_hours():
    for attempts, seconds in ((1, 5), (2, 10), (5, 80), (12, 10_240), (20, 21_600)):
        delays = [outbox.retry_delay(attempts).total_seconds() for _ in range(50)]
        assert seconds / 2 <= min(delays)
        assert max(delays) <= seconds
        assert len(set(delays)) > 1


def test_what_never_works_becomes_a_dead_letter_and_may_be_replayed(db, heard):
    heard.fail = outbox.MAX_ATTEMPTS
    _ring()
    for _turn in range(outbox.MAX_ATTEMPTS):
        OutboxMessage.objects.filter(status=Status.PENDING).update(due_at=timezone.now())
        outbox.relay_due()
    row = _row("second")
    assert (row.status, row.attempts) == (Status.DEAD, outbox.MAX_ATTEMPTS)
    with _later(days=30):
        assert outbox.drain() == 0
    assert outbox.replay([row.pk]) == 1
    assert outbox.drain() == 1
    assert heard == [("first", 1), ("second", 1)]


def test_a_receiver_that_is_gone_is_an_error_and_not_a_loss(db, heard):
    _ring()
    OutboxMessage.objects.filter(receiver="second").update(receiver="third")
    outbox.drain()
    row = _row("third")
    assert row.status == Status.PENDING
    assert "No receiver third" in row.last_error


def test_a_relay_that_died_gives_its_claims_back(db, heard):
    _ring()
    assert len(outbox._claim(10, timezone.now())) == 2
    assert outbox.drain() == 0
    with _later(seconds=outbox.LEASE.total_seconds() + 1):
        assert outbox.drain() == 2
    assert len(heard) == 2


def test_a_relay_that_is_too_late_does_not_overwrite_its_successor(db, heard):
    _ring()
    slow = outbox._claim(1, timezone.now())
    OutboxMessage.objects.filter(pk=slow[0].pk).update(due_at=timezone.now())
    assert outbox.drain() == 2
    heard.fail = 1
    OutboxMessage.objects.filter(pk=slow[0].pk).update(status=Status.DONE)
    outbox._deliver(slow)
    assert OutboxMessage.objects.get(pk=slow[0].pk).status == Status.DONE


@pytest.fixture
def crowd(heard, monkeypatch):
    """The lists that a receiver heard together; `crowd.refuses` is what it can't stand."""

    class Crowd(list):
        refuses = 0

    lists = Crowd()

    def crowd(rung):
        times = [event.times for event in rung]
        if lists.refuses in times:
            raise RuntimeError("not that")
        lists.append(times)

    monkeypatch.setitem(events._receivers, Rang.name, {"crowd": crowd})
    monkeypatch.setattr(events, "_together", {"crowd"})
    return lists


def test_who_hears_together_is_told_once_for_a_batch(db, crowd):
    for times in (1, 2, 3):
        _ring(times)
    assert outbox.relay_due(limit=2) == 2
    assert outbox.relay_due() == 1
    assert crowd == [[1, 2], [3]]
    rows = OutboxMessage.objects.values_list("status", "attempts", "claim")
    assert set(rows) == {(Status.DONE, 1, None)}


def test_one_that_fails_among_many_fails_alone(db, crowd):
    crowd.refuses = 2
    for times in (1, 2, 3):
        _ring(times)
    outbox.drain()
    assert crowd == [[1], [3]]
    assert OutboxMessage.objects.filter(status=Status.DONE).count() == 2
    failed = OutboxMessage.objects.get(status=Status.PENDING)
    assert (failed.payload, failed.attempts) == ({"times": 2}, 1)
    assert failed.last_error == "RuntimeError: not that"


def test_a_batch_is_of_the_oldest(db, heard):
    for times in range(3):
        _ring(times)
    assert outbox.relay_due(limit=2) == 2
    assert heard == [("first", 0), ("second", 0)]


def test_the_relay_is_woken_after_the_commit(heard, db, django_capture_on_commit_callbacks):
    woken = []
    before = list(events._wake_relay)
    events.on_publish(lambda: woken.append(1))
    try:
        with django_capture_on_commit_callbacks(execute=True):
            _ring()
            assert woken == []
        assert woken == [1]
    finally:
        events._wake_relay[:] = before


@pytest.mark.race
def test_relays_at_once_deliver_each_message_once(transactional_db, heard, at_once):
    for times in range(30):
        _ring(times)

    def relay(_number):
        total = 0
        while claimed := outbox.relay_due(limit=5):
            total += claimed
        connection.close()
        return total

    assert sum(at_once(8, relay)) == 60
    assert sorted(heard) == sorted((who, n) for who in ("first", "second") for n in range(30))
    assert set(OutboxMessage.objects.values_list("status", "attempts")) == {(Status.DONE, 1)}
