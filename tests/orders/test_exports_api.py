"""Scheduled exports, their runs and bulk changes by the API."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.core.models import AuditEntry
from apps.orders.models import BulkJob, ExportRun, SavedExport
from apps.orders.services.bulk import create_bulk, draft_bulk
from apps.orders.services.export_runs import run_exports, schedule_exports

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
EXPORTS = "/api/v1/admin/orders/exports/"
RUNS = "/api/v1/admin/orders/export-runs/"
BULK = "/api/v1/admin/orders/bulk/"


@pytest.fixture
def made(as_merchant, merchant):
    body = {
        "name": "Mugs",
        "rows": "lines",
        "filters": "?search=mug",
        "frequency": "daily",
        "only_period": False,
        "recipients": [merchant.email.upper()],
    }
    answer = as_merchant.post(EXPORTS, body)
    assert answer.status_code == 201, answer.json()
    return answer.json()


def test_an_export_is_scheduled_changed_and_switched_off(as_merchant, merchant, made):
    assert {name: made[name] for name in made if name not in ("id", "created_at")} == {
        "name": "Mugs",
        "rows": "lines",
        "format": "csv",
        "filters": "search=mug",
        "frequency": "daily",
        "only_period": False,
        "recipients": [merchant.email],
        "is_active": True,
        "created_by": merchant.email,
    }
    url = f"{EXPORTS}{made['id']}/"
    changed = as_merchant.patch(url, {"is_active": False, "recipients": []})
    assert changed.json() == {**made, "is_active": False, "recipients": []}
    assert as_merchant.get(url).json() == changed.json()
    assert schedule_exports() == 0
    assert AuditEntry.objects.filter(action="order.export_schedule").count() == 2
    assert as_merchant.delete(url).status_code == 405


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"filters": "colour=red"}, "filters"),
        ({"recipients": ["nobody@example.com"]}, "recipients"),
        ({"frequency": "hourly"}, "frequency"),
        ({"created_by": "me"}, "created_by"),
    ],
)
def test_wrong_exports_are_refused(as_merchant, made, changes, field):
    url = f"{EXPORTS}{made['id']}/"
    answer = as_merchant.patch(url, changes)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, field)
    assert as_merchant.get(url).json() == made


def test_a_shoppers_address_is_no_recipient(as_merchant, made, shopper):
    answer = as_merchant.patch(f"{EXPORTS}{made['id']}/", {"recipients": [shopper.email]})
    assert (answer.status_code, SavedExport.objects.get().recipients.count()) == (400, 1)


def test_a_runs_file_is_fetched_as_long_as_it_is_kept(as_merchant, order, made):
    schedule_exports()
    assert as_merchant.get(RUNS).json()["results"][0]["status"] == "queued"
    run_exports()
    [run] = as_merchant.get(RUNS).json()["results"]
    assert (run["export"], run["status"], run["count"], run["has_file"]) == (
        made["id"],
        "done",
        1,
        True,
    )
    url = f"{RUNS}{run['id']}/"
    assert as_merchant.get(url).json() == run
    file = as_merchant.get(f"{url}file/", HTTP_ACCEPT="text/csv")
    assert file["Content-Disposition"] == f'attachment; filename="orders-{run["period"]}.csv"'
    assert file["Cache-Control"] == "private, no-store"
    assert order.number in b"".join(file.streaming_content).decode()
    assert AuditEntry.objects.filter(action="order.export_download").count() == 1
    assert as_merchant.get(f"{url}file/", HTTP_ACCEPT="image/png").status_code == 406

    ExportRun.objects.update(expires_at=timezone.now() - timedelta(days=1))
    assert as_merchant.get(url).json()["has_file"] is False
    assert as_merchant.get(f"{url}file/").status_code == 404


def test_exports_by_hand_are_in_the_list_and_have_no_file(as_merchant, order):
    as_merchant.get("/api/v1/admin/orders/export/", {"search": "mug"})
    [run] = as_merchant.get(RUNS).json()["results"]
    assert (run["export"], run["filters"], run["has_file"]) == (None, {"search": "mug"}, False)
    assert as_merchant.get(f"{RUNS}{run['id']}/file/").status_code == 404


def test_bulk_changes_are_listed_but_for_drafts(as_merchant, merchant, order):
    create_bulk(verb="tag", numbers=[order.number], data={"tags": ["VIP"]}, user=merchant)
    draft_bulk(orders=type(order).objects.all(), user=merchant)
    [job] = as_merchant.get(BULK).json()["results"]
    assert (job["action"], job["status"], job["created_by"]) == ("tag", "queued", merchant.email)
    assert as_merchant.get(f"{BULK}{job['id']}/").json() == {
        **job,
        "total": 1,
        "done": 0,
        "refused": 0,
        "refusals": [],
    }


@pytest.mark.parametrize("url", [EXPORTS, RUNS, BULK])
def test_lists_are_pages_and_cost_the_same_queries(as_merchant, merchant, url):
    def more():
        for _ in range(3):
            export = SavedExport.objects.create(name="x", frequency="daily", created_by=merchant)
            export.recipients.add(merchant)
            ExportRun.objects.create(
                export=export, created_by=merchant, rows="orders", format="csv"
            )
            BulkJob.objects.create(verb="tag", status="done", created_by=merchant)

    def queries():
        with CaptureQueriesContext(connection) as seen:
            page = as_merchant.get(url, {"limit": 2}).json()
        assert (len(page["results"]), page["next"] is not None) == (2, True)
        return len(seen)

    more()
    first = queries()
    more()
    assert queries() == first


@pytest.mark.parametrize("url", [EXPORTS, RUNS])
def test_it_needs_the_permission_to_export(client_for, readonly_staff, url):
    assert client_for(readonly_staff).get(url).status_code == 403
