"""Changing an order on its page: draft, look, confirm."""

from __future__ import annotations

import pytest

from apps.orders.models import Order, OrderEdit
from tests.backoffice.conftest import Staff, address
from tests.flows.conftest import Buyer

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def _fields(order: Order, **changes: object) -> dict[str, object]:
    """The form of the lines as its page would send it."""
    known = {str(line.public_id): line.quantity for line in order.lines.all()}
    return {**known, "shipping_method": order.shipping_method, "add": "", "reason": "", **changes}


def test_staff_draft_look_at_and_confirm_a_change(staff: Staff, order: Order) -> None:
    mug = str(order.lines.get(sku="MUG").public_id)
    drafted = staff.do(order, "edit", **_fields(order, **{mug: 1}, add="BOOK 1\n"))
    order.refresh_from_db()
    untouched = order.total
    seen = staff.get(address(order, "confirm-edit")).content.decode()
    confirmed = staff.do(order, "confirm-edit")
    order.refresh_from_db()

    assert (drafted.status_code, confirmed.status_code) == (302, 302)
    assert "Total: €56.95 instead of €48.95 (+€8.00)" in seen
    assert (untouched, order.total) == (4895, 1200 + 4000 + 495)
    assert [e.status for e in order.edits.all()] == ["confirmed"]
    assert order.timeline.get(kind="edited").actor == "merchant@example.com"
    # Nothing is left to confirm.
    assert address(order, "confirm-edit") not in staff.page(order)


def test_a_draft_is_discarded(staff: Staff, order: Order) -> None:
    mug = str(order.lines.get(sku="MUG").public_id)
    staff.do(order, "cancel-lines", **{mug: 2, "reason": "Broken"})
    assert address(order, "discard-edit") in staff.page(order)
    staff.do(order, "discard-edit")

    order.refresh_from_db()
    assert (order.total, OrderEdit.objects.get().status) == (4895, "discarded")


def test_a_price_needs_a_reason(staff: Staff, order: Order) -> None:
    prices = {str(line.public_id): "9.99" for line in order.lines.all()}
    refused = staff.do(order, "edit-prices", **prices)
    staff.do(order, "edit-prices", **prices, reason="Agreed by phone")
    staff.do(order, "confirm-edit")

    order.refresh_from_db()
    assert refused.context["form"].errors["reason"]
    assert order.total == 3 * 999 + 495


def test_an_address_is_changed(staff: Staff, order: Order) -> None:
    typed = {**order.shipping_address, "line1": "Calle Menor 2"}
    staff.do(order, "edit-address", **typed, reason="")
    staff.do(order, "confirm-edit")

    order.refresh_from_db()
    assert (order.shipping_address["line1"], order.total) == ("Calle Menor 2", 4895)


@pytest.mark.parametrize("add", ["MUG", "MUG x", "MUG 0", "NOWHERE 1", "MUG ²"])
def test_what_cannot_be_added_is_told(staff: Staff, order: Order, add: str) -> None:
    response = staff.do(order, "edit", **_fields(order, add=add))
    form = response.context["form"]
    assert form.errors
    assert not OrderEdit.objects.exists()


def test_orders_are_combined(staff: Staff, order: Order, buyer: Buyer) -> None:
    alone = address(order, "combine") in staff.page(order)
    buyer.fill(("BOOK", 1))
    other = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
    seen = staff.get(address(order, "combine")).content.decode()
    staff.do(order, "combine", number=other.number)

    order.refresh_from_db()
    assert (alone, f"{other.number}: €24.95" in seen) == (False, True)
    assert order.total == 4895 + 2495


def test_an_order_is_split_in_two(staff: Staff, order: Order) -> None:
    mug, book = (str(line.public_id) for line in order.lines.all())
    too_many = staff.do(order, "split", **{mug: 3})
    nothing = staff.do(order, "split", **{mug: 0, book: ""})
    staff.do(order, "split", **{mug: 1, book: ""})

    assert too_many.context["form"].errors[mug]
    assert nothing.context["form"].non_field_errors() == ["Nothing would change."]
    new = Order.objects.get(split_from=order)
    assert (new.total, [line.sku for line in new.lines.all()]) == (1200, ["MUG"])
    assert f'href="/admin/orders/order/{order.pk}/change/">{order.number}</a>' in staff.page(new)
