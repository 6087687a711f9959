"""Staff in the shop as a customer: seen by everybody who looks, for a while, and not for all."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from apps.accounts.models import User
from apps.core.impersonation import LASTS
from apps.core.models import AuditEntry
from apps.orders.models import Order
from tests.factories.customers import CustomerFactory
from tests.factories.payments import SavedMethodFactory
from tests.flows.conftest import ADDRESS, Shop

Begin = Callable[..., Any]
BANNER = "You are signed in as shopper@example.com."


@pytest.fixture
def support(staff_without_permissions: User) -> User:
    staff_without_permissions.groups.add(Group.objects.get(name="support"))
    return staff_without_permissions


@pytest.fixture
def begin(store: Any, visitor: Client, support: User) -> Begin:
    """Ask to be signed in as somebody, in the browser of the support."""
    visitor.force_login(support)

    def asked(user: User, reason: str = "Can't find the button") -> Any:
        url = f"/admin/customers/customer/{user.customer.pk}/do/impersonate/"
        return visitor.post(url, {"once": str(uuid4()), "reason": reason})

    return asked


def _entries() -> list[tuple[str, str]]:
    return [(e.actor, e.action) for e in AuditEntry.objects.order_by("pk")]


def test_staff_are_the_customer_until_they_end_it(
    begin: Begin, visitor: Client, shopper: User
) -> None:
    before = visitor.cookies[settings.SESSION_COOKIE_NAME].value
    begun = begin(shopper)
    during = visitor.cookies[settings.SESSION_COOKIE_NAME].value
    assert (begun.status_code, begun["Location"]) == (302, reverse("shop:account"))
    page = visitor.get(begun["Location"])
    assert (page.context["user"], BANNER in page.content.decode()) == (shopper, True)
    # In the back office they are themselves.
    assert visitor.get("/admin/").context["user"].email == "nobody@example.com"
    ended = visitor.post(reverse("shop:end-impersonation"))
    assert ended["Location"] == f"/admin/customers/customer/{shopper.customer.pk}/change/"
    assert BANNER not in visitor.get(reverse("shop:home")).content.decode()
    assert len({before, during, visitor.cookies[settings.SESSION_COOKIE_NAME].value}) == 3
    both = "nobody@example.com as shopper@example.com"
    assert _entries() == [
        ("nobody@example.com", "impersonation.begin"),
        (both, "impersonation.end"),
    ]
    assert AuditEntry.objects.first().changes["reason"] == "Can't find the button"


def test_an_order_says_who_placed_it(
    begin: Begin, visitor: Client, shopper: User, goods: Shop
) -> None:
    begin(shopper)
    visitor.post(reverse("shop:add"), {"sku": "BOOK", "quantity": 1})
    address = {**ADDRESS, "email": shopper.email}
    visitor.post(reverse("shop:checkout"), address)
    visitor.post(reverse("shop:shipping"), {"method": "post"})
    page = visitor.get(reverse("shop:payment"))
    placed = visitor.post(
        reverse("shop:payment"), {"pay_by": "manual:", "total": page.context["cart"]["totals"]}
    )
    assert placed.status_code == 302
    order = Order.objects.get()
    both = "nobody@example.com as shopper@example.com"
    assert order.customer == shopper.customer
    assert {entry.actor for entry in order.timeline.all()} == {both}
    assert {actor for actor, _action in _entries()[1:]} == {both}
    assert "post" in {action for _actor, action in _entries()}


def test_what_is_the_customers_alone_stays_so(
    begin: Begin, visitor: Client, shopper: User, goods: Shop
) -> None:
    card = SavedMethodFactory(customer=shopper.customer)
    begin(shopper)
    visitor.post(reverse("shop:add"), {"sku": "BOOK", "quantity": 1})
    written = {
        reverse("shop:second-factor"): {"act": "begin", "password": "x"},
        reverse("shop:my-card", args=[card.public_id]): {"remove": "1"},
        reverse("shop:sign-out-everywhere"): {},
        reverse("shop:resend-verification"): {},
        reverse("shop:forgotten"): {"email": shopper.email},
        reverse("shop:payment"): {"pay_by": f"saved:{card.public_id}"},
        reverse("shop:make-wishlist"): {"name": "Mine"},
    }
    assert {url: visitor.post(url, data).status_code for url, data in written.items()} == (
        dict.fromkeys(written, 403)
    )
    read = [reverse("shop:my-cards"), reverse("shop:second-factor")]
    assert [visitor.get(url).status_code for url in read] == [403, 403]
    # The card isn't even named where it would be offered.
    assert "4242" not in visitor.get(reverse("shop:payment")).content.decode()
    assert not Order.objects.exists()


def test_it_ends_after_half_an_hour(begin: Begin, visitor: Client, shopper: User) -> None:
    begin(shopper)
    with time_machine.travel(timezone.now() + LASTS + timedelta(seconds=1), tick=False):
        late = visitor.post(reverse("shop:add"), {"sku": "BOOK", "quantity": 1})
        assert late["Location"] == f"/admin/customers/customer/{shopper.customer.pk}/change/"
        assert visitor.get(reverse("shop:home")).context["user"].email == "nobody@example.com"
    assert _entries()[-1] == ("nobody@example.com", "impersonation.end")


@pytest.mark.parametrize("change", ["password", "blocked", "role", "staff"])
def test_it_ends_with_what_it_stands_on(
    begin: Begin, visitor: Client, shopper: User, support: User, change: str
) -> None:
    begin(shopper)
    if change == "role":
        support.groups.clear()
    elif change == "password":
        shopper.set_password("another one")
    else:
        shopper.is_active, shopper.is_staff = change != "blocked", change == "staff"
    shopper.save()
    assert visitor.get(reverse("shop:account")).status_code == 302
    assert BANNER not in visitor.get(reverse("shop:home")).content.decode()


def test_staff_and_guests_are_nobody_to_be(
    begin: Begin, visitor: Client, merchant: User, shopper: User
) -> None:
    CustomerFactory(user=merchant)
    shopper.is_active = False
    shopper.save()
    for user in (merchant, shopper):
        refused = begin(user)
        assert refused.status_code == 200
        assert refused.context["form"].non_field_errors()
    assert begin(shopper, reason="").context["form"].errors["reason"]
    assert "impersonation" not in visitor.session


def test_the_role_decides(begin: Begin, shopper: User, support: User) -> None:
    support.groups.set([Group.objects.get(name="read-only")])
    assert begin(shopper).status_code == 403


def test_a_session_that_signs_out_is_nobodys(begin: Begin, visitor: Client, shopper: User) -> None:
    begin(shopper)
    visitor.post("/admin/logout/")
    page = visitor.get(reverse("shop:home"))
    assert (page.context["user"].is_authenticated, BANNER in page.content.decode()) == (
        False,
        False,
    )
