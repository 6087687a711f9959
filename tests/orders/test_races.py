"""Two workers, two clocks: what is done once stays done once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from apps.orders.models import ExportRun, Order, OrderEvent, SavedExport
from apps.orders.services import automation, bulk
from apps.orders.services.bulk import create_bulk, run_bulk
from apps.orders.services.export_runs import schedule_exports

pytestmark = pytest.mark.race
WORKERS = 4


@pytest.fixture
def noting(merchant, place, monkeypatch):
    """A job of eight notes whose leases are over as soon as they are given."""
    monkeypatch.setattr(bulk, "LEASE", timedelta(seconds=-1))
    monkeypatch.setattr(bulk, "_renew", lambda job: True)
    orders = [place() for _ in range(8)]
    return create_bulk(
        verb="note",
        numbers=[order.number for order in orders],
        data={"message": "Once"},
        user=merchant,
    )


def test_workers_who_all_believe_the_job_theirs_do_each_order_once(noting, at_once, invariants):
    at_once(WORKERS, lambda n: run_bulk())
    run_bulk()
    assert OrderEvent.objects.filter(kind="note").count() == 8
    assert bulk.progress(noting) == {"total": 8, "done": 8, "refused": 0}


def test_without_the_conditional_write_they_do_it_again(noting, at_once, monkeypatch):
    """The negative control."""
    monkeypatch.setattr(bulk, "_write", lambda item, status, job_pk=None, **told: 1)
    at_once(2, lambda n: run_bulk(max_seconds=0.5))
    assert OrderEvent.objects.filter(kind="note").count() > 8


def test_two_clocks_queue_an_export_once(merchant, store, at_once):
    SavedExport.objects.create(name="Daily", frequency="daily", created_by=merchant)
    queued = at_once(WORKERS, lambda n: schedule_exports())
    assert sorted(queued) == [0] * (WORKERS - 1) + [1]
    assert ExportRun.objects.count() == 1


def test_rules_that_run_at_once_complete_an_order_once(delivered, at_once, invariants):
    for _ in range(4):
        delivered(15)
    done = at_once(WORKERS, lambda n: sum(automation.apply_rules().values()))
    assert sum(done) == 4
    assert OrderEvent.objects.filter(kind="complete").count() == 4
    assert set(Order.objects.values_list("status", flat=True)) == {"completed"}
