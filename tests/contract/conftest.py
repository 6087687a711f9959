from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection, transaction

from tests.contract.shop import Furnished, furnish
from tests.factories.stores import StoreFactory


@pytest.fixture(scope="module")
def _furnished(django_db_setup: None, django_db_blocker: Any) -> Iterator[Furnished]:
    """Built once for a module and rolled back after it; what a test changes lasts for that test."""
    with django_db_blocker.unblock(), transaction.atomic():
        if connection.vendor == "postgresql":
            # The transaction waits while a test thinks out what to send.
            with connection.cursor() as cursor:
                cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        store = StoreFactory(code="main", name="Main", is_default=True, order_prefix="WEB-")
        built = furnish(store)
        with django_db_blocker.block():
            yield built
        transaction.set_rollback(True)


@pytest.fixture
def furnished(_furnished: Furnished, db: None) -> Furnished:
    return _furnished
