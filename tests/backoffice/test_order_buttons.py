"""What staff do with an order: each button, who may press it, and what it refuses."""

from __future__ import annotations

from uuid import uuid4

import pytest
from django.test import Client

from apps.fulfillment.models import Fulfillment
from apps.orders import states
from apps.orders.models import Order, OrderEvent
from apps.payments.models import Payment, Refund
from tests.backoffice.conftest import Staff, address, messages_of

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def _parcel(staff: Staff, order: Order, **data: object) -> Fulfillment:
    left = {str(line.public_id): line.quantity for line in order.lines.all()}
    assert staff.do(order, "ship", **{**left, **data}).status_code == 302
    return order.fulfillments.latest("pk")


def test_merchant_brings_an_order_from_confirmed_to_completed(staff, order):
    seen = [order.status]
    staff.do(order, "process")
    order.refresh_from_db()
    seen.append(order.status)
    parcel = _parcel(staff, order)
    order.refresh_from_db()
    seen.append(order.status)
    staff.do(parcel, "deliver")
    order.refresh_from_db()
    seen.append(order.status)
    staff.do(order, "complete")
    order.refresh_from_db()
    seen.append(order.status)

    assert seen == ["confirmed", "processing", "shipped", "delivered", "completed"]
    actors = set(OrderEvent.objects.filter(kind="complete").values_list("actor", flat=True))
    assert actors == {"merchant@example.com"}


def test_merchant_marks_a_shipped_order_as_delivered(staff, order):
    _parcel(staff, order)
    staff.do(order, "deliver")
    order.refresh_from_db()
    assert order.status == "delivered"


def test_merchant_cancels_an_order_with_a_reason(staff, order):
    staff.do(order, "cancel", reason="Sold out")
    order.refresh_from_db()
    assert order.status == "cancelled"
    assert order.timeline.get(kind="cancel").message == "Sold out"


@pytest.mark.parametrize("event", sorted(states.BY_HAND))
def test_a_transition_that_the_state_refuses_is_told_and_changes_nothing(staff, order, event):
    refused = [state for state in states.STATES if states.target(state, event) is None]
    for state in refused:
        Order.objects.filter(pk=order.pk).update(status=state)
        before = order.timeline.count()
        response = staff.do(order, event, reason="")
        order.refresh_from_db()
        assert (order.status, order.timeline.count()) == (state, before)
        told = response.context["form"].non_field_errors() if response.context else None
        told = told or messages_of(response)[-1:]
        assert told == ["The order can't do that in its present state."]
    # Back to what the stock and the payment say.
    Order.objects.filter(pk=order.pk).update(status="confirmed")


@pytest.mark.parametrize("state", states.STATES)
def test_the_page_offers_exactly_the_transitions_of_the_table(staff, order, state):
    Order.objects.filter(pk=order.pk).update(status=state)
    page = staff.page(order)
    offered = {event for event in states.BY_HAND if address(order, event) in page}
    assert offered == states.BY_HAND & {*states.allowed_events(state)}
    assert (address(order, "ship") in page) == (state in ("confirmed", "processing"))
    Order.objects.filter(pk=order.pk).update(status="confirmed")


def test_note_is_private_unless_it_is_shown_to_the_customer(staff, order):
    staff.do(order, "note", message="Wrap it nicely")
    staff.do(order, "note", message="On its way soon", is_public="on")
    notes = order.timeline.filter(kind="note").values_list("message", "is_public")
    assert list(notes) == [("Wrap it nicely", False), ("On its way soon", True)]


def test_an_empty_note_is_refused(staff, order):
    response = staff.do(order, "note", message="  ")
    assert response.context["form"].errors == {"message": ["This field is required."]}
    assert not order.timeline.filter(kind="note").exists()


def test_shipping_a_part_leaves_the_rest_to_ship(staff, order):
    mugs, book = order.lines.order_by("position")
    parcel = _parcel(
        staff,
        order,
        **{str(mugs.public_id): 1, str(book.public_id): 0},
        carrier="Correos",
        tracking_number="PQ1",
        tracking_url="https://example.com/PQ1",
    )
    mugs.refresh_from_db()
    order.refresh_from_db()
    assert (mugs.fulfilled_quantity, order.fulfillment_status) == (1, "partially_fulfilled")
    assert (parcel.carrier, parcel.tracking_number) == ("Correos", "PQ1")
    page = staff.get(address(order, "ship")).context["form"]
    assert page.lines == {str(mugs.public_id): 1, str(book.public_id): 1}


