"""Many orders at once: their labels, their papers in one file, and out of the door."""

from __future__ import annotations

from io import BytesIO

import pytest
from pypdf import PdfReader

from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment, PrintJob, ShippingLabel
from apps.fulfillment.services import verbs
from apps.orders.models import BulkJob, Order
from apps.orders.services import bulk, cancel, hold_order
from apps.orders.services.bulk import create_bulk, progress, run_bulk
from tests.backoffice.conftest import staff
from tests.fulfillment.conftest import PRIORITY
from tests.permissions.cast import key_of
from tests.permissions.cast import staff as staff_of

__all__ = ["staff"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
URL = "/api/v1/admin/orders/bulk/"
LABEL = {"carrier": "shipstation", "service": PRIORITY}


@pytest.fixture
def three(buy):
    """The second of them is cancelled."""
    orders = [buy(("BOOK", n)) for n in (1, 2, 3)]
    cancel(order=orders[1])
    return orders


def _do(user, verb, **data):
    numbers = list(Order.objects.values_list("number", flat=True))
    job = create_bulk(verb=verb, numbers=numbers, data=data, user=user)
    run_bulk()
    job.refresh_from_db()
    return job


def _codes(job):
    refused = job.items.filter(status="refused")
    return list(refused.values_list("order__number", "code"))


def _text(job):
    with job.file.open() as file:
        return [page.extract_text() for page in PdfReader(BytesIO(file.read())).pages]


def test_from_label_to_door(three, merchant, shipstation, drain):
    refused = [(three[1].number, "transition_refused")]
    for verb, data in (("label", LABEL), ("print", {}), ("ship", {})):
        job = _do(merchant, verb, **data)
        assert (verb, job.status, progress(job)["done"], _codes(job)) == (verb, "done", 2, refused)
    assert ShippingLabel.objects.filter(status="bought").count() == len(shipstation.bought) == 2
    drain()
    [papers] = PrintJob.objects.all()
    assert (papers.status, papers.total, papers.pages) == ("done", 2, 4)
    assert papers.requested_by == "merchant@example.com"
    pages = _text(papers)
    assert [three[i].number in pages[at] for i, at in ((0, 0), (2, 1))] == [True, True]
    # With the labels and parcels that were bought, not beside them.
    assert list(Fulfillment.objects.values_list("status", flat=True)) == ["shipped"] * 2


def test_held_orders_stay_and_stop_nobody(buy, merchant):
    held, *others = [buy(("BOOK", 1)) for _ in range(3)]
    hold_order(order=held)
    for verb in ("print", "ship"):
        assert _codes(_do(merchant, verb)) == [(held.number, "order_on_hold")]
    assert not held.fulfillments.exists()
    assert Order.objects.filter(status="shipped").count() == len(others)
    # What has left doesn't leave twice.
    assert [code for _, code in _codes(_do(merchant, "ship"))].count("transition_refused") == 2


def test_labels_are_bought_once_whatever_is_repeated(buy, merchant, shipstation):
    buy(("BOOK", 1))
    shipstation.refusal = "No such service."
    assert _codes(_do(merchant, "label", **LABEL)) == [
        (Order.objects.get().number, "label_refused")
    ]
    shipstation.refusal = ""
    for _ in range(2):
        assert progress(_do(merchant, "label", **LABEL))["done"] == 1
    assert (len(shipstation.bought), Fulfillment.objects.count()) == (1, 1)


SENSELESS = [
    ({"action": "label", "data": {**LABEL, "carrier": "pigeon"}}, "unknown_carrier"),
    ({"action": "label", "data": {"carrier": "shipstation"}}, "wrong_data"),
    ({"action": "label", "data": {**LABEL, "price": 0}}, "wrong_data"),
    ({"action": "ship", "data": {"force": True}}, "wrong_data"),
    ({"action": "print", "data": {"labels": False}}, "wrong_data"),
]


def test_what_makes_no_sense_is_refused_at_once(buy, as_merchant, shipstation):
    number = buy(("BOOK", 1)).number
    for body, code in SENSELESS:
        answer = as_merchant.post(URL, {**body, "orders": [number]})
        assert (body, answer.status_code, answer.json()["code"]) == (body, 400, code)
    assert not BulkJob.objects.exists()


def test_papers_need_both_permissions(buy):
    body = {"action": "print", "orders": [buy(("BOOK", 1)).number]}
    owner = staff_of("owner")
    for names, status in (
        (["fulfillment.ship_order"], 403),
        (["fulfillment.print_papers"], 403),
        (["fulfillment.ship_order", "fulfillment.print_papers"], 202),
    ):
        client = key_of(owner, "orders.add_bulkjob", *names)
        assert (names, client.post(URL, body, format="json").status_code) == (names, status)


def test_more_shipments_than_a_file_holds_are_several_files(buy, merchant, monkeypatch):
    monkeypatch.setattr(verbs, "MAX_SHIPMENTS", 2)
    for _ in range(3):
        buy(("BOOK", 1))
    _do(merchant, "print")
    assert list(PrintJob.objects.order_by("pk").values_list("total", flat=True)) == [2, 1]


def test_papers_are_asked_for_once_though_the_worker_dies_at_the_end(buy, merchant, monkeypatch):
    buy(("BOOK", 1))

    def die(**_):
        raise KeyboardInterrupt

    monkeypatch.setattr(verbs, "print_papers", die)
    with pytest.raises(KeyboardInterrupt):
        _do(merchant, "print")
    job = BulkJob.objects.get()
    assert (job.status, progress(job)["done"]) == ("running", 1)
    monkeypatch.setattr(verbs, "print_papers", services.print_papers)
    BulkJob.objects.update(lease_until=job.created_at)
    run_bulk()
    run_bulk()
    job.refresh_from_db()
    assert (job.status, PrintJob.objects.count()) == ("done", 1)


def test_nothing_left_at_the_end_is_told(buy, merchant, monkeypatch):
    buy(("BOOK", 1))
    plain = bulk._finish

    def late(verb, job):
        services.cancel_shipment(shipment=Fulfillment.objects.get())
        plain(verb, job)

    monkeypatch.setattr(bulk, "_finish", late)
    job = _do(merchant, "print")
    assert (job.status, job.error) == ("failed", str(services.NothingToPrint.message))


def test_back_office_asks_for_carrier_and_service(buy, staff, shipstation):
    staff.list_action([buy(("BOOK", 1))], "change_many")
    page = f"/admin/orders/bulkjob/{BulkJob.objects.get().pk}/change/"
    shown = staff.get(page).content.decode()
    assert all(label in shown for label in ("Buy labels", "print their papers", "Ship all"))
    missing = staff.post(page, {"action": "label", "carrier": "shipstation"})
    assert missing.context["form"].non_field_errors() == ["service is required."]
    assert staff.post(page, {"action": "label", **LABEL}).status_code == 302
    run_bulk()
    assert len(shipstation.bought) == 1


def test_what_shares_a_parcel_goes_once(buy, merchant, shipstation, drain):
    orders = [buy(("BOOK", n)) for n in (1, 2)]
    services.ship_together(orders=orders)
    for verb, data in (("label", LABEL), ("print", {}), ("ship", {})):
        job = _do(merchant, verb, **data)
        assert (verb, progress(job)["done"], _codes(job)) == (verb, 2, [])
    drain()
    assert (len(shipstation.bought), PrintJob.objects.get().pages) == (1, 2)
    assert list(Order.objects.values_list("status", flat=True)) == ["shipped"] * 2
