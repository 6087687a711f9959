"""What Stripe paid out: imported with fees, once; what doesn't fit is a to-do for staff."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from datetime import timedelta
from functools import cache
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.core.remote import _local
from apps.orders.models import Order
from apps.payments import services, tasks
from apps.payments.gateways import gateway
from apps.payments.gateways.simulation.faults import Fault
from apps.payments.gateways.stripe.simulator.charges import book
from apps.payments.models import Payment, Payout, PayoutLine, ReconciliationDifference
from apps.payments.selectors import fee_of
from tests.backoffice.conftest import address, staff
from tests.flows.conftest import Buyer, buyer, shop, simulator

__all__ = ["buyer", "shop", "simulator", "staff"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
# 3% of 16.95, and 25 cents.
PRICE, FEE = 1695, 75
_open = ReconciliationDifference.objects.filter(is_open=True)


@pytest.fixture
def stripe(simulator: Any) -> Any:
    _local.clear()
    simulator.world.fee_percent, simulator.world.fee_fixed = 3, 25
    return simulator


@pytest.fixture
def pay(stripe: Any, buyer: Buyer) -> Callable[[], Payment]:
    def paid() -> Payment:
        buyer.fill(("MUG", 1))
        assert buyer.checkout("stripe", method="pm_card_visa").status_code == 201
        return Payment.objects.latest("pk")

    return paid


def _lines(payout: Payout) -> list[tuple[str, int, int, int]]:
    rows = payout.lines.order_by("gross", "pk")
    return list(rows.values_list("kind", "gross", "fee", "net"))


def _stray() -> Any:
    """Somebody's money at the same account."""
    client: Any = gateway("stripe")
    return client.client.v1.payment_intents.create(
        {
            "amount": 700,
            "currency": "eur",
            "payment_method": "pm_card_visa",
            "confirm": True,
            "automatic_payment_methods": {"enabled": True, "allow_redirects": "never"},
        }
    )


def test_payout_is_imported_with_its_fees(pay: Any, stripe: Any) -> None:
    first, second = pay(), pay()
    services.refund(payment=first, amount=500)
    [told] = stripe.pay_out()
    done = services.import_payouts()
    assert (done.told, done.written, done.lines, done.found) == (1, 1, 3, [])
    payout = Payout.objects.get()
    assert (payout.provider_id, payout.amount, payout.currency, payout.status) == (
        *(told["id"], 2 * (PRICE - FEE) - 500),
        *("EUR", "paid"),
    )
    charge = ("charge", PRICE, FEE, PRICE - FEE)
    assert _lines(payout) == [("refund", -500, 0, -500), charge, charge]
    [back] = payout.lines.filter(kind="refund")
    assert (back.payment, back.refund) == (first, first.refunds.get())
    assert (fee_of(first), fee_of(second)) == (FEE, FEE)

    # What comes later is another payout; what is known isn't asked for again.
    third = pay()
    assert fee_of(third) is None
    stripe.pay_out()
    before = stripe.state()["requests"]["GET /v1/balance_transactions"]
    done = services.import_payouts()
    assert (done.told, done.written, done.lines) == (2, 1, 1)
    assert stripe.state()["requests"]["GET /v1/balance_transactions"] == before + 1
    assert tasks.import_payouts() == 0
    assert (Payout.objects.count(), PayoutLine.objects.count()) == (2, 4)
    assert not ReconciliationDifference.objects.exists()


def test_captures_in_parts_each_have_their_fee(pay: Any, stripe: Any, settings: Any) -> None:
    settings.STRIPE_CAPTURE_METHOD = "manual"
    payment = pay()
    services.capture(payment=payment, amount=1000)
    services.capture(payment=payment)
    stripe.pay_out()
    services.import_payouts()
    assert [line[1:] for line in _lines(Payout.objects.get())] == [
        (695, 45, 650),
        (1000, 55, 945),
    ]
    assert fee_of(payment) == 100


