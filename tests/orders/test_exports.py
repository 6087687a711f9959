"""Exports: what is in them, that they are safe to open, who had them, and those by the clock."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from zipfile import ZipFile

import pytest
from django.core import mail
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from apps.core.models import AuditEntry
from apps.core.spreadsheet import restore
from apps.notifications.models import Notification
from apps.orders import services
from apps.orders.models import ExportRun, Order, SavedExport
from apps.orders.selectors import exporting
from apps.orders.services import export_runs, exports
from apps.orders.services.export_runs import last_period, run_exports, schedule_exports
from tests.factories.accounts import StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
URL = "/api/v1/admin/orders/export/"


def body(response) -> bytes:
    return b"".join(response.streaming_content)


def table(content: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(content.decode(), newline="")))


def test_orders_and_lines_as_csv(as_merchant, order, place):
    place()
    services.set_tags(order=order, tags=["VIP", "call"])
    answer = as_merchant.get(URL, {"search": "mug"})
    assert answer["Content-Disposition"] == 'attachment; filename="orders.csv"'
    assert answer["Cache-Control"] == "private, no-store"
    [row] = table(body(answer))
    assert {name: row[name] for name in ("number", "total", "currency", "tags", "status")} == {
        "number": order.number,
        "total": "48.95",
        "currency": "EUR",
        "tags": "call, VIP",
        "status": "confirmed",
    }
    assert row["placed_at"] == order.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = table(body(as_merchant.get(URL, {"rows": "lines", "status": "confirmed"})))
    assert [(line["sku"], line["quantity"], line["total"]) for line in lines] == [
        ("MUG", "2", "24.00"),
        ("BOOK", "1", "20.00"),
        ("BOOK", "1", "20.00"),
    ]


def test_excel_holds_texts_and_numbers_and_no_formula(as_merchant, order):
    evil = '=HYPERLINK("http://evil.example","x")'
    Order.objects.filter(pk=order.pk).update(
        shipping_address={**order.shipping_address, "company": evil, "last_name": "+1"}
    )
    answer = as_merchant.get(URL, {"file_format": "xlsx"})
    with ZipFile(io.BytesIO(body(answer))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()
        assert not [name for name in book.namelist() if "rels" in name and "sheet1" in name]
    assert "<f>" not in sheet
    assert "&#39;=HYPERLINK" in sheet or "'=HYPERLINK" in sheet
    assert "<v>48.95</v>" in sheet


def test_formulas_are_neutralised(as_merchant, order):
    for sign in "=+-@\t\r":
        text = f"{sign}1+1"
        Order.objects.filter(pk=order.pk).update(shipping_address={"company": text})
        [row] = table(body(as_merchant.get(URL)))
        assert row["ship_to_company"] == f"'{text}"
        assert restore(row["ship_to_company"]) == text


def test_every_export_is_written_down(as_merchant, staff, order):
    body(as_merchant.get(URL, {"status": "confirmed"}))
    answer = staff.list_action([order], "export_lines_csv")
    assert len(table(body(answer))) == 2
    assert list(ExportRun.objects.order_by("pk").values_list("rows", "created_by__email")) == [
        ("orders", "merchant@example.com"),
        ("lines", "merchant@example.com"),
    ]
    [first, _second] = AuditEntry.objects.filter(action="order.export").order_by("pk")
    assert first.changes["filters"] == {"status": "confirmed"}


def test_exporting_needs_its_own_permission(client_for, viewer, readonly_staff, order):
    assert client_for(readonly_staff).get(URL).status_code == 403
    viewer.list_action([order], "export_csv")
    assert not ExportRun.objects.exists()


def test_wrong_filters_are_refused(as_merchant, order):
    for query in (
        {"status": "lost"},
        {"file_format": "pdf"},
        {"rows": "x"},
        {"created_after": "x"},
    ):
        assert (query, as_merchant.get(URL, query).status_code) == (query, 400)


def test_excel_at_once_has_a_limit(as_merchant, order, place, monkeypatch):
    place()
    monkeypatch.setattr(exports, "MOST_AT_ONCE", 1)
    refused = as_merchant.get(URL, {"file_format": "xlsx"})
    assert (refused.status_code, refused.json()["code"]) == (409, "export_too_large")
    assert as_merchant.get(URL, {"file_format": "xlsx", "search": "mug"}).status_code == 200


def test_each_chunk_is_read_by_as_many_queries(order, place, monkeypatch):
    place()
    place()
    monkeypatch.setattr(exporting, "CHUNK", 2)
    for rows in ("orders", "lines"):
        with CaptureQueriesContext(connection) as seen:
            chunks = list(exporting.export_chunks(Order.objects.all(), rows=rows))
        assert [number for _last, number, _rows in chunks] == [2, 1]
        # Two for each chunk, one that finds no more.
        assert len(seen) == 5


def test_command_goes_on_where_it_was_interrupted(order, place, tmp_path, monkeypatch, capsys):
    orders = [order, place(), place()]
    monkeypatch.setattr(exporting, "CHUNK", 1)
    path, whole = tmp_path / "orders.csv", tmp_path / "whole.csv"
    call_command("export_orders", str(whole))
    real, written = exports._encoded, []

    def interrupted(chunk):
        if len(written) == 2:
            raise KeyboardInterrupt
        written.append(chunk)
        return real(chunk)

    monkeypatch.setattr(exports, "_encoded", interrupted)
    with pytest.raises(CommandError, match="to go on"):
        call_command("export_orders", str(path))
    assert not path.exists()
    # Cut off in the middle of a row that wasn't counted yet.
    with (tmp_path / "orders.csv.part").open("ab") as part:
        part.write(b"WEB-3,half a ro")
    seen = []
    monkeypatch.setattr(exports, "_encoded", lambda chunk: seen.append(chunk) or real(chunk))
    call_command("export_orders", str(path))
    assert len(seen) == 1
    assert path.read_bytes() == whole.read_bytes()
    assert [row["number"] for row in table(path.read_bytes())] == [o.number for o in orders]
    assert sorted(p.name for p in tmp_path.glob("*")) == ["orders.csv", "whole.csv"]
    assert "3 orders" in capsys.readouterr().out


def test_command_writes_excel_and_refuses_unknown_filters(order, tmp_path):
    call_command("export_orders", str(tmp_path / "o.xlsx"), "--rows", "lines")
    assert ZipFile(tmp_path / "o.xlsx").testzip() is None
    with pytest.raises(CommandError, match="Unknown: colour"):
        call_command("export_orders", str(tmp_path / "o.csv"), "--filter", "colour=red")


# -- by the clock -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("frequency", "today", "expected"),
    [
        ("daily", date(2030, 1, 1), ("2029-12-31", date(2029, 12, 31), date(2030, 1, 1))),
        ("weekly", date(2030, 1, 1), ("2029-W52", date(2029, 12, 24), date(2029, 12, 31))),
        ("weekly", date(2029, 12, 31), ("2029-W52", date(2029, 12, 24), date(2029, 12, 31))),
        ("monthly", date(2030, 3, 31), ("2030-02", date(2030, 2, 1), date(2030, 3, 1))),
    ],
)
def test_last_period(frequency, today, expected):
    assert last_period(frequency, today) == expected


@given(st.sampled_from(["daily", "weekly", "monthly"]), st.dates(date(2000, 1, 1)))
def test_periods_follow_each_other_without_a_gap(frequency, today):
    name, first, end = last_period(frequency, today)
    assert first < end <= today
    before = last_period(frequency, first)
    assert (before[2], before[0] != name) == (first, True)


def saved(user, **fields) -> SavedExport:
    values = {"name": "Yesterday", "frequency": "daily", "created_by": user, **fields}
    export = SavedExport.objects.create(**values)
    export.recipients.add(user)
    return export


def test_scheduled_export_is_written_once_and_its_link_mailed(
    merchant, staff, viewer, order, place, drain
):
    yesterday = timezone.now() - timedelta(days=1)
    Order.objects.filter(pk=order.pk).update(created_at=yesterday)
    place()
    export = saved(merchant, filters="status=confirmed")
    export.recipients.add(StaffFactory(email="powerless@example.com"))
    assert (schedule_exports(), schedule_exports()) == (1, 0)
    assert (run_exports(), run_exports()) == (1, 0)
    drain()
    run = export.runs.get()
    assert (run.status, run.count, run.period) == (
        "done",
        1,
        (timezone.localdate() - timedelta(days=1)).isoformat(),
    )
    [message] = [sent for sent in mail.outbox if "Yesterday" in sent.subject]
    path = f"/admin/orders/exportrun/{run.public_id}/file/"
    assert message.to == ["merchant@example.com"]
    assert path in message.body
    assert message.attachments == []
    for secret in (order.number, order.email):
        assert secret not in message.body
    [row] = table(body(staff.get(path)))
    assert row["number"] == order.number
    assert AuditEntry.objects.filter(action="order.export_download").count() == 1
    assert viewer.get(path).status_code == 403
    schedule_exports(now=timezone.now() + timedelta(days=1))
    assert export.runs.count() == 2


def test_file_expires_and_is_removed(merchant, staff, order):
    saved(merchant, only_period=False)
    schedule_exports()
    run_exports()
    run = ExportRun.objects.get()
    path = f"/admin/orders/exportrun/{run.public_id}/file/"
    assert staff.get(path).status_code == 200
    ExportRun.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert staff.get(path).status_code == 404
    stored = run.file.name
    assert export_runs.prune_exports() == 1
    assert not storages["private"].exists(stored)
    assert ExportRun.objects.get().count == 1


def test_a_schedule_takes_its_files_along(merchant, order, django_capture_on_commit_callbacks):
    export = saved(merchant, only_period=False)
    schedule_exports()
    run_exports()
    stored = export.runs.get().file.name
    assert storages["private"].exists(stored)
    with django_capture_on_commit_callbacks(execute=True):
        export.delete()
    assert not storages["private"].exists(stored)


def test_an_export_whose_worker_died_is_begun_anew_and_given_up_in_the_end(merchant, order):
    saved(merchant, only_period=False)
    schedule_exports()
    now = timezone.now()
    ExportRun.objects.update(status="running", attempts=1, lease_until=now + timedelta(minutes=1))
    assert run_exports() == 0
    ExportRun.objects.update(lease_until=now - timedelta(seconds=1))
    assert run_exports() == 1
    assert Notification.objects.filter(kind="orders/export").count() == 1
    ExportRun.objects.update(status="running", attempts=3, lease_until=now)
    assert run_exports() == 0
    assert ExportRun.objects.get().status == "failed"


def test_filters_that_stopped_working_are_told(merchant, order):
    export = saved(merchant, filters="status=lost")
    schedule_exports()
    run = export.runs.get()
    assert (run.status, "status" in run.error) == ("failed", True)


def test_back_office_makes_a_scheduled_export(staff, merchant, store):
    form = {
        "name": "Weekly",
        "rows": "lines",
        "format": "xlsx",
        "frequency": "weekly",
        "filters": "?tag=vip",
        "is_active": "on",
        "recipients": [merchant.pk],
        "runs-TOTAL_FORMS": 0,
        "runs-INITIAL_FORMS": 0,
    }
    page = "/admin/orders/savedexport/add/"
    wrong = staff.post(page, {**form, "filters": "colour=red"})
    assert "filters" in wrong.context["adminform"].form.errors
    assert staff.post(page, form).status_code == 302
    export = SavedExport.objects.get()
    assert (export.filters, export.created_by) == ("tag=vip", merchant)
    schedule_exports()
    assert run_exports() == 1
    assert staff.get(f"/admin/orders/savedexport/{export.pk}/change/").status_code == 200
    assert staff.get("/admin/orders/exportrun/").status_code == 200
    assert datetime.now(UTC) < ExportRun.objects.get().expires_at
