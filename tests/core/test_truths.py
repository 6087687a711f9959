"""The truths as tests ask for them: quickly, and no less."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.core.invariants import violations
from apps.inventory.models import StockLevel
from tests.factories.inventory import StockLevelFactory
from tests.truths import untruths

pytestmark = pytest.mark.django_db


def test_what_was_true_three_times_is_found_when_it_is_no_more():
    level = StockLevelFactory(on_hand=0)
    for _ in range(3):
        assert untruths() == {}
    StockLevel.objects.filter(pk=level.pk).update(on_hand=5)
    found = {name: lines for name, lines in violations().items() if lines}
    assert untruths() == found
    assert len(found) == 1
    StockLevel.objects.filter(pk=level.pk).update(on_hand=0)
    assert untruths() == {}


def test_a_quiet_check_asks_the_database_what_it_always_asks():
    for _ in range(3):
        untruths()
    with CaptureQueriesContext(connection) as quick:
        untruths()
    with CaptureQueriesContext(connection) as whole:
        violations()
    assert len(quick) >= len(whole) > 50