def test_line_of_no_payment_is_a_to_do(pay: Any, stripe: Any) -> None:
    pay()
    _stray()
    stripe.pay_out()
    for _ in range(2):
        services.import_payouts()
    row = _open.get()
    assert (row.kind, row.ours, row.theirs, row.currency) == ("nameless", 0, 700, "EUR")
    assert row.payout == Payout.objects.get()
    with pytest.raises(services.StillDifferent):
        services.adopt_difference(difference=row)
    services.resolve_difference(difference=row, note="Sold at the fair.")
    services.import_payouts()
    assert not _open.exists()


def test_payment_that_becomes_known_closes_it(pay: Any, stripe: Any) -> None:
    payment = pay()
    theirs = payment.provider_id
    Payment.objects.update(provider_id="pi_lost")
    stripe.pay_out()
    services.import_payouts()
    assert _open.get().kind == "nameless"
    Payment.objects.update(provider_id=theirs)
    # However old the payout is by then.
    services.import_payouts(since=timezone.now().date() + timedelta(days=20))
    assert (_open.count(), PayoutLine.objects.get().payment) == (0, payment)


def test_payout_that_does_not_sum_up_is_a_to_do(pay: Any, stripe: Any) -> None:
    pay()
    [told] = stripe.pay_out()
    stripe.world.store.get("payout", told["id"])["amount"] -= 100
    [found] = services.import_payouts().found
    net = PRICE - FEE
    assert (found.kind, found.ours, found.theirs) == ("payout_sum", net, net - 100)
    stripe.world.store.get("payout", told["id"])["amount"] += 100
    services.import_payouts()
    assert not _open.exists()


def test_lines_come_once_the_provider_knows_them_all(pay: Any, stripe: Any) -> None:
    pay()
    [told] = stripe.pay_out()
    row = stripe.world.store.get("payout", told["id"])
    row |= {"status": "in_transit", "reconciliation_status": "in_progress"}
    assert services.import_payouts().lines == 0
    assert (Payout.objects.get().status, Payout.objects.get().is_complete) == ("in_transit", False)
    row |= {"status": "paid", "reconciliation_status": "completed"}
    assert services.import_payouts().lines == 1
    assert (Payout.objects.get().status, Payout.objects.get().is_complete) == ("paid", True)


def test_dispute_takes_money_and_its_fee(pay: Any, stripe: Any) -> None:
    payment = pay()
    stripe.dispute(payment.provider_id)
    stripe.pay_out()
    services.import_payouts()
    payout = Payout.objects.get()
    assert ("dispute", -PRICE, 1500, -PRICE - 1500) in _lines(payout)
    assert fee_of(payment) == FEE + 1500
    assert payout.amount == -FEE - 1500


def test_import_that_breaks_off_goes_on(pay: Any, stripe: Any) -> None:
    for _ in range(3):
        pay()
        stripe.pay_out()

    def stop() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        services.import_payouts(on_progress=stop)
    assert Payout.objects.count() == PayoutLine.objects.count() == 1
    assert services.import_payouts().lines == 2


def test_provider_that_does_not_answer_is_asked_another_time(pay: Any, stripe: Any) -> None:
    pay()
    stripe.pay_out()
    stripe.add_fault(Fault("/v1/balance_transactions", status=503, times=9))
    done = services.import_payouts()
    assert (done.unanswered, Payout.objects.count()) == (1, 0)
    stripe.clear_faults()
    _local.clear()
    assert services.import_payouts().written == 1


def test_many_lines_come_page_by_page(pay: Any, stripe: Any) -> None:
    pay()
    [charge] = stripe.world.store.rows("charge")
    for _ in range(250):
        book(stripe.world, charge, 100, "charge")
    stripe.pay_out()
    assert services.import_payouts().lines == 251
    assert fee_of(Payment.objects.get()) == FEE + 250 * 28


