"""Imports as jobs: interrupted, resumed, refused by the database, run twice at once."""

from __future__ import annotations

import io
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core import outbox
from apps.core.errors import Conflict
from apps.core.models import AuditEntry, OutboxMessage
from apps.integrations.channels.registry import UnknownFormat
from apps.integrations.models import ImportJob, RefusedRow
from apps.integrations.services import (
    FileTooLarge,
    ImportBusy,
    ImportOptions,
    create_job,
    delete_job,
    find_or_create_job,
    run_job,
    running,
    start_import,
)
from apps.integrations.services import jobs as jobs_service
from apps.integrations.tasks import run_pending
from apps.products.models import Product, Variant
from apps.storefront.models import Listing
from tests.integrations.conftest import counts, dump, refused

pytestmark = pytest.mark.usefixtures("invariants")

HEADER = (
    "Handle,Title,Vendor,Tags,Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,"
    "Variant Inventory Qty,Variant Price,Image Src\n"
)


def catalogue(products: int) -> str:
    """Two variants each; every seventh has a bad price, every eleventh no title."""
    rows = []
    for n in range(products):
        title = "" if n % 11 == 10 else f"Product {n}"
        price = "free" if n % 7 == 6 else "9.90"
        tags = f'"t{n % 5}, t{n % 3}"'
        image = f"https://e.com/{n}.png"
        rows.append(f"p-{n},{title},V{n % 4},{tags},Size,S,P-{n}-S,shopify,{n},{price},{image}")
        rows.append(f"p-{n},,,,,M,P-{n}-M,shopify,{n},19.90,")
    return HEADER + "\n".join(rows) + "\n"


class Interrupted(BaseException):
    """As Ctrl-C is: nothing that an `except Exception` would catch."""


@pytest.fixture
def small_batches(monkeypatch):
    monkeypatch.setattr(running, "BATCH_GROUPS", 10)


@pytest.mark.usefixtures("small_batches")
@pytest.mark.parametrize("batches", [1, 2, 4])
def test_interrupted_import_ends_like_an_uninterrupted_one(batches, make_job, run, exported):
    text = catalogue(45)
    with transaction.atomic():
        whole = run(text)
        wanted = exported(), counts(whole), refused(whole), whole.preview
        transaction.set_rollback(True)
    job, seen = make_job(text), []

    def interrupt(done: int, total: int) -> None:
        seen.append(done)
        if len(seen) == batches:
            raise Interrupted

    with pytest.raises(Interrupted):
        run_job(job=job, on_progress=interrupt)
    job.refresh_from_db()
    assert (job.status, job.offset, job.lease_until) == ("running", seen[-1], None)
    assert 0 < job.offset < job.total_groups == 45
    # Those without a title are refused.
    assert Product.objects.count() == sum(n % 11 != 10 for n in range(job.offset))
    job = run_job(job=job)
    assert (exported(), counts(job), refused(job), job.preview) == wanted
    assert job.status == "done"
    assert not RefusedRow.objects.exists()


@pytest.mark.usefixtures("small_batches")
def test_turns_of_a_worker_add_up_to_the_whole(make_job, run, exported):
    text = catalogue(32)
    with transaction.atomic():
        whole = run(text)
        wanted = exported(), counts(whole), refused(whole)
        transaction.set_rollback(True)
    job = make_job(text)
    turns = 0
    while job.is_waiting:
        job = run_job(job=job, max_seconds=0)
        turns += 1
    assert turns == 4
    assert (exported(), counts(job), refused(job)) == wanted


def test_background_runs_what_is_queued_and_tells_at_once(make_job, drain):
    job = make_job(catalogue(3))
    assert OutboxMessage.objects.filter(name="import.queued").count() == 1
    drain()
    job.refresh_from_db()
    assert (job.status, job.counts["created"]) == ("done", 3)
    assert run_pending() == 0


def test_worker_that_died_leaves_its_job_to_the_next_after_the_lease(make_job):
    job = make_job(catalogue(3))
    ImportJob.objects.update(status="running", lease_until=timezone.now() + timedelta(seconds=30))
    job.refresh_from_db()
    assert run_pending() == 0
    with pytest.raises(ImportBusy):
        run_job(job=job)
    ImportJob.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
    assert run_pending() == 1
    assert Product.objects.count() == 3


