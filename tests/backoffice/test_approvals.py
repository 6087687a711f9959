"""Four eyes on the pages of the back office."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission

from apps.accounts.models import User
from apps.orders.models import Approval, ApprovalLimit, Order
from apps.payments import services as payments
from apps.payments.models import Payment
from apps.payments.selectors import payments_of
from tests.backoffice.conftest import Staff, address, messages_of
from tests.factories.accounts import StaffFactory

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
WAITS = "This is above the store's limit: it waits for another person's approval."


@pytest.fixture
def payment(order: Order) -> Payment:
    """Of an order whose store lets staff give 10.00 away alone."""
    ApprovalLimit.objects.create(store=order.store, currency="EUR", amount=1000)
    payments.capture_order(order=order)
    return payments_of(order)[0]


@pytest.fixture
def colleague(merchant: User) -> Staff:
    user = StaffFactory(email="colleague@example.com")
    user.groups.set(merchant.groups.all())
    client = Staff()
    client.force_login(user)
    return client


def test_a_refund_is_asked_for_and_approved(
    staff: Staff, colleague: Staff, payment: Payment
) -> None:
    asked = staff.do(payment, "refund", amount="20.00", reason="Broken")
    assert messages_of(asked) == [WAITS]
    approval = Approval.objects.get()
    page = colleague.page(approval)
    assert "merchant@example.com" in page
    assert "€20.00" in page
    own = staff.do(approval, "approve")
    assert own.context["form"].non_field_errors()
    done = colleague.do(approval, "approve")
    payment.refresh_from_db()
    assert (messages_of(done), payment.refunded_amount) == (["It is approved and done."], 2000)
    assert address(approval, "approve") not in colleague.page(approval)


def test_lowered_prices_are_asked_for_and_refused(
    staff: Staff, colleague: Staff, payment: Payment
) -> None:
    order = payment.order
    prices = {str(line.public_id): "1.00" for line in order.lines.all()}
    staff.do(order, "edit-prices", **prices, reason="Agreed by phone")
    told: list[Any] = [messages_of(staff.do(order, "confirm-edit"))[-1] for _time in range(2)]
    assert told == [WAITS, WAITS]
    approval = Approval.objects.get()
    colleague.do(approval, "refuse", note="Much too low")
    approval.refresh_from_db()
    assert (approval.status, approval.note) == ("refused", "Much too low")
    assert [edit.status for edit in order.edits.all()] == ["discarded"]


def test_only_owners_set_limits(staff: Staff, payment: Payment) -> None:
    may = Permission.objects.filter(codename="change_approvallimit", group__isnull=False)
    assert [*may.values_list("group__name", flat=True)] == ["owner"]
    assert "approval_limits-0-amount" in staff.page(payment.order.store)
