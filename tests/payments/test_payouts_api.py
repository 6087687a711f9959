"""Payouts and differences with providers, as the books of others fetch them."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from apps.payments.models import Payment, Payout, ReconciliationDifference
from tests.factories.payments import payout_difference
from tests.flows.conftest import Buyer, buyer, shop
from tests.permissions.cast import key_of, staff

__all__ = ["buyer", "shop"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
PAYOUTS, DIFFERENCES = "/api/v1/admin/payouts/", "/api/v1/admin/payment-differences/"


@pytest.fixture
def difference(buyer: Buyer) -> ReconciliationDifference:
    buyer.fill(("MUG", 1))
    assert buyer.checkout().status_code == 201
    return payout_difference(Payment.objects.get())


def _money(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_payouts_with_their_lines(
    difference: ReconciliationDifference, as_merchant: APIClient
) -> None:
    payout, payment = Payout.objects.get(), Payment.objects.get()
    [listed] = as_merchant.get(f"{PAYOUTS}?status=paid&currency=EUR").json()["results"]
    assert as_merchant.get(f"{PAYOUTS}{payout.public_id}/").json() == listed
    assert (listed["id"], listed["provider_id"], listed["amount"], listed["arrives_on"]) == (
        *(str(payout.public_id), payout.provider_id),
        *(_money("10.00"), payout.arrives_on.isoformat()),
    )
    [line] = as_merchant.get(f"{PAYOUTS}{payout.public_id}/lines/").json()["results"]
    assert [line[name] for name in ("kind", "gross", "fee", "net", "refund")] == [
        *("charge", _money("9.00"), _money("0.50"), _money("8.50"), None)
    ]
    assert (line["order"], line["payment"]) == (payment.order.number, str(payment.public_id))


def test_filters(difference: ReconciliationDifference, as_merchant: APIClient) -> None:
    payout, number = Payout.objects.get(), Payment.objects.get().order.number
    day = payout.arrives_on.isoformat()
    lines = f"{PAYOUTS}{payout.public_id}/lines/"
    for url, found in (
        (f"{PAYOUTS}?arrives_from={day}&arrives_to={day}", 1),
        (f"{PAYOUTS}?arrives_to=2020-01-01", 0),
        (f"{PAYOUTS}?gateway=paypal", 0),
        (f"{lines}?kind=charge&order={number}", 1),
        (f"{lines}?kind=refund", 0),
        (f"{DIFFERENCES}?status=open&kind=payout_sum&payout={payout.public_id}", 1),
        (f"{DIFFERENCES}?order={number}", 0),
    ):
        assert len(as_merchant.get(url).json()["results"]) == found, url
    for url in (f"{PAYOUTS}?status=nope", f"{PAYOUTS}?arrives_from=soon", f"{lines}?nope=1"):
        assert as_merchant.get(url).status_code == 400, url


def test_difference_is_resolved_once(
    difference: ReconciliationDifference, as_merchant: APIClient
) -> None:
    url = f"{DIFFERENCES}{difference.public_id}/"
    told = as_merchant.get(url).json()
    assert (told["kind"], told["status"], told["ours"], told["theirs"]) == (
        *("payout_sum", "open"),
        *(_money("8.50"), _money("10.00")),
    )
    assert (told["payment"], told["payout"]) == (None, str(Payout.objects.get().public_id))
    for body in ({}, {"note": " "}, {"note": "x" * 501}):
        assert as_merchant.post(f"{url}resolve/", body).status_code == 400
    answer = as_merchant.post(f"{url}resolve/", {"note": "Corrected by Stripe."})
    assert (answer.status_code, answer.json()["status"]) == (200, "resolved")
    assert answer.json()["note"] == "Corrected by Stripe."
    again = as_merchant.post(f"{url}resolve/", {"note": "Again."})
    assert (again.status_code, again.json()["code"]) == (409, "difference_closed")


def test_who_may_only_look_resolves_nothing(difference: ReconciliationDifference) -> None:
    narrow = key_of(staff("owner"), "payments.view_reconciliationdifference")
    url = f"{DIFFERENCES}{difference.public_id}/"
    assert narrow.get(url).status_code == 200
    assert narrow.post(f"{url}resolve/", {"note": "Mine."}, format="json").status_code == 403
    assert narrow.get(PAYOUTS).status_code == 403


def test_queries_do_not_grow(
    difference: ReconciliationDifference, as_merchant: APIClient, django_assert_max_num_queries: Any
) -> None:
    payout, payment = Payout.objects.get(), Payment.objects.get()
    urls = (PAYOUTS, f"{PAYOUTS}{payout.public_id}/lines/", DIFFERENCES)

    def count(url: str) -> int:
        with django_assert_max_num_queries(99) as seen:
            assert as_merchant.get(url).status_code == 200
        return len(seen)

    before = [count(url) for url in urls]
    [line] = payout.lines.all()
    for number in range(10):
        line.pk, line.provider_id, line.gross, line.net = None, f"txn_more_{number}", 50, 0
        line.save()
        Payout.objects.create(
            gateway="stripe",
            provider_id=f"po_more_{number}",
            amount=1,
            currency="EUR",
            arrives_on=payout.arrives_on,
            status="pending",
        ).differences.create(kind="nameless", ours=0, theirs=number)
    assert payment.payout_lines.count() == 11
    assert [count(url) for url in urls] == before
