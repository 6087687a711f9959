"""Orders that staff make for a customer, from the customer's page to the order."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from apps.accounts.models import User
from apps.checkout.models import Cart
from apps.checkout.selectors import cart_for_shopper, open_cart_of
from apps.checkout.services import cleanup_carts
from apps.core.errors import NotFound
from apps.customers.services.addresses import add_address
from apps.inventory.models import Hold, StockLevel
from apps.notifications.models import Notification
from apps.orders.models import Order
from apps.orders.services import cancel_expired
from apps.payments.services import pay_by_link
from tests.backoffice.conftest import Staff, address
from tests.factories.promotions import CouponFactory
from tests.flows.conftest import ADDRESS, Buyer, Shop

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


@pytest.fixture
def draft(staff: Staff, shop: Shop, shopper: User) -> Cart:
    add_address(customer=shopper.customer, data={**ADDRESS, "is_default_shipping": True})
    items = {"items": "MUG 2\nBOOK 1", "store": shop.store.code, "currency": ""}
    assert staff.do(shopper.customer, "order", **items).status_code == 302
    return Cart.objects.get()


def _fields(draft: Cart, **changes: Any) -> dict[str, Any]:
    known = {str(line.public_id): line.quantity for line in draft.lines.all()}
    return {**known, "add": "", **changes}


def _line(draft: Cart, sku: str) -> str:
    return str(draft.lines.get(variant__sku=sku).public_id)


def test_staff_fill_look_at_and_place_a_draft(staff: Staff, draft: Cart, shopper: User) -> None:
    mug, book = _line(draft, "MUG"), _line(draft, "BOOK")
    staff.do(draft, "lines", **_fields(draft, **{book: 0}, add="BOOK 3"))
    staff.do(draft, "prices", **{mug: "10.00", "reason": "As agreed by phone"})
    staff.do(draft, "delivery", **ADDRESS, shipping_method="post", note="Ring twice")
    seen = staff.get(address(draft, "place")).content.decode()
    refused = staff.do(draft, "place", expected=1)
    placed = staff.do(draft, "place", expected=2000 + 6000 + 495)

    order = Order.objects.get()
    assert "Total: €84.95" in seen
    assert refused.context["form"].non_field_errors()
    assert placed.status_code == 302
    assert (order.customer, order.status, order.total) == (shopper.customer, "confirmed", 8495)
    assert order.customer_note == "Ring twice"
    note = order.timeline.get(kind="price_agreed")
    assert (note.message, note.is_public) == ("MUG: As agreed by phone", False)


def test_a_draft_is_placed_to_be_paid_by_a_link(staff: Staff, draft: Cart, shop: Shop) -> None:
    staff.do(draft, "delivery", **ADDRESS, shipping_method="post", note="")
    seen = staff.get(address(draft, "place-by-link")).content.decode()
    placed = staff.do(draft, "place-by-link", expected=2400 + 2000 + 495)
    again = staff.do(draft, "place-by-link", expected=2400 + 2000 + 495)

    order = Order.objects.get()
    link = order.pay_links.get()
    assert "The customer is mailed a link to pay by" in seen
    assert (placed.status_code, again.status_code, order.status) == (302, 302, "pending")
    # It waits, and its stock with it, as long as the link is good.
    assert order.expires_at == link.expires_at > timezone.now() + timedelta(days=13)
    holds = Hold.objects.filter(reference=order.reference)
    assert [(hold.state, hold.expires_at) for hold in holds] == [("held", link.expires_at)] * 2
    assert link.token in Notification.objects.get(kind="orders/pay_link").body_text

    pay_by_link(link=link, gateway_code="manual")
    order.refresh_from_db()
    assert (order.status, order.payment_status) == ("confirmed", "authorized")


def test_a_link_that_nobody_pays_gives_the_draft_back(
    staff: Staff, draft: Cart, shop: Shop, drain: Callable[[], int]
) -> None:
    staff.do(draft, "delivery", **ADDRESS, shipping_method="post", note="")
    staff.do(draft, "place-by-link", expected=2400 + 2000 + 495)
    cancel_expired(now=timezone.now() + timedelta(days=13))
    assert Order.objects.get().status == "pending"
    cancel_expired(now=timezone.now() + timedelta(days=15))
    drain()

    order = Order.objects.get()
    draft.refresh_from_db()
    assert (order.status, order.pay_links.get().state) == ("cancelled", "revoked")
    assert (draft.status, draft.is_draft) == ("open", True)
    assert StockLevel.objects.filter(held__gt=0).count() == 0


def test_promotions_and_codes_count_for_a_draft_too(staff: Staff, draft: Cart) -> None:
    CouponFactory(code="TENTH")
    staff.do(draft, "delivery", **ADDRESS, shipping_method="post", note="")
    staff.do(draft, "prices", **{_line(draft, "MUG"): "5.00", "reason": "Scratched"})
    staff.do(draft, "code", code="tenth")
    staff.do(draft, "place", expected=3000 - 300 + 495)

    assert Order.objects.get().discount == 300


def test_no_shopper_finds_a_draft_and_it_waits(draft: Cart, shopper: User, shop: Shop) -> None:
    customer = shopper.customer
    Cart.objects.update(updated_at="2020-01-01T00:00:00Z")

    assert open_cart_of(customer, shop.store) is None
    with pytest.raises(NotFound):
        cart_for_shopper(cart_id=draft.public_id, customer_id=customer.pk)
    assert cleanup_carts() == 0


def test_a_draft_is_discarded(staff: Staff, draft: Cart) -> None:
    staff.do(draft, "discard")
    draft.refresh_from_db()
    assert (draft.status, draft.is_draft) == ("merged", False)


def test_a_shoppers_own_cart_is_left_alone(staff: Staff, buyer: Buyer) -> None:
    buyer.fill(("MUG", 1))
    cart = Cart.objects.get()
    response = staff.do(cart, "lines", **_fields(cart, add="BOOK 1"))

    assert response.context["form"].non_field_errors() == ["This is a shopper's own cart."]
    assert cart.lines.count() == 1
    assert address(cart, "lines") not in staff.page(cart)
