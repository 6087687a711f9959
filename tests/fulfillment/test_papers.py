"""Packing slips, labels and customs papers in one file."""

from __future__ import annotations

from io import BytesIO

import pytest
from django.utils import timezone
from pypdf import PdfReader

from apps.fulfillment import services
from apps.fulfillment.models import PrintJob, PrintRow
from apps.fulfillment.selectors import (
    customs_form,
    customs_items,
    shipments_for_papers,
    slips_pdf,
)
from apps.fulfillment.selectors.requests import crosses_customs, label_request
from apps.fulfillment.services.labels import request_labels
from apps.fulfillment.services.printing import NothingToPrint
from apps.products.models import Variant
from apps.shipping.carriers.base import CustomsItem
from apps.shipping.models import ShippingMethod, Zone
from tests.backoffice.conftest import staff
from tests.factories.shipping import DutyRateFactory
from tests.fulfillment.conftest import PRIORITY

__all__ = ["staff"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def _texts(document):
    return [page.extract_text() for page in PdfReader(BytesIO(document)).pages]


@pytest.fixture
def shipments(buy, shipstation):
    made = [services.plan_whole(order=buy(("BOOK", n), last_name="Šćřž Ελλη"))[0] for n in (1, 2)]
    services.buy_labels(shipment=made[0], carrier="shipstation", service=PRIORITY)
    return made


def test_slips_and_labels_in_one_file_with_a_result_for_each(shipments, shipstation, drain):
    job = services.print_papers(shipments=shipments)
    drain()
    services.run_print_jobs()
    job.refresh_from_db()
    assert (job.status, job.done, job.total, job.pages) == ("done", 2, 2, 3)
    results = PrintRow.objects.order_by("pk").values_list("result", flat=True)
    assert list(results) == ["ok", "no_label"]
    with job.file.open() as file:
        first, second, label = _texts(file.read())
    assert all(text in first for text in ("Packing slip", "BOOK", "Šćřž Ελλη"))
    assert shipments[1].order.number in second
    [sold] = shipstation.bought
    assert sold["tracking_number"] in label
    # Personal data don't stay.
    services.run_print_jobs(now=timezone.now() + services.printing.KEPT * 2)
    assert PrintJob.objects.get().file.name == ""


def test_a_job_whose_worker_died_begins_again(shipments):
    services.print_papers(shipments=shipments, labels=False)
    PrintJob.objects.update(status="running", lease_until=timezone.now())
    assert services.run_print_jobs() == 1
    assert services.run_print_jobs() == 0


@pytest.mark.parametrize("wrong", [{"slips": False, "labels": False}, {"shipments": []}])
def test_nothing_to_print(shipments, wrong):
    with pytest.raises(NothingToPrint):
        services.print_papers(**{"shipments": shipments, **wrong})


@pytest.fixture
def abroad(buy, shop):
    """Three mugs for 36.00 to New York, duties paid by the shop."""
    Zone.objects.update(places=["ES", "US"])
    ShippingMethod.objects.update(duties_paid=True)
    Variant.objects.filter(sku="MUG").update(hs_code="6912.00", origin_country="PT")
    place = {"country": "US", "region": "NY", "city": "New York", "postal_code": "10001"}
    [shipment] = services.plan_whole(order=buy(("MUG", 3), **place))
    return shipments_for_papers().get(pk=shipment.pk)


def test_what_crosses_customs_is_declared(abroad, shipstation):
    [item] = customs_items(abroad)
    assert (item.quantity, item.value, item.weight, item.hs_code) == (3, 3600, 900, "6912.00")
    slip, declaration, invoice = _texts(slips_pdf([abroad], made_at=timezone.now()))
    assert "Packing slip" in slip
    assert all(text in declaration for text in ("CN 22", "6912.00", "PT", "36.00 EUR", "0.900"))
    assert all(text in invoice for text in ("COMMERCIAL INVOICE", "DDP"))
    [label] = request_labels(shipment=abroad, carrier="shipstation", service=PRIORITY)
    request = label_request(label)
    assert (request.customs, request.duties_paid) == ((item,), True)
    services.labels.drive(label=label)
    bought = next(e.request for e in shipstation.exchanges if e.request)["shipment"]
    [product] = bought["packages"][0]["products"]
    assert product["value"] == {"amount": 12.0, "currency": "eur"}


@pytest.mark.parametrize(
    ("country", "postal_code", "declared"),
    [
        ("ES", "28013", False),
        ("PT", "1000-001", False),
        ("ES", "35001", True),
        ("CH", "8001", True),
    ],
)
def test_where_customs_are_crossed(abroad, country, postal_code, declared):
    abroad.order.shipping_address = {"country": country, "postal_code": postal_code}
    assert crosses_customs(abroad) is declared


@pytest.mark.parametrize(
    ("value", "weight", "form"),
    [(30000, 2000, "CN 22"), (30001, 2000, "CN 23"), (100, 2001, "CN 23")],
)
def test_which_form(value, weight, form):
    assert customs_form((CustomsItem("Mug", 1, value, "EUR", weight),)) == form


JOBS = "/api/v1/admin/print-jobs/"


def test_papers_by_api(shipments, as_merchant, drain):
    ids = [str(shipment.public_id) for shipment in shipments]
    made = as_merchant.post(JOBS, {"shipments": [ids[1], ids[0], ids[1]]})
    assert made.status_code == 201
    job = made.json()
    assert (job["status"], job["total"], job["expires_at"]) == ("queued", 2, None)
    url = f"{JOBS}{job['id']}/"
    assert as_merchant.get(f"{url}file/").status_code == 404
    assert as_merchant.delete(f"{url}file/").json()["code"] == "still_printing"
    drain()
    job = as_merchant.get(url).json()
    assert (job["status"], job["pages"], job["requested_by"]) == ("done", 3, "merchant@example.com")
    assert [(row["shipment"], row["result"]) for row in job["rows"]] == [
        (ids[1], "no_label"),
        (ids[0], "ok"),
    ]
    row = PrintJob.objects.get()
    assert services.expires_at(row) == row.finished_at + services.printing.KEPT
    file = as_merchant.get(f"{url}file/")
    assert (file["Content-Type"], file["Cache-Control"]) == ("application/pdf", "private, no-store")
    assert len(_texts(b"".join(file.streaming_content))) == 3
    assert [each["id"] for each in as_merchant.get(f"{JOBS}?status=done").json()["results"]] == [
        job["id"]
    ]
    storage, name = row.file.storage, row.file.name
    assert as_merchant.delete(f"{url}file/").status_code == 204
    assert as_merchant.delete(f"{url}file/").status_code == 204
    assert (storage.exists(name), as_merchant.get(f"{url}file/").status_code) == (False, 404)
    assert as_merchant.get(url).json()["expires_at"] is None


def test_what_can_not_be_printed_by_api(shipments, as_merchant):
    known, unknown = str(shipments[0].public_id), "01890000-0000-7000-8000-000000000000"
    answer = as_merchant.post(JOBS, {"shipments": [known, unknown]})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_shipments")
    nothing = {"shipments": [known], "slips": False, "labels": False}
    assert as_merchant.post(JOBS, nothing).json()["code"] == "nothing_to_print"
    assert as_merchant.post(JOBS, {"shipments": []}).status_code == 400
    assert not PrintJob.objects.exists()


def test_a_storage_that_fails_keeps_nobody_from_printing(shipments, drain, monkeypatch):
    job = services.print_papers(shipments=shipments)
    drain()
    later = timezone.now() + services.printing.KEPT * 2
    storage = type(PrintJob.objects.get(pk=job.pk).file.storage)

    def broken(self, name):
        raise OSError("gone")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "delete", broken)
        services.print_papers(shipments=shipments[:1])
        assert services.run_print_jobs(now=later) == 1
        assert PrintJob.objects.get(pk=job.pk).file
    services.run_print_jobs(now=later)
    assert not PrintJob.objects.get(pk=job.pk).file


