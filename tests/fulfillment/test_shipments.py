"""Shipments as documents: planned, shipped, ended; pieces come from where they were promised."""

from __future__ import annotations

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment, Parcel
from apps.fulfillment.services import NotPromisedThere, ParcelData
from apps.inventory.models import StockLevel, StockMovement
from apps.orders import services as orders
from apps.orders.services import NothingToShip, TransitionRefused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
ADMIN = "/api/v1/admin"


def _contents(shipment):
    lines = shipment.lines.order_by("order_line__position").values_list(
        "order_line__sku", "quantity"
    )
    return (shipment.location.code if shipment.location else None, list(lines))


def _status(*rows):
    for row in rows:
        row.refresh_from_db()
    return [row.status for row in rows]


def test_a_shipment_for_each_location_that_has_what_was_promised(buy, shop, as_merchant):
    order = buy(("MUG", 4), ("BOOK", 1))
    url = f"{ADMIN}/orders/{order.number}/shipments/"
    made = as_merchant.post(url, {})
    again = as_merchant.post(url, {})

    first, second = Fulfillment.objects.order_by("pk")
    assert _contents(first) == ("near", [("MUG", 3), ("BOOK", 1)])
    assert _contents(second) == ("far", [("MUG", 1)])
    assert [row["parcels"][0]["weight"] for row in made.json()["results"]] == [1200, 300]
    assert (made.status_code, again.json()) == (201, {"results": []})
    # Nothing has left.
    mugs = StockLevel.objects.filter(variant=shop.mug).order_by("location__priority")
    assert list(mugs.values_list("committed", flat=True)) == [3, 1]
    assert _status(order) == ["confirmed"]

    services.ship(shipment=second)
    assert _status(order, second) == ["processing", "shipped"]
    moved = StockMovement.objects.filter(reason="ship").values_list(
        "level__location__code", "delta"
    )
    assert list(moved) == [("far", -1)]
    services.ship(shipment=first)
    services.mark_delivered(shipment=first)
    assert _status(order) == ["shipped"]
    services.mark_delivered(shipment=second)
    assert _status(order, first, second) == ["delivered"] * 3


def test_what_is_set_aside_isnt_shipped_twice(buy, as_merchant):
    order = buy(("MUG", 4))
    [line] = order.lines.all()
    half = services.plan(order=order, quantities={str(line.public_id): 2})
    with pytest.raises(NothingToShip):
        services.plan(order=order, quantities={str(line.public_id): 3})
    rest = services.fulfill(order=order)
    assert [piece.quantity for piece in rest.lines.all()] == [2]
    with pytest.raises(NothingToShip):
        services.fulfill(order=order)
    services.cancel_shipment(shipment=half)
    last = services.fulfill(order=order)
    assert [piece.quantity for piece in last.lines.all()] == [2]
    assert _status(order, half) == ["shipped", "cancelled"]


def test_pieces_of_a_location_must_be_promised_there(buy, shop):
    order = buy(("MUG", 4))
    [line] = order.lines.all()
    two = {str(line.public_id): 2}
    with pytest.raises(NotPromisedThere) as error:
        services.plan(order=order, quantities=two, location=shop.far)
    assert error.value.extra == {"lines": ["MUG"]}
    assert _contents(services.plan(order=order, quantities=two, location=shop.near))[0] == "near"
    with pytest.raises(NotPromisedThere):
        services.plan(order=order, quantities=two, location=shop.near)


def test_a_cancelled_order_ships_nothing(buy, drain):
    order = buy(("MUG", 1))
    [shipment] = services.plan_whole(order=order)
    orders.cancel(order=order)
    with pytest.raises(TransitionRefused):
        services.ship(shipment=shipment)
    assert _status(shipment) == ["planned"]
    drain()
    drain()
    assert _status(shipment) == ["cancelled"]


def test_each_end_is_told_once(buy, drain, django_capture_on_commit_callbacks):
    shipment = services.fulfill(order=buy(("BOOK", 2)), carrier="Post", tracking_number="PQ1")
    for event in ("fail", "fail", "deliver", "deliver"):
        services.mark(shipment=shipment, event=event)
        with django_capture_on_commit_callbacks(execute=True):
            drain()
    subjects = [message.subject.rpartition(" ")[2] for message in mail.outbox[-3:]]
    assert subjects == ["way", "yet", "arrived"]
    back = services.fulfill(order=buy(("BOOK", 1)))
    services.mark(shipment=back, event="return")
    with django_capture_on_commit_callbacks(execute=True):
        drain()
    assert "on its way back to us" in mail.outbox[-1].body
    kinds = set(back.order.timeline.filter(is_public=True).values_list("kind", flat=True))
    assert "returned_to_sender" in kinds


def test_parcels_of_a_shipment_are_set_while_it_is_planned(buy, as_merchant):
    order = buy(("MUG", 2))
    box = {"weight": 700, "length": 300, "width": 200, "height": 100}
    made = as_merchant.post(f"{ADMIN}/orders/{order.number}/shipments/", {"parcels": [box, box]})
    url = f"{ADMIN}/fulfillments/{made.json()['results'][0]['id']}"
    one = as_merchant.put(f"{url}/parcels/", {"parcels": [{"weight": 900}]})
    assert [parcel["weight"] for parcel in one.json()["parcels"]] == [900]
    assert Parcel.objects.count() == 1
    shipped = as_merchant.post(f"{url}/ship/", {"carrier": "Post", "tracking_number": "PQ1"})
    late = as_merchant.put(f"{url}/parcels/", {"parcels": [{"weight": 1}]})
    assert (shipped.json()["status"], shipped.json()["carrier"]) == ("shipped", "Post")
    assert (late.status_code, late.json()["code"]) == (409, "shipment_refused")


def test_what_is_planned_isnt_the_customers_business(buy, api, as_merchant):
    order = buy(("MUG", 1))
    services.plan_whole(order=order)
    seen = api.get(f"/api/v1/orders/{order.number}/", {"token": order.token}).json()
    known = as_merchant.get(f"{ADMIN}/orders/{order.number}/").json()
    assert (seen["fulfillments"], len(known["fulfillments"])) == ([], 1)


def test_the_list_takes_the_same_queries_for_many_as_for_one(buy, as_merchant):
    services.plan(order=buy(("BOOK", 1)))
    url = f"{ADMIN}/fulfillments/?status=planned"
    as_merchant.get(url)
    with CaptureQueriesContext(connection) as one:
        as_merchant.get(url)
    for number in range(1, 4):
        services.plan(order=buy(("BOOK", number)), parcels=[ParcelData(1), ParcelData(2)])
    with CaptureQueriesContext(connection) as many:
        found = as_merchant.get(url).json()
    assert len(found["results"]) == 4
    assert len(many) == len(one)
    assert as_merchant.get(f"{ADMIN}/fulfillments/?location=near").json()["results"] == []


def test_shipping_takes_as_many_queries_for_many_lines_as_for_few(buy, shop):
    few, more = buy(("BOOK", 1)), buy(("BOOK", 9))
    counts = []
    for order in (few, more):
        [shipment] = services.plan_whole(order=order)
        with CaptureQueriesContext(connection) as queries:
            services.ship(shipment=shipment)
        counts.append(len(queries))
    assert counts[0] == counts[1]