@pytest.mark.parametrize(("mugs", "said"), [(3, "less than or equal to 2"), (-1, "greater than")])
def test_shipping_more_or_less_than_there_is_is_refused(staff, order, mugs, said):
    line = order.lines.get(sku="MUG")
    response = staff.do(order, "ship", **{str(line.public_id): mugs})
    assert said in str(response.context["form"].errors)
    assert not order.fulfillments.exists()


def test_shipping_nothing_is_refused(staff, order):
    nothing = {str(line.public_id): 0 for line in order.lines.all()}
    response = staff.do(order, "ship", **nothing)
    assert response.context["form"].non_field_errors() == ["Choose at least one piece."]


def test_a_tracking_address_that_is_a_script_is_refused(staff, order):
    parcel = _parcel(staff, order)
    response = staff.do(parcel, "tracking", tracking_url="javascript:alert(1)")
    assert "tracking_url" in response.context["form"].errors
    Fulfillment.objects.update(tracking_url="javascript:alert(1)")
    assert 'href="javascript:' not in staff.page(order)


def test_tracking_is_set_and_corrected(staff, order):
    parcel = _parcel(staff, order)
    staff.do(parcel, "tracking", carrier="SEUR", tracking_number="S1")
    assert 'value="S1"' in staff.get(address(parcel, "tracking")).content.decode()
    staff.do(parcel, "tracking", carrier="SEUR", tracking_number="S2")
    parcel.refresh_from_db()
    assert (parcel.carrier, parcel.tracking_number) == ("SEUR", "S2")


def test_capture_then_refund_in_parts(staff, order, paid):
    staff.do(paid, "refund", amount="10.00", reason="Scratched")
    staff.do(paid, "refund", amount="8.95")
    order.refresh_from_db()
    assert (order.captured_amount, order.refunded_amount) == (4895, 1895)
    assert order.payment_status == "partially_refunded"
    assert list(Refund.objects.order_by("pk").values_list("amount", "reason")) == [
        (1000, "Scratched"),
        (895, ""),
    ]


@pytest.mark.parametrize(
    ("amount", "said"),
    [
        ("48.96", "More than what is left of this payment."),
        ("0", "An amount above zero."),
        ("-1", "An amount above zero."),
        ("1.005", "EUR has 2 decimals."),
        ("NaN", "Enter a number."),
        ("1e30", "is not an amount."),
        ("", "This field is required."),
    ],
)
def test_refund_of_a_wrong_amount_is_refused_beside_its_field(staff, paid, amount, said):
    response = staff.do(paid, "refund", amount=amount)
    assert response.status_code == 200
    [error] = response.context["form"].errors["amount"]
    assert said in error
    assert not Refund.objects.exists()


def test_the_same_refund_page_sent_twice_refunds_once(staff, paid):
    page = {"once": str(uuid4()), "amount": "5.00", "reason": ""}
    first = staff.post(address(paid, "refund"), page)
    again = staff.post(address(paid, "refund"), page)
    assert (first.status_code, again.status_code) == (302, 302)
    assert messages_of(again)[-1] == "This was done already."
    assert Refund.objects.count() == 1


def test_a_refused_page_may_be_corrected_and_sent_again(staff, paid):
    once = str(uuid4())
    staff.post(address(paid, "refund"), {"once": once, "amount": "99.00"})
    staff.post(address(paid, "refund"), {"once": once, "amount": "9.00"})
    assert [refund.amount for refund in Refund.objects.all()] == [900]


def test_void_lets_the_authorization_go(staff, payment):
    staff.do(payment, "void")
    payment.refresh_from_db()
    assert payment.status == "voided"


def test_a_captured_payment_cannot_be_voided(staff, paid):
    response = staff.do(paid, "void")
    assert response.context["form"].non_field_errors() == [
        "Only an open or authorized payment can be voided."
    ]


def test_what_asks_first_is_a_link_and_what_acts_at_once_a_button(staff, order, payment):
    page = staff.page(order)
    assert f'<a href="{address(order, "ship")}?back=' in page
    assert f'<a href="{address(payment, "void")}?back=' in page
    assert f'formaction="{address(order, "process")}?back=' in page
    assert f'formaction="{address(payment, "capture")}?back=' in page


def test_payments_buttons_stand_on_the_orders_page(staff, order, payment):
    page = staff.page(order)
    assert address(payment, "capture") in page
    assert address(payment, "void") in page
    assert address(payment, "refund") not in page


def _state(order: Order) -> tuple[object, ...]:
    order.refresh_from_db()
    return (
        *(order.status, order.payment_status, order.fulfillment_status),
        *(order.timeline.count(), order.fulfillments.count(), Refund.objects.count()),
    )