def test_who_bears_duties_sees_the_estimate(abroad, as_merchant, staff):
    url = f"/api/v1/admin/fulfillments/{abroad.public_id}/duties/"
    found = as_merchant.get(url).json()["duties"]
    assert (found["terms"], found["unknown"]) == ("DDP", ["MUG"])
    said = "Estimated duties, paid by the sender"
    # Of nothing it is no estimate.
    assert said not in _texts(slips_pdf([abroad], made_at=timezone.now()))[2]
    assert "(no rate for MUG)" in staff.page(abroad.order)
    DutyRateFactory(country="US", hs_prefix="6912", basis_points=980)
    assert as_merchant.get(url).json()["duties"] == {
        "terms": "DDP",
        "is_estimate": True,
        "amount": {"amount": "3.53", "currency": "EUR"},
        "is_free": False,
        "unknown": [],
    }
    invoice = _texts(slips_pdf([abroad], made_at=timezone.now()))[2]
    assert f"{said}: 3.53 EUR (not binding)" in " ".join(invoice.split())
    assert "€3.53 DDP" in staff.page(abroad.order)
    assert "€3.53 DDP" in staff.page(abroad)
    ShippingMethod.objects.update(duties_paid=False)
    assert said not in _texts(slips_pdf([abroad], made_at=timezone.now()))[2]
    assert "€3.53 DAP" in staff.page(abroad)


def test_at_home_no_duties(shipments, as_merchant):
    url = f"/api/v1/admin/fulfillments/{shipments[0].public_id}/duties/"
    assert as_merchant.get(url).json() == {"duties": None}