def test_command_tells_and_dry_run_writes_nothing(pay: Any, stripe: Any) -> None:
    pay()
    _stray()
    stripe.pay_out()

    def run(*args: str) -> list[str]:
        out = StringIO()
        call_command("import_payouts", *args, stdout=out)
        return out.getvalue().splitlines()

    today = timezone.now().date()
    told = run("--dry-run", "--from", str(today), "--to", str(today + timedelta(days=1)))
    assert told[0].endswith(": nameless 0.00 EUR, there 7.00")
    assert told[1:] == [
        "1 payouts, 1 new or changed, 2 new lines, 1 differences, 0 accounts without an answer."
    ]
    assert not Payout.objects.exists()
    assert not ReconciliationDifference.objects.exists()
    assert run() == told
    assert run("--to", "2020-01-01", "--from", "2019-12-01") == [
        "0 payouts, 0 new or changed, 0 new lines, 0 differences, 0 accounts without an answer."
    ]
    with pytest.raises(CommandError):
        run("--from", "2020-01-02", "--to", "2020-01-01")


def test_staff_see_payouts_and_take_them_away_as_csv(pay: Any, stripe: Any, staff: Any) -> None:
    payment = pay()
    _stray()
    stripe.pay_out()
    services.import_payouts()
    payout = Payout.objects.get()
    listed = staff.get("/admin/payments/payout/?status__exact=paid&gateway=stripe")
    assert payout.provider_id in listed.content.decode()
    page = staff.page(payout)
    assert Order.objects.get().number in page
    assert "€16.95" in page
    assert "€0.75" in staff.page(payment)
    assert "€7.00" in staff.page(_open.get())
    rows = list(payout.lines.all())
    lines = _csv(staff.list_action(rows, "export_csv"))
    assert len(lines) == 3
    assert any(",1695,75,1620," in line for line in lines)
    assert len(_csv(staff.list_action([payout], "export_csv"))) == 2
    assert staff.get("/admin/payments/payout/?q=" + Order.objects.get().number).status_code == 200
    assert staff.get(address(payout, "delete")).status_code in (403, 404)


def _csv(response: Any) -> list[str]:
    return b"".join(response.streaming_content).decode().splitlines()


# The contract.


@cache
def _spec() -> dict[str, Any]:
    import yaml

    root = Path(__file__).resolve().parents[2]
    shared = Path(os.environ.get("COMMERCE_SHARED", root.parent / "shared"))
    found = sorted((shared / "specs" / "stripe").glob("spec3_*.yaml.gz"))
    if not found:
        pytest.skip("Stripe's OpenAPI is not here (set COMMERCE_SHARED)")
    with gzip.open(found[-1]) as file:
        spec: dict[str, Any] = yaml.load(file, Loader=yaml.CSafeLoader)
    return spec


def test_requests_and_answers_are_as_the_openapi_says(
    pay: Any, stripe: Any, monkeypatch: Any
) -> None:
    pay()
    [told] = stripe.pay_out()
    asked: dict[str, set[str]] = {}
    answered: dict[str, dict[str, Any]] = {}
    client: Any = gateway("stripe")
    for path, resource, params in (
        ("/v1/payouts", client.client.v1.payouts, {"arrival_date": {"gte": 1}, "limit": 1}),
        (
            "/v1/balance_transactions",
            client.client.v1.balance_transactions,
            {"payout": told["id"], "expand": ["data.source"], "limit": 1},
        ),
    ):
        asked[path] = set(params)
        answered[path] = resource.list(params).data[0].to_dict()
    for path, names in asked.items():
        described = _spec()["paths"][path]["get"]["parameters"]
        assert names <= {each["name"] for each in described}
        kind = answered[path]["object"]
        schema = _spec()["components"]["schemas"][kind]
        assert set(schema["required"]) <= set(answered[path])
        for name, value in answered[path].items():
            allowed = schema["properties"].get(name, {}).get("enum")
            assert allowed is None or value in allowed
