"""Labels: bought once whatever happens to the answer, given back, followed until the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.db import transaction
from django.utils import timezone

from apps.core.remote import CalledInTransaction
from apps.fulfillment import services
from apps.fulfillment.models import Parcel, ShippingLabel, TrackingEvent
from apps.fulfillment.services import LabelRefused, ParcelData, ShipmentRefused, UnknownCarrier
from apps.fulfillment.services.labels import CLAIM, drive
from apps.fulfillment.services.tracking import record
from apps.shipping.carriers.base import TrackingEvent as News
from tests.fulfillment.conftest import PRIORITY

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
ADMIN, HOOK = "/api/v1/admin", "/api/v1/webhooks/carriers/shipstation/"
LATER = CLAIM * 2


@pytest.fixture
def shipment(buy, shipstation):
    [planned] = services.plan_whole(order=buy(("BOOK", 2)))
    return planned


def _buy(shipment, service=PRIORITY):
    return services.buy_labels(shipment=shipment, carrier="shipstation", service=service)


def _now(row):
    row.refresh_from_db()
    return row


def test_a_label_is_bought_with_its_pdf(shipment, shipstation, as_merchant):
    url = f"{ADMIN}/fulfillments/{shipment.public_id}"
    body = {"carrier": "shipstation", "service": PRIORITY}
    made = as_merchant.post(f"{url}/labels/", body).json()
    again = as_merchant.post(f"{url}/labels/", body).json()

    [sold] = shipstation.bought
    assert (made["status"], made["tracking_number"]) == ("labelled", sold["tracking_number"])
    # 5.25 and 1.50 for each of 0.6 kg.
    assert made["parcels"][0]["label"]["price"] == {"amount": "6.15", "currency": "USD"}
    assert again == made
    assert bytes(ShippingLabel.objects.get().document[:5]) == b"%PDF-"
    assert sold["ship_to"]["address_line1"] == "Calle Mayor 1"
    shipped = as_merchant.post(f"{url}/ship/", {}).json()
    assert (shipped["status"], shipped["tracking_number"]) == ("shipped", sold["tracking_number"])


def test_each_parcel_has_a_label(buy, shipstation):
    shipment = services.plan(order=buy(("BOOK", 2)), parcels=[ParcelData(500), ParcelData(700)])
    shipstation.fault("/v1/labels", status=503)
    _buy(shipment)
    assert (len(shipstation.bought), _now(shipment).status) == (1, "planned")
    services.reconcile_labels(now=timezone.now() + LATER)
    assert (len(shipstation.bought), _now(shipment).status) == (2, "labelled")


@pytest.mark.parametrize("lost", [{"drop": True}, {"status": 500}, {"status": 429}])
def test_a_label_whose_answer_was_lost_is_bought_once(shipment, shipstation, lost):
    # The second request buys; the first asks whether it was bought.
    shipstation.fault("/v1/labels/external", status=404)
    shipstation.fault("/v1/labels", **lost)
    [label] = _buy(shipment)
    assert (label.status, _now(shipment).status) == ("pending", "planned")
    _buy(shipment)
    services.reconcile_labels(now=timezone.now() + LATER)
    services.reconcile_labels(now=timezone.now() + 2 * LATER)
    assert len(shipstation.parcels) == 1
    assert (_now(label).status, _now(shipment).status) == ("bought", "labelled")


def test_who_has_claimed_a_label_is_the_only_one_to_call(shipment, shipstation):
    [label] = services.labels.request_labels(
        shipment=shipment, carrier="shipstation", service=PRIORITY
    )
    ShippingLabel.objects.update(claimed_until=timezone.now() + CLAIM)
    assert (drive(label=label).status, shipstation.exchanges) == ("pending", [])
    # Who claimed it died.
    assert drive(label=label, now=timezone.now() + LATER).status == "bought"


def test_a_refusal_buys_nothing_and_another_try_may(shipment, shipstation):
    shipstation.refusal = "The address is unknown."
    with pytest.raises(LabelRefused) as error:
        _buy(shipment)
    assert error.value.extra == {"reason": "The address is unknown."}
    shipstation.refusal = ""
    _buy(shipment)
    statuses = ShippingLabel.objects.order_by("pk").values_list("status", flat=True)
    assert list(statuses) == ["refused", "bought"]


def test_nobody_waits_for_a_carrier_in_a_transaction(shipment):
    with pytest.raises(CalledInTransaction), transaction.atomic(), transaction.atomic():
        _buy(shipment)
    assert not ShippingLabel.objects.exists()


def test_an_unknown_carrier(shipment):
    with pytest.raises(UnknownCarrier):
        services.buy_labels(shipment=shipment, carrier="pigeon", service="x")


def test_labels_are_given_back_and_bought_anew(shipment, shipstation):
    _buy(shipment)
    shipstation.fault("/void", drop=True)
    services.void_labels(shipment=shipment)
    # Given back over there, though we didn't hear of it.
    assert (shipstation.bought, ShippingLabel.objects.get().status) == ([], "voiding")
    services.reconcile_labels(now=timezone.now() + LATER)
    assert ShippingLabel.objects.get().status == "voided"
    assert (_now(shipment).status, shipment.tracking_number) == ("planned", "")
    _buy(shipment)
    assert (len(shipstation.bought), _now(shipment).status) == (1, "labelled")
    services.ship(shipment=shipment)
    with pytest.raises(ShipmentRefused):
        services.void_labels(shipment=shipment)


def test_a_label_that_is_in_use_is_kept(shipment, shipstation):
    _buy(shipment)
    [sold] = shipstation.bought
    shipstation.scan(sold["tracking_number"], "AC", "PICKED_UP", _at(0))
    services.void_labels(shipment=shipment)
    assert (_now(shipment).status, shipment.carrier) == ("labelled", "USPS")
    assert ShippingLabel.objects.get().error == "It is under way."
    assert Parcel.objects.get().tracking_number == sold["tracking_number"]


def test_a_shipment_given_up_gives_its_label_back(shipment, shipstation, drain):
    _buy(shipment)
    services.cancel_shipment(shipment=shipment)
    drain()
    assert (shipstation.bought, ShippingLabel.objects.get().status) == ([], "voided")


def test_a_label_that_comes_after_the_end_goes_back(shipment, shipstation, drain):
    shipstation.fault("/v1/labels/external", status=503)
    _buy(shipment)
    services.cancel_shipment(shipment=shipment)
    services.reconcile_labels(now=timezone.now() + LATER)
    drain()
    assert (len(shipstation.parcels), shipstation.bought) == (1, [])
    assert ShippingLabel.objects.get().status == "voided"


@pytest.fixture
def parcel(shipment):
    _buy(shipment)
    services.ship(shipment=shipment)
    return Parcel.objects.get()


def _at(minutes):
    return datetime(2027, 6, 7, 10, tzinfo=UTC) + timedelta(minutes=minutes)


def test_a_webhook_is_verified_and_its_news_are_asked_for(parcel, shipstation, api, drain):
    shipstation.scan(parcel.tracking_number, "IT", "IN_TRANSIT", _at(0))
    shipstation.scan(parcel.tracking_number, "DE", "DELIVERED", _at(5))
    headers, body = shipstation.webhook(parcel.tracking_number, timezone.now())

    def post(body, **changes):
        sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
        answer = api.generic("POST", HOOK, body, "application/json", **{**sent, **changes})
        return answer.status_code

    stamp = "HTTP_X_SHIPENGINE_TIMESTAMP"
    old = (timezone.now() - timedelta(minutes=6)).isoformat()
    assert [post(body + b" "), post(body, **{stamp: old}), post(body, **{stamp: "x"})] == [400] * 3
    assert post(body, HTTP_X_SHIPENGINE_RSA_SHA256_KEY_ID="other") == 400
    assert (_now(parcel).status, TrackingEvent.objects.count()) == ("", 0)
    assert [post(body), post(body)] == [204, 204]
    drain()
    drain()
    assert (_now(parcel).status, TrackingEvent.objects.count()) == ("delivered", 2)
    assert (parcel.fulfillment.status, parcel.fulfillment.order.status) == (
        "delivered",
        "delivered",
    )
    assert api.generic("POST", HOOK.replace("shipstation", "pigeon"), b"").status_code == 400


def test_carriers_are_asked_by_the_clock(parcel, shipstation, drain):
    shipstation.scan(parcel.tracking_number, "AT", "ATTEMPTED_DELIVERY", _at(0))
    soon = timezone.now() + timedelta(hours=2)
    assert [services.ask_due(), services.ask_due(now=soon), services.ask_due(now=soon)] == [0, 1, 0]
    assert _now(parcel).fulfillment.status == "failed"
    shipstation.scan(parcel.tracking_number, "EX", "RETURN_TO_SENDER", _at(9))
    assert services.ask_due(now=soon + timedelta(hours=4)) == 1
    assert (_now(parcel).fulfillment.status, parcel.ask_at) == ("returned", None)
    assert services.ask_due(now=soon + timedelta(days=9)) == 0
    drain()


def test_a_carrier_that_doesnt_answer_is_asked_again(parcel, shipstation):
    shipstation.fault("/track", status=502)
    soon = timezone.now() + timedelta(hours=2)
    assert services.ask_due(now=soon) == 1
    assert _now(parcel).ask_at == soon + timedelta(hours=3)


@pytest.mark.parametrize("order", [(0, 1, 2, 3), (3, 2, 1, 0), (2, 0, 3, 1, 2)])
def test_news_in_any_order_lead_to_the_same_end(parcel, order, drain):
    told = [
        News(_at(0), "in_transit"),
        News(_at(1), "failed"),
        News(_at(2), "delivered"),
        # After the end nothing comes.
        News(_at(3), "returned"),
    ]
    record(parcel=parcel, events=[told[0], told[1]])
    for number in order:
        record(parcel=parcel, events=told[: number + 1])
    assert (_now(parcel).status, TrackingEvent.objects.count()) == ("delivered", 4)
    mail.outbox.clear()
    drain()


def test_a_shipment_arrives_with_its_last_parcel(buy, shipstation):
    shipment = services.plan(order=buy(("BOOK", 2)), parcels=[ParcelData(500), ParcelData(700)])
    _buy(shipment)
    services.ship(shipment=shipment)
    first, second = shipment.parcels.all()
    record(parcel=first, events=[News(_at(0), "delivered")])
    assert _now(shipment).status == "shipped"
    record(parcel=second, events=[News(_at(0), "delivered")])
    assert _now(shipment).status == "delivered"


def test_news_from_before_it_was_shipped_count_when_it_is(shipment):
    _buy(shipment)
    record(parcel=Parcel.objects.get(), events=[News(_at(0), "delivered")])
    assert _now(shipment).status == "labelled"
    services.ship(shipment=shipment)
    assert _now(shipment).status == "delivered"
