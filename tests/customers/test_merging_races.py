"""Merges at the same time as each other, and as money that comes in."""

from __future__ import annotations

import pytest
from django.db import IntegrityError

from apps.core.errors import NotFound
from apps.core.money import Money
from apps.customers.models import Customer
from apps.customers.services.merging import merge_customers
from apps.payments.models import StoredValue
from apps.payments.services import grant_store_credit
from tests.factories.customers import CustomerFactory

pytestmark = [pytest.mark.race, pytest.mark.usefixtures("invariants")]


def test_merge_at_once_happens_once(at_once):
    kept, merged = CustomerFactory(), CustomerFactory(user=None)
    answers = at_once(6, lambda n: merge_customers(kept=kept, merged=merged))
    assert [answer for answer in answers if isinstance(answer, Customer)] == [kept]
    assert {type(answer) for answer in answers} == {Customer, NotFound}
    assert Customer.objects.get() == kept


@pytest.mark.parametrize("first", [0, 500])
def test_credit_that_comes_in_meanwhile_is_kept_or_refused_whole(at_once, first):
    """`first`: what the customer who goes has already; without, the account is made at once."""
    kept, merged = CustomerFactory(), CustomerFactory(user=None)
    if first:
        grant_store_credit(customer=merged, amount=Money(first, "EUR"), reason="Before")

    def call(n: int) -> int:
        if n == 3:
            merge_customers(kept=kept, merged=merged)
            return 0
        grant_store_credit(customer=merged, amount=Money(100, "EUR"), reason="Meanwhile")
        return 100

    answers = at_once(8, call)
    failed = [answer for answer in answers if not isinstance(answer, int)]
    assert {type(answer) for answer in failed} <= {IntegrityError, Customer.DoesNotExist}
    given = sum(answer for answer in answers if isinstance(answer, int))
    rows = StoredValue.objects.filter(customer=kept)
    assert sum(row.balance for row in rows) == first + given
    assert StoredValue.objects.count() == rows.count()