BUTTONS = ("process", "cancel", "deliver", "complete", "note", "ship", "ship-whole", "capture")
FILLED = {"message": "x", "amount": "1.00"}


@pytest.mark.parametrize("action", BUTTONS)
def test_readonly_staff_may_press_no_button_of_an_order(viewer, order, action):
    before = _state(order)
    assert viewer.do(order, action, **FILLED).status_code == 403
    assert viewer.get(address(order, action)).status_code == 403
    assert _state(order) == before


@pytest.mark.parametrize("action", ["capture", "void", "refund"])
def test_readonly_staff_may_press_no_button_of_a_payment(viewer, order, paid, action):
    before = _state(order)
    assert viewer.do(paid, action, **FILLED).status_code == 403
    assert _state(order) == before


@pytest.mark.parametrize("action", ["tracking", "deliver"])
def test_readonly_staff_may_press_no_button_of_a_shipment(staff, viewer, order, action):
    parcel = _parcel(staff, order)
    assert viewer.do(parcel, action, tracking_number="X").status_code == 403
    parcel.refresh_from_db()
    assert (parcel.status, parcel.tracking_number) == ("shipped", "")


def test_readonly_staff_see_the_order_without_buttons(viewer, order):
    page = viewer.page(order)
    assert order.number in page
    assert "/do/" not in page


@pytest.mark.parametrize("action", ["process", "ship-whole", "capture"])
def test_readonly_staff_have_no_list_actions(viewer, order, action):
    before = _state(order)
    viewer.list_action([order], action)
    assert _state(order) == before


def test_staff_without_permissions_see_no_order(staff_without_permissions, order):
    nobody = Staff()
    nobody.force_login(staff_without_permissions)
    assert nobody.get(address(order)).status_code == 403
    assert nobody.do(order, "process").status_code == 403


def test_strangers_are_sent_to_the_log_in(shopper, order):
    client = Staff()
    client.force_login(shopper)
    response = client.do(order, "process")
    assert (response.status_code, response.url.startswith("/admin/login/")) == (302, True)
    order.refresh_from_db()
    assert order.status == "confirmed"


def test_a_button_is_pressed_by_post_and_with_the_csrf_token(merchant, order):
    client = Client(enforce_csrf_checks=True)
    client.force_login(merchant)
    assert client.get(address(order, "process")).status_code == 405
    assert client.post(address(order, "process")).status_code == 403
    order.refresh_from_db()
    assert order.status == "confirmed"


def test_after_a_button_one_is_back_where_one_was_and_nowhere_else(staff, order, payment):
    back = address(order)
    ours = staff.post(f"{address(payment, 'capture')}?back={back}")
    evil = staff.post(f"{address(payment, 'capture')}?back=//evil.example/")
    assert (ours.url, evil.url) == (back, address(payment))


def test_unknown_buttons_and_orders_are_not_found(staff, order):
    assert staff.do(order, "destroy").status_code == 404
    order.pk = 999_999
    assert staff.do(order, "process").status_code == 404


def test_orders_are_neither_added_nor_changed_nor_deleted_by_hand(staff, order):
    page = address(order).removesuffix("change/")
    assert staff.get("/admin/orders/order/add/").status_code == 403
    assert staff.post(f"{page}delete/", {"post": "yes"}).status_code == 403
    assert staff.post(address(order), {"status": "completed", "total": "1"}).status_code == 403
    order.refresh_from_db()
    assert (order.status, order.total) == ("confirmed", 4895)


def test_list_actions_do_what_they_can_and_tell_the_rest(staff, buyer, order):
    buyer.fill(("BOOK", 1))
    other = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
    staff.do(other, "cancel", reason="")
    staff.page(other)

    told = messages_of(staff.list_action([order, other], "process"))
    captured = messages_of(staff.list_action([order], "capture"))
    shipped = messages_of(staff.list_action([order], "ship-whole"))

    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("shipped", "paid")
    assert told == [
        "Mark as processing: 1",
        f"{other.number}: The order can't do that in its present state.",
    ]
    assert (captured, shipped) == (["Capture: 1"], ["Ship all that is left: 1"])


def test_list_actions_take_a_hundred_at_most(staff, order, many_orders):
    many_orders(101)
    everything = list(Order.objects.all())
    assert messages_of(staff.list_action(everything, "process")) == ["At most 100 at once."]
    assert not Order.objects.filter(status="processing").exists()
    Payment.objects.exclude(order=order).delete()
    Order.objects.exclude(pk=order.pk).delete()
