"""Return labels: bought once, mailed, printed, followed until the parcel is here, given back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.core import mail
from django.utils import timezone

from apps.core import outbox
from apps.fulfillment.services import CLAIM, LabelRefused, UnknownCarrier
from apps.returns import services
from apps.returns.models import ReturnLabel, ReturnRequest
from tests.fulfillment.conftest import HERE, PRIORITY, _running, shipstation
from tests.returns.conftest import wish

__all__ = ["_running", "shipstation"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
API, HOOK = "/api/v1", "/api/v1/webhooks/carriers/shipstation/"
LATER = CLAIM * 2
NOON = datetime(2027, 6, 7, 12, tzinfo=UTC)


@pytest.fixture
def approved(order, shop, shipstation) -> ReturnRequest:
    """Two mugs of 300 g are to come back."""
    shop.near.address = HERE
    shop.near.save()
    request = services.request_return(order=order, wishes=[wish(order, "MUG", 2)])
    services.approve_return(request=request)
    outbox.drain()
    mail.outbox.clear()
    return request


def buy(request: ReturnRequest, **changes) -> ReturnLabel:
    asked = {"carrier": "shipstation", "service": PRIORITY, **changes}
    return services.buy_label(request=request, **asked)


def mine(request: ReturnRequest, path: str = "", base: str = API) -> str:
    order = request.order
    return f"{base}/orders/{order.number}/returns/{request.public_id}/{path}?token={order.token}"


def kinds(request: ReturnRequest) -> list[str]:
    return list(request.timeline.order_by("pk").values_list("kind", flat=True))


def test_staff_buy_it_the_customer_prints_it(approved, shipstation, as_merchant, api, client):
    url = f"{API}/admin/returns/{approved.public_id}/label/"
    body = {"carrier": "shipstation", "service": PRIORITY}
    made, again = as_merchant.post(url, body).json(), as_merchant.post(url, body).json()
    outbox.drain()
    [sold] = shipstation.bought
    assert made["label"] == again["label"]
    assert made["label"] == {
        "status": "bought",
        "carrier": "USPS",
        "tracking_number": sold["tracking_number"],
        "tracking_url": sold["tracking_url"],
        "parcel_status": "",
        "service": PRIORITY,
        "location": "near",
        # 5.25, and 1.50 for each of 0.6 kg.
        "price": {"amount": "6.15", "currency": "USD"},
        "is_deducted": False,
        "error": "",
    }
    assert (sold["is_return_label"], sold["rma_number"]) == (True, approved.number)
    assert (sold["ship_to"]["address_line1"], sold["packages"][0]["weight"]["value"]) == (
        HERE["line1"],
        600,
    )
    [letter] = mail.outbox
    assert letter.subject == f"Main: the label for your return {approved.number}"
    assert sold["tracking_number"] in letter.body
    document = bytes(ReturnLabel.objects.get().document)
    for answer in (
        api.get(mine(approved, "label/")),
        client.get(mine(approved, "label/", base="")),
        as_merchant.get(url),
    ):
        assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
        assert answer.content == document
        assert answer["Cache-Control"].startswith("private, no-store")
    page = client.get(mine(approved, base="")).content.decode()
    assert "Print the label" in page
    assert sold["tracking_number"] in page
    assert "price" not in api.get(mine(approved)).json()["label"]


def test_the_policy_buys_it_with_the_approval(order, shop, shipstation):
    order.store.return_policies.create(label_carrier="shipstation", label_service=PRIORITY)
    request = services.request_return(order=order, wishes=[wish(order, "MUG", 1)])
    services.approve_return(request=request)
    assert not shipstation.bought
    outbox.drain()
    assert [label["rma_number"] for label in shipstation.bought] == [request.number]
    services.buy_by_policy(return_id=str(request.public_id))
    assert len(shipstation.parcels) == 1
    claim = services.request_return(
        order=order, kind="lost", wishes=[wish(order, "BOOK", 1, reason="lost")]
    )
    services.approve_return(request=claim)
    outbox.drain()
    assert len(shipstation.parcels) == 1


def test_without_a_carrier_there_is_the_paper_with_the_number(order, api, client):
    request = services.request_return(order=order, wishes=[wish(order, "MUG", 2)])
    assert api.get(mine(request, "label/")).status_code == 404
    services.approve_return(request=request)
    answer = api.get(mine(request, "label/"))
    assert (answer["Content-Type"], answer.content[:5]) == ("application/pdf", b"%PDF-")
    assert "Print the return slip" in client.get(mine(request, base="")).content.decode()
    assert api.get(mine(request, "label/").partition("?")[0]).status_code == 404


@pytest.mark.parametrize("lost", [{"drop": True}, {"status": 500}])
def test_a_label_whose_answer_was_lost_is_bought_once(approved, shipstation, lost):
    shipstation.fault("/v1/labels/external", status=404)
    shipstation.fault("/v1/labels", **lost)
    assert buy(approved).status == "pending"
    buy(approved)
    services.reconcile_labels(now=timezone.now() + LATER)
    services.reconcile_labels(now=timezone.now() + 2 * LATER)
    assert (len(shipstation.parcels), ReturnLabel.objects.get().status) == (1, "bought")
    assert kinds(approved).count("label") == 1


def test_what_is_refused_is_told_and_may_be_tried_again(approved, shipstation):
    shipstation.refusal = "The address is unknown."
    with pytest.raises(LabelRefused) as error:
        buy(approved)
    assert error.value.extra == {"reason": "The address is unknown."}
    with pytest.raises(UnknownCarrier):
        buy(approved, carrier="table")
    shipstation.refusal = ""
    assert buy(approved).status == "bought"
    assert kinds(approved)[-2:] == ["label_refused", "label"]


def test_a_return_that_is_given_up_gives_it_back(approved, shipstation):
    buy(approved)
    services.cancel_return(request=approved)
    outbox.drain()
    assert (shipstation.bought, ReturnLabel.objects.get().status) == ([], "voided")
    with pytest.raises(services.ReturnRefused):
        buy(approved)


def test_a_label_that_comes_after_the_end_goes_back(approved, shipstation):
    shipstation.fault("/v1/labels/external", status=503)
    buy(approved)
    services.cancel_return(request=approved)
    services.reconcile_labels(now=timezone.now() + LATER)
    outbox.drain()
    assert (len(shipstation.parcels), shipstation.bought) == (1, [])


def test_given_back_it_may_be_bought_anew(approved, shipstation, as_merchant):
    buy(approved)
    outbox.drain()
    url = f"{API}/admin/returns/{approved.public_id}/label/"
    assert [as_merchant.delete(url).status_code for _ in range(2)] == [204, 409]
    buy(approved)
    outbox.drain()
    assert (len(shipstation.parcels), len(shipstation.bought)) == (2, 1)
    assert len(mail.outbox) == 2


def test_its_parcel_is_followed(approved, shipstation, api):
    number = buy(approved).tracking_number
    shipstation.scan(number, "IT", "IN_TRANSIT", NOON)
    headers, body = shipstation.webhook(number, timezone.now())
    sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    for _ in range(2):
        assert api.generic("POST", HOOK, body, "application/json", **sent).status_code == 204
        outbox.drain()
    assert api.get(mine(approved)).json()["label"]["parcel_status"] == "in_transit"
    with pytest.raises(services.ReturnRefused):
        services.void_label(request=approved)
    shipstation.scan(number, "DE", "DELIVERED", NOON + timedelta(days=1))
    soon = timezone.now() + timedelta(hours=2)
    assert [services.ask_due_returns(now=soon), services.ask_due_returns(now=soon)] == [1, 0]
    assert services.ask_due_returns(now=soon + timedelta(days=1)) == 0
    assert kinds(approved)[-3:] == ["label", "in_transit", "arrived"]
    assert (ReturnRequest.objects.get().status, ReturnLabel.objects.get().ask_at) == (
        "approved",
        None,
    )


@pytest.mark.parametrize(
    ("reason", "sku", "label", "refund"),
    [
        ("changed_mind", "", 615, 2_400 - 615),
        # It was our fault.
        ("defective", "", 0, 2_400),
        # What is exchanged is charged nothing.
        ("changed_mind", "MUG", 0, 2_400),
    ],
)
def test_its_price_is_taken_off_where_the_policy_says_so(
    order, shop, shipstation, reason, sku, label, refund
):
    order.store.return_policies.create(deducts_label=True)
    wishes = [wish(order, "MUG", 2, reason=reason, exchange_for=sku)]
    request = services.request_return(order=order, wishes=wishes)
    services.approve_return(request=request)
    buy(request)
    # The simulator asks for dollars.
    ReturnLabel.objects.update(currency="EUR")
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    closed = services.refund_return(request=request)
    assert (closed.label_amount, closed.refund_amount) == (label, refund)


def test_a_label_in_another_currency_is_never_taken_off(order, shop, shipstation):
    order.store.return_policies.create(deducts_label=True)
    request = services.request_return(order=order, wishes=[wish(order, "MUG", 2)])
    services.approve_return(request=request)
    buy(request)
    services.receive_return(request=request, location=shop.near)
    services.inspect_return(request=request)
    assert services.refund_return(request=request).label_amount == 0