@pytest.mark.usefixtures("small_batches")
def test_worker_that_was_overtaken_writes_nothing_more(make_job):
    """Two at once: the one whose batch isn't the next any more is stopped."""
    job = make_job(catalogue(35))

    def overtake(done: int, total: int) -> None:
        if done == 10:
            other = ImportJob.objects.get(pk=job.pk)
            assert run_job(job=other, take_over=True).status == "done"

    with pytest.raises(ImportBusy):
        run_job(job=job, on_progress=overtake)
    job.refresh_from_db()
    assert (job.status, job.offset) == ("done", 35)
    assert job.counts["products"] == Product.objects.count()


TRIGGERS = {
    "sqlite": [
        (
            "CREATE TRIGGER no_b BEFORE INSERT ON products_variant WHEN NEW.sku = 'B-1'"
            " BEGIN SELECT RAISE(ABORT, 'not this one'); END"
        )
    ],
    "postgresql": [
        (
            "CREATE FUNCTION no_b() RETURNS trigger AS $$ BEGIN IF NEW.sku = 'B-1' THEN"
            " RAISE unique_violation USING MESSAGE = 'not this one'; END IF; RETURN NEW; END $$"
            " LANGUAGE plpgsql"
        ),
        (
            "CREATE TRIGGER no_b BEFORE INSERT ON products_variant"
            " FOR EACH ROW EXECUTE FUNCTION no_b()"
        ),
    ],
}


@pytest.mark.skipif(connection.vendor not in TRIGGERS, reason="Its triggers end transactions.")
def test_group_that_the_database_refuses_is_the_only_one(run):
    """A trigger stands for whatever a batch can't foresee."""
    with connection.cursor() as cursor:
        for statement in TRIGGERS[connection.vendor]:
            cursor.execute(statement)
    job = run(HEADER + "a,A,,,,,A-1,,,1,\nb,B,,,,,B-1,,,1,\nc,C,,,,,C-1,,,1,\n")
    assert counts(job) == "rows 3, products 2, variants 2, created 2, refused 1"
    assert refused(job) == [("3", "", "The database refused it: not this one")]
    assert not Product.objects.filter(slug="b").exists()


def test_dry_run_finds_skus_that_two_products_of_the_file_want(run):
    rows = "".join(f"p-{n},P,,,,,SKU-{n % 250},,,1,\n" for n in range(400))
    dry = run(HEADER + rows, dry_run=True)
    assert counts(dry) == "rows 400, products 250, variants 250, created 250, refused 150"
    assert dry.counts == run(HEADER + rows).counts


def test_dry_run_then_import(make_job):
    job = run_job(job=make_job(catalogue(20), dry_run=True))
    before = dump(leave_out=("integrations", "core"))
    assert Product.objects.count() == 0
    dry = job.counts
    errors = job.error_file.name
    job = start_import(job=job)
    assert (job.status, job.dry_run, job.offset, job.counts, job.error_file.name) == (
        *("queued", False, 0, {}, ""),
    )
    assert dump(leave_out=("integrations", "core")) == before
    job = run_job(job=job)
    assert job.counts == dry
    assert job.error_file.name != errors
    with pytest.raises(Conflict):
        start_import(job=job)


def test_import_that_waits_is_not_started_twice(make_job):
    with pytest.raises(ImportBusy):
        start_import(job=make_job(catalogue(1)))


def test_failed_import_can_be_started_again(make_job):
    job = make_job("nothing of use\n1\n")
    job = run_job(job=job)
    assert job.status == "failed"
    assert start_import(job=job).status == "queued"


def test_file_that_is_gone_fails_the_job(make_job):
    job = make_job(catalogue(1))
    job.file.storage.delete(job.file.name)
    job = run_job(job=job)
    assert (job.status, job.error) == ("failed", "The file is gone.")


def test_same_file_goes_on_with_its_unfinished_job(store, location):
    options = ImportOptions(format="shopify", store=store)
    upload = io.BytesIO(catalogue(5).encode())
    job = find_or_create_job(upload=upload, name="a.csv", options=options)
    again = find_or_create_job(upload=upload, name="b.csv", options=options)
    assert again.pk == job.pk
    other = ImportOptions(format="shopify", store=store, update=True)
    assert find_or_create_job(upload=upload, name="a.csv", options=other).pk != job.pk
    run_job(job=job)
    assert find_or_create_job(upload=upload, name="a.csv", options=options).pk != job.pk


