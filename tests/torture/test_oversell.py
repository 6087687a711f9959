"""Fifty pieces in two locations, five hundred buyers, a hundred at a time."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

import pytest
from django.db import connection

from apps.inventory import services as inventory
from apps.inventory.models import StockLevel
from apps.orders.models import Order
from apps.payments.gateways.stripe.simulator import StripeSimulator
from apps.payments.models import Payment
from tests.flows.conftest import Shop
from tests.torture.conftest import MakeCarts
from tests.torture.serving import Answer, Server, crowd, serving, statuses

pytestmark = [pytest.mark.race]

BUYERS, AT_ONCE, PIECES = 500, 100, 50
# One mug of 12.00 and 4.95 for the post.
PRICE = 1695
CHECKS = ("level_promises_covered", "level_held_not_negative")


@pytest.fixture
def fifty(shop: Shop) -> Shop:
    """The shop has 3 mugs near and 2 far; now 30 and 20."""
    inventory.receive(variant=shop.mug, location=shop.near, quantity=27)
    inventory.receive(variant=shop.mug, location=shop.far, quantity=18)
    return shop


def _storm(server: Server, carts: list[str]) -> list[Answer]:
    return crowd(AT_ONCE, [partial(server.checkout, cart) for cart in carts])


@pytest.mark.usefixtures("fifty", "invariants")
def test_five_hundred_buyers_of_fifty_pieces(
    server: Server, simulator: StripeSimulator, make_carts: MakeCarts
) -> None:
    answers = _storm(server, make_carts(BUYERS, ("MUG", 1)))

    assert statuses(answers) == {(201, ""): PIECES, (409, "out_of_stock"): BUYERS - PIECES}
    bought = {a.json["order"]["number"] for a in answers if a.status == 201}
    assert bought == {f"WEB-{n}" for n in range(1, PIECES + 1)}
    assert Order.objects.filter(status="confirmed", payment_status="paid").count() == PIECES
    assert Order.objects.count() == Payment.objects.count() == PIECES
    truth = simulator.state()
    assert truth["payment_intents"] == {"succeeded": PIECES}
    assert truth["captured"] == {"eur": PIECES * PRICE}
    levels = StockLevel.objects.filter(variant__sku="MUG").order_by("location__priority")
    assert list(levels.values_list("on_hand", "held", "committed")) == [(30, 0, 30), (20, 0, 20)]


@pytest.fixture
def without_checks(transactional_db: None) -> Iterator[None]:
    """The table as it would be if the database didn't compare either."""
    checks = [c for c in StockLevel._meta.constraints if c.name in CHECKS]
    with connection.schema_editor() as editor:
        for check in checks:
            editor.remove_constraint(StockLevel, check)
    yield
    StockLevel.objects.update(held=0, committed=0)
    with connection.schema_editor() as editor:
        for check in checks:
            editor.add_constraint(StockLevel, check)


@pytest.mark.usefixtures("without_checks", "fifty", "simulator")
def test_without_the_guard_the_same_storm_oversells(
    server_environment: dict[str, str], make_carts: MakeCarts
) -> None:
    """The negative control: were it to sell fifty, the test above would prove nothing.

    Three times as many buyers as pieces oversell as surely as ten times as many.
    """
    carts = make_carts(3 * PIECES, ("MUG", 1))

    with serving({**server_environment, "UNGUARDED": "1"}) as unguarded:
        _storm(unguarded, carts)

    assert Order.objects.filter(status="confirmed").count() > PIECES
