"""Several orders of one customer in one parcel: one label, one slip, a shipment of each."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pypdf import PdfReader

from apps.accounts.models import User
from apps.core.addresses import address_key
from apps.customers.models import Customer
from apps.fulfillment import services
from apps.fulfillment.models import Fulfillment, Parcel, PickLine, PrintJob, ShippingLabel
from apps.fulfillment.selectors import companions, shipments_for_papers, slips_pdf
from apps.fulfillment.selectors.requests import label_request
from apps.fulfillment.services import NotTogether, ParcelData, ShipmentRefused
from apps.fulfillment.services.tracking import record
from apps.orders.models import Order
from apps.orders.services import OrderOnHold, TransitionRefused, cancel, hold_order
from apps.shipping.carriers.base import TrackingEvent as News
from apps.shipping.models import ShippingMethod, Zone
from tests.backoffice.conftest import staff
from tests.factories.stores import StoreFactory
from tests.fulfillment.conftest import PRIORITY

__all__ = ["staff"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
ADMIN = "/api/v1/admin"


@pytest.fixture
def two(buy):
    """Three books in two orders, written a little differently."""
    first = buy(("BOOK", 1))
    return first, buy(("BOOK", 2), line1="calle mayor, 1", first_name="ANA", last_name="Garcia")


@pytest.fixture
def pair(two):
    return services.ship_together(orders=two)


def _label(shipment):
    return services.buy_labels(shipment=shipment, carrier="shipstation", service=PRIORITY)


def _now(*rows):
    for row in rows:
        row.refresh_from_db()
    return rows


def _all(name="status"):
    return list(Fulfillment.objects.order_by("pk").values_list(name, flat=True))


def _told(parcel, status):
    news = News(datetime(2026, 5, 1, 12, tzinfo=UTC), status, "", "")
    return record(parcel=parcel, events=[news])


def test_one_parcel_one_label_a_shipment_of_each(pair, two, shipstation):
    lead, other = pair
    [parcel] = Parcel.objects.all()
    assert (parcel.fulfillment, parcel.weight, other.carried_by) == (lead, 900, lead)
    _label(other)
    [sold] = shipstation.bought
    asked = next(each.request for each in shipstation.exchanges if each.request)["shipment"]
    assert asked["shipment_number"] == f"{two[0].number}, {two[1].number}"
    assert _all("tracking_number") == [sold["tracking_number"]] * 2
    services.ship(shipment=other)
    assert _all() == ["shipped"] * 2
    _told(parcel, "failed")
    assert _all() == ["failed"] * 2
    _told(parcel, "delivered")
    assert _all() == ["delivered"] * 2
    assert [order.status for order in _now(*two)] == ["delivered"] * 2


def test_mails_go_to_each_order(pair, two, drain):
    drain()
    mail.outbox.clear()
    services.ship(shipment=pair[0], tracking_number="PQ1")
    services.mark(shipment=pair[1], event="return")
    drain()
    one, other = (order.number for order in two)
    told = [message.body for message in mail.outbox]
    assert sum("is on its way." in text for text in told) == 2
    assert sum("is on its way back" in text for text in told) == 2
    for number, with_it in ((one, other), (other, one)):
        [text] = [t for t in told if f"order {number} is on its way." in t]
        assert "PQ1" in text
        assert f"In one parcel with order {with_it}" in " ".join(text.split())


def test_one_slip_lists_each_orders_lines(pair, two, shipstation, drain):
    _label(pair[0])
    job = services.print_papers(shipments=[pair[1], pair[0]])
    drain()
    job = PrintJob.objects.get(pk=job.pk)
    assert (job.status, job.total, job.pages) == ("done", 1, 2)
    with job.file.open() as file:
        slip, label = (page.extract_text() for page in PdfReader(BytesIO(file.read())).pages)
    assert all(slip.count(order.number) >= 2 for order in two)
    assert [line for line in slip.splitlines() if "BOOK" in line] == ["1 BOOK Book", "2 BOOK Book"]
    assert shipstation.bought[0]["tracking_number"] in label


def test_customs_are_told_of_every_order(buy):
    Zone.objects.update(places=["ES", "US"])
    place = {"country": "US", "region": "NY", "city": "New York", "postal_code": "10001"}
    lead, _other = services.ship_together(orders=[buy(("BOOK", n), **place) for n in (1, 2)])
    label = services.labels.request_labels(shipment=lead, carrier="shipstation", service=PRIORITY)[
        0
    ]
    assert [item.value for item in label_request(label).customs] == [2000, 4000]
    slips = slips_pdf([shipments_for_papers().get(pk=lead.pk)], made_at=lead.created_at)
    invoice = PdfReader(BytesIO(slips)).pages[2].extract_text()
    assert ("COMMERCIAL INVOICE" in invoice, "60.00 EUR" in invoice) == (True, True)


def test_giving_the_label_back_is_for_all(pair, shipstation):
    _label(pair[0])
    services.void_labels(shipment=pair[1])
    assert (shipstation.bought, _all(), _all("tracking_number")) == ([], ["planned"] * 2, [""] * 2)
    _label(pair[1])
    assert (len(shipstation.bought), _all()) == (1, ["labelled"] * 2)


@pytest.mark.parametrize("who", [0, 1])
def test_a_cancelled_order_takes_the_label_along(pair, two, shipstation, drain, who):
    _label(pair[0])
    cancel(order=two[who])
    with pytest.raises(TransitionRefused):
        services.ship(shipment=pair[1 - who])
    drain()
    gone, rest = _now(pair[who], pair[1 - who])
    assert (gone.status, rest.status, rest.tracking_number) == ("cancelled", "planned", "")
    assert shipstation.bought == []
    assert (gone.carried_by, rest.carried_by) == (None, None)
    assert [parcel.weight for parcel in rest.parcels.all()] == [(600, 300)[who]]
    _label(rest)
    services.ship(shipment=rest)
    assert [order.status for order in _now(*two)][1 - who] == "shipped"


def test_a_label_that_comes_after_one_left_is_given_back(pair, shipstation):
    [label] = services.labels.request_labels(
        shipment=pair[0], carrier="shipstation", service=PRIORITY
    )
    services.cancel_shipment(shipment=pair[1])
    services.labels.drive(label=label)
    services.labels.drive(label=label)
    assert (ShippingLabel.objects.get().status, shipstation.bought) == ("voided", [])
    assert _all() == ["planned", "cancelled"]


def test_the_rest_stays_together(buy, shipstation):
    three = [buy(("BOOK", n)) for n in (1, 2, 3)]
    shipments = services.ship_together(orders=three)
    _label(shipments[0])
    services.cancel_shipment(shipment=shipments[0])
    first, second, third = _now(*shipments)
    assert (second.carried_by, third.carried_by) == (None, second)
    assert [p.weight for p in second.parcels.all()] == [1500]
    assert [first.status, second.status, third.status] == ["cancelled", "planned", "planned"]


def test_one_is_given_its_own_parcel(pair, shipstation):
    services.separate(shipment=pair[0])
    services.separate(shipment=pair[1])
    assert [(p.fulfillment_id, p.weight) for p in Parcel.objects.order_by("fulfillment")] == [
        (pair[0].pk, 300),
        (pair[1].pk, 600),
    ]
    _label(pair[0])
    assert _all() == ["labelled", "planned"]


def test_with_a_label_nothing_is_taken_out(pair, shipstation):
    _label(pair[0])
    with pytest.raises(ShipmentRefused):
        services.separate(shipment=pair[1])
    with pytest.raises(ShipmentRefused):
        services.set_parcels(shipment=pair[1], parcels=[ParcelData(1)])


def test_parcels_of_one_are_those_of_all(pair, shipstation):
    services.set_parcels(shipment=pair[1], parcels=[ParcelData(500), ParcelData(400)])
    _label(pair[1])
    assert (len(shipstation.bought), _all()) == (2, ["labelled"] * 2)


def test_a_third_joins_and_old_labels_stay_known(pair, buy, shipstation):
    late = buy(("BOOK", 3))
    [alone] = services.plan_whole(order=late)
    _label(alone)
    services.void_labels(shipment=alone)
    services.ship_together(orders=[pair[1].order, late])
    [parcel] = Parcel.objects.all()
    assert (parcel.fulfillment, parcel.weight) == (pair[0], 1800)
    assert [label.status for label in parcel.labels.all()] == ["voided"]
    assert _all("carried_by") == [None, pair[0].pk, pair[0].pk]


def test_what_has_a_label_goes_as_it_is(two, buy, shipstation):
    [alone] = services.plan_whole(order=two[0])
    _label(alone)
    with pytest.raises(NotTogether) as error:
        services.ship_together(orders=two)
    assert error.value.extra == {"reason": "location"}
    assert not two[1].fulfillments.exists()


def test_each_location_has_its_own_parcel(buy, shop):
    # Three mugs lie near, two far.
    mugs, books = buy(("MUG", 4)), buy(("BOOK", 1))
    together = services.ship_together(orders=[mugs, books])
    assert {each.location for each in together} == {shop.near}
    [far] = Fulfillment.objects.filter(location=shop.far)
    assert (far.carried_by, far.parcels.count()) == (None, 1)


def test_held_and_unpaid_orders_are_refused(two):
    hold_order(order=two[1])
    with pytest.raises(OrderOnHold):
        services.ship_together(orders=two)
    Order.objects.filter(pk=two[1].pk).update(on_hold=False, status="pending")
    with pytest.raises(TransitionRefused):
        services.ship_together(orders=two)
    Order.objects.filter(pk=two[1].pk).update(status="confirmed")


def test_a_hold_holds_the_whole_parcel(pair, two, shipstation):
    hold_order(order=two[1])
    with pytest.raises(OrderOnHold):
        services.ship(shipment=pair[0])
    with pytest.raises(OrderOnHold):
        _label(pair[0])


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"email_key": "someone-else"}, "customer"),
        ({"shipping_address": {"country": "ES", "line1": "Calle Menor 1"}}, "address"),
        ({"shipping_address": {}}, "address"),
    ],
)
def test_who_can_not_share(two, change, reason):
    Order.objects.filter(pk=two[1].pk).update(**change)
    with pytest.raises(NotTogether) as error:
        services.ship_together(orders=two)
    assert error.value.extra == {"reason": reason}
    assert companions(Order.objects.all()) == {}


def test_who_can_not_share_by_store_customer_method(two):
    def reason():
        with pytest.raises(NotTogether) as error:
            services.ship_together(orders=two)
        return error.value.extra["reason"]

    user = User.objects.create(email="bob@example.com")
    store, customer = two[0].store, Customer.objects.create(user=user, email=user.email)
    Order.objects.filter(pk=two[1].pk).update(customer=customer)
    assert reason() == "customer"
    Order.objects.filter(pk=two[1].pk).update(customer=two[0].customer, store=StoreFactory())
    assert reason() == "store"
    Order.objects.filter(pk=two[1].pk).update(store=store)
    ShippingMethod.objects.update(kind="pickup")
    assert reason() == "pickup"
    with pytest.raises(NotTogether):
        services.ship_together(orders=[two[0], two[0]])


def test_terms_of_duties_must_agree_abroad(buy, store):
    Zone.objects.update(places=["ES", "CH"])
    zone = Zone.objects.get()
    place = {"country": "CH", "region": "", "city": "Zürich", "postal_code": "8001"}
    two = [buy(("BOOK", 1), **place) for _ in range(2)]
    ShippingMethod.objects.create(store=store, zone=zone, code="ddp", name="DDP", duties_paid=True)
    Order.objects.filter(pk=two[1].pk).update(shipping_method="ddp")
    with pytest.raises(NotTogether) as error:
        services.ship_together(orders=two)
    assert error.value.extra == {"reason": "terms"}


def test_the_list_suggests_who_can_share(two, buy, django_assert_num_queries):
    other = buy(("BOOK", 1), line1="Calle Menor 9")
    with django_assert_num_queries(2):
        found = companions(Order.objects.all())
    assert found == {two[0].pk: [two[1].number], two[1].pk: [two[0].number]}
    cancel(order=two[1])
    assert companions([*two, other]) == {}


def test_one_box_on_the_trolley(pair, buy, shop):
    buy(("BOOK", 5), line1="Calle Menor 9")
    services.plan_open(location=shop.near)
    services.make_pick_list(location=shop.near)
    boxes = PickLine.objects.order_by("pk").values_list("bin", "quantity")
    assert list(boxes) == [(1, 1), (1, 2), (2, 5)]


def test_by_api(two, as_merchant, shipstation):
    numbers = [order.number for order in two]
    made = as_merchant.post(f"{ADMIN}/fulfillments/together/", {"orders": numbers})
    assert made.status_code == 201
    first, second = made.json()["results"]
    assert (first["together"], second["together"]) == ([numbers[1]], [numbers[0]])
    assert first["parcels"] == second["parcels"]
    url = f"{ADMIN}/fulfillments/{second['id']}"
    labelled = as_merchant.post(
        f"{url}/labels/", {"carrier": "shipstation", "service": PRIORITY}
    ).json()
    assert labelled["tracking_number"] == shipstation.bought[0]["tracking_number"]
    assert as_merchant.post(f"{url}/separate/").json()["code"] == "shipment_refused"
    as_merchant.post(f"{url}/void/")
    alone = as_merchant.post(f"{url}/separate/").json()
    assert (alone["together"], len(alone["parcels"])) == ([], 1)
    unknown = as_merchant.post(f"{ADMIN}/fulfillments/together/", {"orders": ["X", "Y"]})
    assert (unknown.status_code, unknown.json()["code"]) == (400, "unknown_orders")


def test_the_api_lists_them_in_a_constant_number_of_queries(
    pair, buy, as_merchant, django_assert_num_queries
):
    with CaptureQueriesContext(connection) as asked:
        as_merchant.get(f"{ADMIN}/fulfillments/")
    few = len(asked)
    services.ship_together(orders=[buy(("BOOK", 1), line1="Calle Menor 9") for _ in range(3)])
    with django_assert_num_queries(few):
        assert len(as_merchant.get(f"{ADMIN}/fulfillments/").json()["results"]) == 5


def test_in_the_back_office(two, staff):
    page = staff.page(two[0])
    assert "Ship together" in page
    listed = staff.get("/admin/orders/order/").content.decode()
    assert "Ready to ship with" in listed
    staff.do(two[0], "together", orders=[two[1].number])
    assert _all("carried_by") == [None, Fulfillment.objects.first().pk]
    assert two[1].number in staff.page(Fulfillment.objects.first())
    staff.do(Fulfillment.objects.last(), "separate")
    answer = staff.list_action(list(two), "together")
    assert "They share a parcel." in answer.content.decode()
    answer = staff.list_action([two[0]], "together")
    assert "Between two and twenty orders share a parcel." in answer.content.decode()
    assert _all("carried_by") == [None, Fulfillment.objects.first().pk]


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({"line1": "CALLE MAYOR 1,", "line2": " 2º  b", "phone": "+34911"}, True),
        ({"line1": "Calle Mayor", "line2": "1, 2.º B"}, True),
        ({"first_name": "Bob"}, False),
        ({"company": "Commerce S.L."}, False),
        ({"postal_code": "28014"}, False),
        ({"line1": "Calle Mayor 11", "line2": "2º B"}, False),
        ({"line1": "Calle Mayor 12", "line2": "º B"}, False),
    ],
)
def test_addresses_are_the_same_however_they_are_written(other, same):
    home = {"first_name": "Ana", "line1": "Calle Mayor 1", "line2": "2º B", "city": "Madrid"}
    home |= {"postal_code": "28013", "country": "ES"}
    assert (address_key({**home, **other}) == address_key(home)) is same
    assert address_key({**home, "line1": ""}) == ""
