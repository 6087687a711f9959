"""Imports beside everything else that sells and stocks."""

from __future__ import annotations

import io

import pytest
from django.db import connection

from apps.integrations.models import ImportJob
from apps.integrations.services import ImportBusy, ImportOptions, create_job, run_job
from apps.inventory.models import Location, StockLevel
from apps.inventory.services import InsufficientStock, Want, hold
from apps.products.models import Product, Variant
from tests.truths import untruths

pytestmark = pytest.mark.race

HEADER = "Handle,Title,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Price\n"


def job_of(text: str, store, **options) -> ImportJob:
    chosen = ImportOptions(format="shopify", store=store, **options)
    return create_job(upload=io.BytesIO(text.encode()), name="x.csv", options=chosen)


def test_one_job_run_by_many_workers_is_done_once(at_once, store, monkeypatch):
    Location.objects.create(code="warehouse", name="Warehouse")
    monkeypatch.setattr("apps.integrations.services.running.BATCH_GROUPS", 5)
    text = HEADER + "".join(f"p-{n},P,P-{n},shopify,{n},1\n" for n in range(60))
    job = job_of(text, store)
    answers = at_once(
        4, lambda n: run_job(job=ImportJob.objects.get(pk=job.pk), take_over=True).status
    )
    assert all(answer == "done" or isinstance(answer, ImportBusy) for answer in answers)
    while ImportJob.objects.get(pk=job.pk).is_waiting:
        run_job(job=ImportJob.objects.get(pk=job.pk), take_over=True)
    job.refresh_from_db()
    assert (job.counts["created"], Product.objects.count()) == (60, 60)
    assert Variant.objects.count() == 60
    assert untruths() == {}


def test_two_imports_of_new_products_and_labels_at_once_both_end(at_once, store):
    Location.objects.create(code="warehouse", name="Warehouse")
    head = "Handle,Title,Vendor,Tags,Type,Variant SKU,Variant Price\n"
    texts = [
        head + "".join(f"{name}-{n},P,V{n % 3},t{n % 3},K{n % 3},{name}-{n},1\n" for n in range(40))
        for name in ("a", "b", "c")
    ]
    jobs = [job_of(text, store) for text in texts]
    at_once(3, lambda n: run_job(job=ImportJob.objects.get(pk=jobs[n].pk)))
    for job in jobs:
        job.refresh_from_db()
        if job.is_waiting:
            # It waited too long for a label of another one.
            run_job(job=job, take_over=True)
            job.refresh_from_db()
        assert (job.status, job.counts["created"], job.counts["refused"]) == ("done", 40, 0)


def test_snapshot_among_buyers_neither_oversells_nor_gives_back(at_once, store):
    location = Location.objects.create(code="warehouse", name="Warehouse")
    text = HEADER + "tee,Tee,TEE,shopify,10,1\n"
    run_job(job=job_of(text, store))
    variant = Variant.objects.get(sku="TEE")
    update = job_of(text.replace(",10,", ",15,"), store, update=True)

    def act(number: int) -> object:
        if number == 0:
            return run_job(job=ImportJob.objects.get(pk=update.pk)).status
        return hold(reference=f"order:{number}", wants=[Want(variant.pk, 1)], store_id=store.pk)

    answers = at_once(21, act)
    held = sum(not isinstance(answer, Exception) for answer in answers[1:])
    assert all(
        isinstance(answer, InsufficientStock)
        for answer in answers[1:]
        if isinstance(answer, Exception)
    )
    level = StockLevel.objects.get(location=location)
    assert (answers[0], level.on_hand, level.held) == ("done", 15, held)
    assert 10 <= held <= 15
    assert untruths() == {}
    assert connection.vendor == "postgresql"
