"""Related products in files: by slug or SKU, whatever stands first."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core import outbox
from apps.core.models import OutboxMessage
from apps.integrations.models import WaitingRelation
from apps.integrations.services import run_job, running
from apps.products.models import ProductRelation
from tests.integrations.conftest import dump, refused

pytestmark = pytest.mark.usefixtures("invariants")
HEADER = "slug,name,sku,price,related\n"
FILE = HEADER + 'a,A,A-1,1,"c, B-1"\nb,B,B-1,1,\nc,C,C-1,1,a\n'


@pytest.fixture(autouse=True)
def _no_leftovers(db):
    yield
    assert WaitingRelation.objects.count() == 0


def related():
    found: dict[str, list[str]] = {}
    for row in ProductRelation.objects.select_related("product", "related"):
        found.setdefault(row.product.slug, []).append(row.related.slug)
    return found


def test_products_are_related_to_what_comes_later(run, monkeypatch):
    monkeypatch.setattr(running, "BATCH_GROUPS", 1)
    job = run(FILE, "commerce")
    assert (job.counts["created"], job.counts["refused"]) == (3, 0)
    assert related() == {"a": ["c", "b"], "c": ["a"]}


def test_again_it_changes_nothing_and_an_empty_cell_takes_all_away(run):
    run(FILE, "commerce")
    outbox.drain()
    OutboxMessage.objects.all().delete()
    again = run(FILE, "commerce", update=True)
    assert (again.counts["unchanged"], again.counts["updated"]) == (3, 0)
    assert {m.name for m in OutboxMessage.objects.all()} == {"import.queued"}
    changed = run(HEADER + "a,A,A-1,1,\nc,C,C-1,1,b\n", "commerce", update=True)
    assert changed.counts["updated"] == 2
    assert changed.preview[0]["changes"] == ["related"]
    assert related() == {"c": ["b"]}
    told = OutboxMessage.objects.filter(name="products.changed").first()
    assert len(told.payload["product_ids"]) == 2
    # A file without the column leaves them alone, as an import that doesn't update does.
    run("slug,name,sku,price\nc,C,C-1,1\n", "commerce", update=True)
    run(HEADER + "c,C,C-1,1,a\n", "commerce")
    assert related() == {"c": ["b"]}


def test_what_isnt_there_is_told_and_the_rest_is_taken(run):
    job = run(HEADER + 'a,A,A-1,1,"b, nowhere, a"\nb,B,B-1,1,\n', "commerce")
    assert related() == {"a": ["b"]}
    reason = "There is no such product: nowhere A product isn't related to itself."
    assert refused(job) == [("2", "related", reason)]
    assert (job.counts["created"], job.counts["refused"]) == (2, 1)
    assert job.refusals == [{"line": 2, "column": "related", "reason": reason}]


def test_too_many_are_refused(run):
    many = ",".join(f"p-{n}" for n in range(101))
    job = run(HEADER + f'a,A,A-1,1,"{many}"\n', "commerce")
    assert refused(job)[0][1:] == ("related", "At most 100 related products.")


def test_dry_run_tells_the_same_and_writes_nothing(run):
    text = HEADER + 'a,A,A-1,1,"c, B-1, nowhere"\nb,B,B-1,1,a\nc,C,C-1,1,\n'
    before = dump(leave_out=("integrations", "core"))
    dry = run(text, "commerce", dry_run=True)
    assert dump(leave_out=("integrations", "core")) == before
    real = run(text, "commerce")
    assert dry.counts == real.counts
    assert dry.refusals == real.refusals
    assert refused(dry) == refused(real)


def test_interrupted_import_goes_on_where_it_was(make_job, monkeypatch):
    monkeypatch.setattr(running, "BATCH_GROUPS", 1)
    job = run_job(job=make_job(FILE, "commerce"), max_seconds=0)
    assert (job.status, job.offset, WaitingRelation.objects.count()) == ("running", 1, 1)
    assert related() == {}
    while job.status != "done":
        job = run_job(job=job, max_seconds=0)
    assert (job.offset, job.counts["created"]) == (3, 3)
    assert related() == {"a": ["c", "b"], "c": ["a"]}


def test_statements_do_not_grow_with_the_related(make_job):
    taken = []
    for start, products in ((0, 10), (1000, 90)):
        rows = "".join(
            f"p-{start + n},P,P-{start + n},1,p-{start + (n + 1) % products}\n"
            for n in range(products)
        )
        job = make_job(HEADER + rows, "commerce")
        with CaptureQueriesContext(connection) as captured:
            run_job(job=job)
        taken.append(len(captured))
    assert taken[1] - taken[0] < 10
