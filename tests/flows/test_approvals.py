"""Four eyes: above the store's limit money leaves by the word of two people, and only once."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import IntegrityError, transaction
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.accounts.services.api_keys import create_api_key
from apps.core.context import Actor, acting
from apps.core.models import AuditEntry
from apps.orders import services
from apps.orders.models import Approval, ApprovalLimit, Order, OrderEdit
from apps.payments import services as payments
from apps.payments.models import Payment, Refund
from apps.payments.selectors import payments_of
from apps.returns import services as returns
from apps.stores.models import Store
from tests.factories.accounts import StaffFactory
from tests.factories.orders import ApprovalFactory
from tests.flows.conftest import ADDRESS, Buyer, Shop, build_shop
from tests.returns.conftest import buy, pay_and_send, wish

pytestmark = pytest.mark.usefixtures("invariants")
ADMIN = "/api/v1/admin"


@pytest.fixture
def limit(store: Store) -> ApprovalLimit:
    """What staff may give of an order alone: 10.00 €."""
    return ApprovalLimit.objects.create(store=store, currency="EUR", amount=1000)


@pytest.fixture
def order(buyer: Buyer, limit: ApprovalLimit) -> Order:
    """Three mugs, paid: 36.00, and 4.95 for the post."""
    order = buy(buyer, ("MUG", 3))
    payments.capture_order(order=order)
    return order


@pytest.fixture
def payment(order: Order) -> Payment:
    return payments_of(order)[0]


@pytest.fixture
def colleague(merchant: User) -> User:
    user = StaffFactory(email="colleague@example.com")
    user.groups.set(merchant.groups.all())
    return user


@pytest.fixture
def as_colleague(colleague: User, client_for: Callable[[User], APIClient]) -> APIClient:
    return client_for(colleague)


def _euros(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def _refund(client: APIClient, payment: Payment, amount: str) -> Any:
    body = {"amount": _euros(amount), "reason": "Broken"}
    return client.post(f"{ADMIN}/payments/{payment.public_id}/refund/", body)


def _asked(client: APIClient, payment: Payment, amount: str = "20.00") -> str:
    answer = _refund(client, payment, amount)
    assert answer.status_code == 202, answer.json()
    return f"{ADMIN}/approvals/{answer.json()['approval']}/"


def _refunded(payment: Payment) -> int:
    payment.refresh_from_db()
    return payment.refunded_amount


def test_a_refund_above_the_limit_waits_for_another_person(
    as_merchant: APIClient, as_colleague: APIClient, payment: Payment
) -> None:
    url = _asked(as_merchant, payment)
    assert _refunded(payment) == 0
    waiting = as_colleague.get(f"{ADMIN}/approvals/?status=asked").json()["results"]
    assert [(row["verb"], row["amount"], row["asked_by"]) for row in waiting] == [
        ("refund", _euros("20.00"), "merchant@example.com")
    ]
    own = as_merchant.post(f"{url}approve/")
    assert (own.status_code, own.json()["code"]) == (409, "own_request")
    done = as_colleague.post(f"{url}approve/").json()
    assert (done["status"], done["decided_by"]) == ("done", "colleague@example.com")
    assert _refunded(payment) == 2000
    again = as_colleague.post(f"{url}approve/")
    assert (again.status_code, again.json()["code"]) == (409, "approval_closed")
    assert Refund.objects.get().approval.order == payment.order
    told = payment.order.timeline.filter(kind__startswith="approval_")
    assert [(row.kind, row.actor) for row in told] == [
        ("approval_asked", "merchant@example.com"),
        ("approval_approved", "colleague@example.com"),
    ]
    actions = AuditEntry.objects.filter(action__startswith="approval.").order_by("pk")
    assert [entry.action for entry in actions] == ["approval.asked", "approval.approved"]


def test_up_to_the_limit_nobody_is_asked(as_merchant: APIClient, payment: Payment) -> None:
    assert _refund(as_merchant, payment, "10.00").status_code == 201
    assert not Approval.objects.exists()


def test_small_refunds_of_a_day_are_one(as_merchant: APIClient, payment: Payment) -> None:
    assert _refund(as_merchant, payment, "6.00").status_code == 201
    assert _refund(as_merchant, payment, "4.01").status_code == 202
    assert _refund(as_merchant, payment, "4.00").status_code == 201
    with time_machine.travel(timezone.now() + timedelta(hours=24, minutes=1), tick=False):
        payments.settle(order=payment.order)
    Refund.objects.update(created_at=timezone.now() - timedelta(hours=24, minutes=1))
    assert _refund(as_merchant, payment, "10.00").status_code == 201


def test_what_was_approved_isnt_counted(
    as_merchant: APIClient, as_colleague: APIClient, payment: Payment
) -> None:
    as_colleague.post(f"{_asked(as_merchant, payment)}approve/")
    assert _refund(as_merchant, payment, "10.00").status_code == 201


def test_a_key_is_the_person_it_belongs_to(
    merchant: User, api: APIClient, as_colleague: APIClient, payment: Payment
) -> None:
    scopes = ["payments.refund_payment", "orders.decide_approval"]
    secret = create_api_key(created_by=merchant, name="Erp", scopes=scopes)[1]
    api.credentials(HTTP_AUTHORIZATION=f"Api-Key {secret}")
    url = _asked(api, payment)
    assert api.post(f"{url}approve/").json()["code"] == "own_request"
    assert as_colleague.post(f"{url}approve/").json()["status"] == "done"


def test_refused_and_expired_are_never_done(
    as_merchant: APIClient, as_colleague: APIClient, payment: Payment
) -> None:
    refused, expired = _asked(as_merchant, payment), _asked(as_merchant, payment)
    assert as_merchant.post(f"{refused}refuse/", {"note": "No"}).json()["code"] == "own_request"
    answer = as_colleague.post(f"{refused}refuse/", {"note": "Look at the photos first."}).json()
    assert (answer["status"], answer["note"]) == ("refused", "Look at the photos first.")
    Approval.objects.filter(status="asked").update(expires_at=timezone.now())
    assert as_colleague.post(f"{expired}approve/").json()["code"] == "approval_closed"
    assert (services.expire_approvals(), services.expire_approvals()) == (1, 0)
    assert as_colleague.post(f"{refused}approve/").json()["code"] == "approval_closed"
    assert (as_colleague.get(expired).json()["status"], _refunded(payment)) == ("expired", 0)


def test_what_cant_be_done_any_more_has_failed(
    as_merchant: APIClient, as_colleague: APIClient, payment: Payment
) -> None:
    url = _asked(as_merchant, payment, "40.00")
    payments.refund(payment=payment, amount=1000)
    failed = as_colleague.post(f"{url}approve/").json()
    assert (failed["status"], failed["note"]) == (
        "failed",
        "More than what is left of this payment.",
    )
    assert _refunded(payment) == 1000


def test_who_may_not_decide_is_refused(
    as_merchant: APIClient, as_readonly: APIClient, payment: Payment
) -> None:
    url = _asked(as_merchant, payment)
    assert as_readonly.get(url).status_code == 200
    assert as_readonly.post(f"{url}approve/").status_code == 403


def test_no_row_says_that_one_person_did_both(order: Order, merchant: User) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        ApprovalFactory(order=order, asked_by=merchant, decided_by=merchant)


def test_without_a_limit_and_without_staff_nothing_waits(
    as_merchant: APIClient, payment: Payment, limit: ApprovalLimit, shopper: User
) -> None:
    with acting(Actor("shopper@example.com", shopper.pk)):
        payments.refund(payment=payment, amount=1500)
    limit.delete()
    assert _refund(as_merchant, payment, "15.00").status_code == 201


def _lower(client: APIClient, order: Order, price: str) -> Any:
    lines = [{"id": str(order.lines.get().public_id), "unit_price": _euros(price)}]
    body = {"lines": lines, "reason": "Agreed by phone"}
    return client.post(f"{ADMIN}/orders/{order.number}/edit/", body)


def test_lowered_prices_wait_as_a_draft(
    as_merchant: APIClient, as_colleague: APIClient, order: Order, drain: Callable[[], int]
) -> None:
    assert _lower(as_merchant, order, "10.00").status_code == 200
    asked = _lower(as_merchant, order, "8.00")
    order.refresh_from_db()
    assert (asked.status_code, order.total) == (202, 3000 + 495)
    url = f"{ADMIN}/approvals/{asked.json()['approval']}/"
    done = as_colleague.post(f"{url}approve/").json()
    order.refresh_from_db()
    assert (done["status"], done["amount"], order.total) == ("done", _euros("6.00"), 2400 + 495)
    assert [e.status for e in order.edits.all()] == ["confirmed", "confirmed"]
    drain()


def test_an_item_added_at_another_price_is_lowered_too(
    as_merchant: APIClient, as_colleague: APIClient, order: Order
) -> None:
    lines = [{"sku": "BOOK", "quantity": 1, "unit_price": _euros("9.00")}]
    body = {"lines": lines, "reason": "A present"}
    asked = as_merchant.post(f"{ADMIN}/orders/{order.number}/edit/", body)
    assert asked.status_code == 202
    url = f"{ADMIN}/approvals/{asked.json()['approval']}/"
    assert as_colleague.get(url).json()["amount"] == _euros("11.00")
    as_colleague.post(f"{url}refuse/", {"note": "No"})
    assert OrderEdit.objects.get().status == "discarded"


def test_a_draft_isnt_a_way_around(as_merchant: APIClient, shop: Shop, limit: Any) -> None:
    def place(price: str) -> Any:
        line = {"sku": "BOOK", "quantity": 2, "unit_price": _euros(price), "price_reason": "Agreed"}
        wish = {
            "lines": [line],
            "email": "ana@example.com",
            "shipping_address": ADDRESS,
            "shipping_method": "post",
            "payment": {"gateway": "manual"},
        }
        return as_merchant.post(f"{ADMIN}/orders/", wish)

    refused, placed = place("14.99"), place("15.00")
    assert (refused.status_code, refused.json()["code"]) == (409, "approval_needed")
    assert (placed.status_code, Order.objects.count()) == (201, 1)


def test_a_return_above_the_limit_is_refunded_by_two(
    merchant: User, colleague: User, buyer: Buyer, shop: Shop, limit: ApprovalLimit, drain: Any
) -> None:
    order = pay_and_send(buy(buyer, ("MUG", 3)))
    request = returns.request_return(order=order, wishes=[wish(order, "MUG", 2)])
    returns.approve_return(request=request)
    returns.receive_return(request=request, location=shop.near)
    returns.inspect_return(request=request)
    with acting(Actor(merchant.email, merchant.pk)):
        approval = returns.refund_or_ask(request=request)
    assert isinstance(approval, Approval)
    drain()
    assert (approval.amount, Refund.objects.count()) == (2400, 0)
    with acting(Actor(colleague.email, colleague.pk)):
        services.approve(approval=approval, user=colleague)
    drain()
    request.refresh_from_db()
    assert (request.status, _refunded(payments_of(order)[0])) == ("closed", 2400)


@pytest.mark.race
def test_many_who_approve_at_once_do_it_once(
    store: Store, merchant: User, api: APIClient, at_once: Callable[..., list[Any]]
) -> None:
    shop = build_shop(store)
    ApprovalLimit.objects.create(store=shop.store, currency="EUR", amount=1000)
    order = buy(Buyer(api), ("MUG", 3))
    payments.capture_order(order=order)
    payment = payments_of(order)[0]
    with acting(Actor(merchant.email, merchant.pk)):
        approval = payments.refund_or_ask(payment=payment, amount=1500)
    people = StaffFactory.create_batch(8)
    told = at_once(8, lambda n: services.approve(approval=approval, user=people[n]))
    assert sum(isinstance(answer, Approval) for answer in told) == 1
    assert sum(isinstance(answer, services.ApprovalClosed) for answer in told) == 7
    assert (Refund.objects.count(), _refunded(payment)) == (1, 1500)
    # The verb itself would do it again: what holds is that one decision wins.
    payments.intend_refund(payment=payment, amount=1500, approval=approval)
    assert Refund.objects.filter(approval=approval).count() == 2


@pytest.mark.race
def test_small_refunds_at_once_stay_below_the_limit(
    store: Store, merchant: User, api: APIClient, at_once: Callable[..., list[Any]]
) -> None:
    shop = build_shop(store)
    ApprovalLimit.objects.create(store=shop.store, currency="EUR", amount=1000)
    order = buy(Buyer(api), ("MUG", 3))
    payments.capture_order(order=order)
    payment = payments_of(order)[0]

    def give(number: int) -> Any:
        with acting(Actor(merchant.email, merchant.pk)):
            return payments.refund_or_ask(payment=payment, amount=400)

    told = at_once(6, give)
    assert sum(isinstance(made, Refund) for made in told) == 2
    assert sum(isinstance(made, Approval) for made in told) == 4
    assert _refunded(payment) == 800
