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
from tests.fulfillment.conftest import PRIORITY

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
