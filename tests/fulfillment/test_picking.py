"""Picking on a phone: a list for several shipments, scanned piece by piece, without JS."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment, PickList
from apps.fulfillment.services import (
    NothingToPick,
    PickListDone,
    StillToPick,
    UnknownBarcode,
)
from apps.products.models import Variant
from tests.factories.accounts import StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


@pytest.fixture
def picker(db):
    permissions = ["fulfillment.pick", "fulfillment.view_picklist"]
    client = Client()
    client.force_login(StaffFactory(permissions=permissions))
    return client


@pytest.fixture
def picking(buy, shop):
    """Two orders: a mug and a book (box 1), two mugs (box 2)."""
    Variant.objects.filter(sku="BOOK").update(gtin="9780201379624")
    buy(("MUG", 1), ("BOOK", 1))
    buy(("MUG", 2))
    assert services.plan_open(location=shop.near) == 2
    return services.make_pick_list(location=shop.near)


def _lines(pick_list):
    lines = pick_list.lines.order_by("line__order_line__sku", "bin")
    return [(row.line.order_line.sku, row.bin, row.picked, row.short) for row in lines]


def test_pieces_go_into_the_boxes_of_their_shipments(picking, shop):
    for code in ("MUG", "9780201379624", "mug"):
        services.pick(pick_list=picking, code=code)
    assert _lines(picking) == [("BOOK", 1, 1, 0), ("MUG", 1, 1, 0), ("MUG", 2, 1, 0)]
    for code in ("BOOK", "0000", ""):
        with pytest.raises(UnknownBarcode):
            services.pick(pick_list=picking, code=code)
    with pytest.raises(StillToPick):
        services.finish_pick_list(pick_list=picking)
    services.pick(pick_list=picking, code="MUG")
    assert services.finish_pick_list(pick_list=picking).status == "done"
    with pytest.raises(PickListDone):
        services.pick(pick_list=picking, code="MUG")
    with pytest.raises(NothingToPick):
        services.make_pick_list(location=shop.near)
    # What is picked is shipped as ever.
    for shipment in Fulfillment.objects.all():
        services.ship(shipment=shipment)


def test_short_picks_are_reported(picking):
    services.pick(pick_list=picking, code="MUG")
    services.pick(pick_list=picking, code="MUG")
    line = picking.lines.get(bin=2)
    assert services.report_short(pick_list=picking, line_id=line.pk).short == 1
    with pytest.raises(UnknownBarcode):
        services.report_short(pick_list=picking, line_id=line.pk)
    entry = line.line.fulfillment.order.timeline.get(kind="short_pick")
    assert entry.data == {"sku": "MUG", "missing": 1, "location": "near"}
    assert entry.is_public is False


def test_planning_open_orders_again_plans_nothing(picking, shop):
    assert services.plan_open(location=shop.near) == 0


def test_the_pages_of_a_phone(picker, buy, shop):
    buy(("MUG", 2))
    made = picker.post(
        "/admin/fulfillment/picklist/add/", {"location": shop.near.pk, "shipments": 5}
    )
    url = made.headers["Location"]
    with CaptureQueriesContext(connection) as few:
        page = picker.get(url).content.decode()
    assert 'name="code"' in page
    assert "2 pieces left" in page
    assert "<script" not in page
    said = picker.post(url, {"code": " MUG "}, follow=True).content.decode()
    assert "Box 1: MUG, 1 of 2" in said
    wrong = picker.post(url, {"code": "XXX"}, follow=True).content.decode()
    assert str(UnknownBarcode.message) in wrong.replace("&#x27;", "'")
    line = PickList.objects.get().lines.get()
    assert picker.post(url, {"short": str(line.pk)}, follow=True).status_code == 200
    done = picker.post(url, {"finish": "1"}, follow=True)
    assert (done.status_code, PickList.objects.get().status) == (200, "done")
    for _ in range(3):
        buy(("BOOK", 1))
    services.plan_open(location=shop.near)
    more = services.make_pick_list(location=shop.near)
    with CaptureQueriesContext(connection) as many:
        picker.get(f"/admin/fulfillment/picklist/{more.pk}/pick/")
    assert len(many) <= len(few)


def test_only_pickers_pick(client, picking):
    client.force_login(StaffFactory(permissions=["fulfillment.view_picklist"]))
    url = f"/admin/fulfillment/picklist/{picking.pk}/"
    assert client.get(f"{url}change/").status_code == 200
    assert [client.get(f"{url}pick/").status_code, client.post(f"{url}pick/").status_code] == [
        403
    ] * 2
