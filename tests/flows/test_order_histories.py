"""Any history of an order: shipped, edited, cancelled in part and whole, in any order.

HISTORY_EXAMPLES says how many are tried.
"""

from __future__ import annotations

import os
from collections import Counter
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from apps.core.errors import DomainError
from apps.fulfillment.services import fulfill
from apps.inventory.models import StockLevel
from apps.inventory.selectors import committed_to
from apps.orders import services
from apps.orders.models import Order, OrderLine
from apps.orders.services import LineChange, OrderChanges
from tests.flows.conftest import Buyer
from tests.truths import untruths

pytestmark = pytest.mark.django_db

EXAMPLES = int(os.environ.get("HISTORY_EXAMPLES", "6"))
ACTS = ("ship", "edit", "add", "cancel pieces", "cancel")


@settings(
    max_examples=EXAMPLES,
    # Each example is a whole history: shrinking one takes minutes.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=list(HealthCheck),
)
@given(data=st.data())
def test_whatever_happens_to_an_order_its_books_are_right(
    data: st.DataObject, buyer: Buyer
) -> None:
    with transaction.atomic():
        buyer.fill(("MUG", data.draw(st.integers(1, 5))), ("BOOK", data.draw(st.integers(1, 5))))
        order = Order.objects.get(number=buyer.checkout().json()["order"]["number"])
        on_hand = _on_hand()
        for act in data.draw(st.lists(st.sampled_from(ACTS), min_size=2, max_size=6)):
            refused = _act(data, order, act)
            order.refresh_from_db()
            _check(order, on_hand)
            if not refused and act == "cancel":
                break
        assert untruths() == {}
        transaction.set_rollback(True)


def _act(data: st.DataObject, order: Order, act: str) -> DomainError | None:
    """Do it; or leave everything as it was, with the reason."""
    before, refused = _state(order), None
    try:
        if act == "cancel":
            services.cancel(order=order)
        elif act == "add":
            sku = data.draw(st.sampled_from(["MUG", "BOOK"]))
            added = LineChange(sku=sku, quantity=data.draw(st.integers(1, 4)))
            services.edit_order(order=order, changes=OrderChanges([added]))
        else:
            pieces = {
                str(row.public_id): data.draw(st.integers(0, row.quantity))
                for row in order.lines.all()
            }
            _on_lines(order, act, pieces)
    except DomainError as error:
        refused = error
    assert refused is None or _state(order) == before
    return refused


def _on_lines(order: Order, act: str, pieces: dict[str, int]) -> None:
    some = {key: quantity for key, quantity in pieces.items() if quantity}
    if act == "ship":
        fulfill(order=order, quantities=some)
    elif act == "cancel pieces":
        services.cancel_lines(order=order, quantities=some)
    else:
        lines = tuple(LineChange(line=key, quantity=quantity) for key, quantity in pieces.items())
        services.edit_order(order=order, changes=OrderChanges(lines))


def _state(order: Order) -> list[Any]:
    lines = OrderLine.objects.filter(order=order).order_by("pk")
    levels = StockLevel.objects.order_by("pk")
    return [
        Order.objects.filter(pk=order.pk).values("status", "total", "payment_status").get(),
        list(lines.values_list("sku", "quantity", "fulfilled_quantity", "total")),
        list(levels.values_list("on_hand", "held", "committed")),
    ]


def _on_hand() -> Counter[str]:
    found: Counter[str] = Counter()
    for sku, pieces in StockLevel.objects.values_list("variant__sku", "on_hand"):
        found[sku] += pieces
    return found


def _check(order: Order, on_hand: Counter[str]) -> None:
    """What is promised is what is left to ship, and what left the shelf is what has shipped."""
    unshipped, shipped = Counter[str](), Counter[str]()
    for row in order.lines.all():
        assert 0 <= row.fulfilled_quantity <= row.quantity
        unshipped[row.sku] += row.quantity - row.fulfilled_quantity
        shipped[row.sku] += row.fulfilled_quantity
    skus = dict(StockLevel.objects.values_list("variant_id", "variant__sku"))
    promised = {skus[pk]: pieces for pk, pieces in committed_to(order.reference).items() if pieces}
    left = {} if order.status == "cancelled" else {sku: n for sku, n in unshipped.items() if n}
    assert promised == left
    assert on_hand - _on_hand() == +shipped
    assert order.total == sum(x.total for x in order.lines.all()) + order.shipping