def test_unknown_format_and_large_files_are_refused(store, monkeypatch):
    options = ImportOptions(format="magento", store=store)
    with pytest.raises(UnknownFormat):
        create_job(upload=io.BytesIO(b"x"), name="a.csv", options=options)
    monkeypatch.setattr(jobs_service, "MAX_FILE_BYTES", 10)
    options = ImportOptions(format="shopify", store=store)
    with pytest.raises(FileTooLarge):
        create_job(upload=io.BytesIO(b"x" * 11), name="a.csv", options=options)
    assert not ImportJob.objects.exists()


@pytest.mark.parametrize("name", ["../../etc/passwd", "C:\\temp\\x.csv", "a" * 400, ""])
def test_name_of_the_file_never_leads_anywhere(name, store):
    options = ImportOptions(format="shopify", store=store)
    job = create_job(upload=io.BytesIO(b"Handle\n"), name=name, options=options)
    assert "/" not in job.original_name
    assert "\\" not in job.original_name
    assert job.file.name.rpartition("/")[2] == f"{job.public_id}.csv"


def test_deleted_job_takes_its_files_along(run, django_capture_on_commit_callbacks):
    job = run(catalogue(11))
    files = [job.file, job.error_file]
    assert all(file.storage.exists(file.name) for file in files)
    names = [file.name for file in files]
    with django_capture_on_commit_callbacks(execute=True):
        delete_job(job=job)
    assert not any(files[0].storage.exists(name) for name in names)
    assert Product.objects.count() == 10


def test_error_file_has_the_whole_row_with_formulas_taken_out(run):
    job = run('Handle,Title,Variant Price\n=cmd,"=1+1",@x\nok,=HYPERLINK(1),1\n')
    with job.error_file.open("rb") as file:
        assert file.read().decode() == (
            "line,column,reason,Handle,Title,Variant Price\r\n"
            "2,Variant Price,Not a number: @x,'=cmd,'=1+1,'@x\r\n"
        )
    # In the shop it is what the merchant wrote.
    assert Product.objects.get().name == "=HYPERLINK(1)"


def test_import_is_in_the_audit_log_with_who_and_what(make_job, merchant):
    job = make_job(catalogue(2))
    ImportJob.objects.update(created_by=merchant)
    job.refresh_from_db()
    run_job(job=job)
    entry = AuditEntry.objects.get(action="import")
    assert (entry.actor, entry.changes["created"]) == ("merchant@example.com", 2)
    price = Variant.objects.first().price_points.get()
    assert price.actor == "merchant@example.com"


def test_batch_is_announced_once_and_an_unchanged_one_never(run):
    text = catalogue(50)
    run(text)
    names = list(OutboxMessage.objects.values_list("name", "receiver"))
    assert sum(name == "products.changed" for name, _receiver in names) == len(
        {receiver for name, receiver in names if name == "products.changed"}
    )
    OutboxMessage.objects.all().delete()
    run(text, update=True)
    assert {m.name for m in OutboxMessage.objects.all()} == {"import.queued"}


def test_statements_do_not_grow_with_the_products(make_job):
    taken = []
    for start, products in ((0, 10), (1000, 100)):
        text = HEADER + "".join(
            f"q-{start + n},Q,V,t,Size,S,Q-{start + n},shopify,1,1,https://e.com/{n}.png\n"
            for n in range(products)
        )
        job = make_job(text)
        with CaptureQueriesContext(connection) as captured:
            run_job(job=job)
        taken.append(len(captured))
    # SQLite takes rows in portions of 999 values.
    assert taken[1] - taken[0] < 10
    assert taken[1] < 80


def test_a_product_is_listed_once_whatever_an_import_tells_of_it(run):
    """Its batch tells of products, prices and stock: three events, one listing."""
    text = HEADER + "".join(
        f"r-{n},R,V,t,Size,S,R-{n},shopify,1,1,https://e.com/{n}.png\n" for n in range(20)
    )
    run(text)
    listed = OutboxMessage.objects.filter(receiver="apps.storefront.receivers.relist_products")
    told = sorted(listed.values_list("name", flat=True))
    assert told == ["price.changed", "products.changed", "stock.changed"]
    with CaptureQueriesContext(connection) as captured:
        outbox.drain()
    table = connection.ops.quote_name("storefront_listing")
    written = [query for query in captured if query["sql"].startswith(f"INSERT INTO {table}")]
    assert (len(written), Listing.objects.count()) == (1, 20)
