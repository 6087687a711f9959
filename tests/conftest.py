"""The cast, their clients, and what holds for every test."""

from __future__ import annotations

import gc
import os
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import gettempdir
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.db import connection
from fasteners import InterProcessLock
from hypothesis import HealthCheck, settings
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.accounts.services.tokens import open_session
from apps.core import append_only, outbox
from apps.customers.models import Customer
from apps.stores.models import Store
from tests.factories.accounts import StaffFactory, UserFactory
from tests.factories.customers import CustomerFactory
from tests.factories.stores import StoreFactory
from tests.truths import untruths

# The fixtures of pytest-django that open a database.
DATABASES = {"db", "transactional_db", "django_db_setup", "live_server"}
# Tables that are the same for every test; writing them again takes half a second.
SAME = {"django_content_type", "auth_permission"}
# Pages ask the same of the database as the services below them. On PostgreSQL a browser opens each
# of them: tests/browser/test_stored_xss.py.
PAGES = re.compile(r"^tests/(backoffice|shop)/|/test_(admin|pages)\w*\.py")
# Who names a few tests wants to see them run.
SOME = 1000
# No machine is too slow for a test; the rest is as Hypothesis has it, here and in a gate (`CI`).
settings.register_profile(
    "patient", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("patient")
pytest_plugins = ["tests.browser.plugin", "tests.limits"]


# First: pytest-django then runs what commits after what rolls back.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests that use several connections at once run on PostgreSQL, and commit for real.

    Tests that use no database, show pages, or are marked `once`, run on SQLite only: another engine
    can't change them. `once("postgresql")` is for what the strictest engine has to bear.
    """
    elsewhere = pytest.mark.skip(reason="Runs on PostgreSQL (TEST_DATABASE=postgres).")
    for item in items:
        if item.get_closest_marker("race") or item.get_closest_marker("browser"):
            item.add_marker(pytest.mark.django_db(transaction=True))
            if connection.vendor != "postgresql":
                item.add_marker(elsewhere)
    if len(items) > SOME:
        without = {item for item in items if not _runs_here(item)}
        config.hook.pytest_deselected(items=[*without])
        items[:] = [item for item in items if item not in without]


def pytest_collection_finish() -> None:
    """What is loaded by now stays to the end: collectors of garbage needn't walk through it, nor
    look for more each time that a test has made 700 objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)


def _runs_here(item: pytest.Item) -> bool:
    if once := item.get_closest_marker("once"):
        return connection.vendor == (*once.args, "sqlite")[0]
    if connection.vendor != "sqlite" and PAGES.search(item.nodeid):
        return any(item.get_closest_marker(name) for name in ("race", "browser"))
    fixtures = set(getattr(item, "fixturenames", ()))
    uses_database = item.get_closest_marker("django_db") is not None or fixtures & DATABASES
    return connection.vendor == "sqlite" or bool(uses_database)


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None) -> None:
    """Tests that commit empty the tables behind them by DELETE, which takes 10 ms.

    Django's TRUNCATE makes a new file of each of a hundred tables: seconds, on a busy disk. The
    audit log, which nobody may empty, is without its triggers meanwhile.
    """
    # Of the class: where Playwright's loop runs, Django makes a connection of its own.
    operations = type(connection.ops)
    flush = operations.sql_flush

    def sql_flush(self: Any, *args: Any, **options: Any) -> list[str]:
        postgres = connection.vendor == "postgresql"
        empty = _deletes(*args, **options) if postgres else flush(self, *args, **options)
        removal, installation = (
            append_only.removal(connection),
            append_only.installation(connection),
        )
        return [*removal, *empty, *installation]

    operations.sql_flush = sql_flush  # type: ignore[method-assign]


def _deletes(_style: object, tables: Iterable[str], **_options: bool) -> list[str]:
    # In any order: foreign keys are checked when the transaction ends.
    written = (table for table in tables if table not in SAME)
    return [f"DELETE FROM {connection.ops.quote_name(table)}" for table in written]  # noqa: S608


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> None:
    """PostgreSQL doesn't wait for its disk at each commit: nothing here outlives a power cut."""
    if connection.vendor == "postgresql":
        database = connection.ops.quote_name(connection.settings_dict["NAME"])
        with django_db_blocker.unblock():
            with connection.cursor() as cursor:
                cursor.execute(f"ALTER DATABASE {database} SET synchronous_commit = off")
            # It holds for connections that are opened from now on.
            connection.close()


@pytest.fixture(autouse=True)
def _empty_cache() -> None:
    cache.clear()


@pytest.fixture
def invariants(db: None) -> Iterator[None]:
    """At the end of the test every registered truth holds.

    For a whole module: `pytestmark = pytest.mark.usefixtures("invariants")`.
    """
    yield
    assert untruths() == {}


@pytest.fixture
def drain(db: None) -> Callable[[], int]:
    """Delivers the outbox until nothing is due, as the relay does after each commit."""
    return outbox.drain


@pytest.fixture
def at_once() -> Callable[..., list[Any]]:
    """`at_once(n, call)` runs `call(0)` … `call(n - 1)` in threads that start together.

    The answers stand in the order of the numbers; an exception that was raised is the answer.
    Only in tests marked `race`: threads have connections of their own.
    """

    def run(n: int, call: Callable[[int], Any]) -> list[Any]:
        barrier = threading.Barrier(n)
        # Crowds of two workers together are more connections than PostgreSQL takes (100).
        alone = InterProcessLock(Path(gettempdir()) / "commerce-tests-crowd.lock")

        def one(number: int) -> Any:
            barrier.wait(timeout=30)
            try:
                return call(number)
            except Exception as error:
                return error
            finally:
                connection.close()

        with alone, ThreadPoolExecutor(n) as pool:
            return list(pool.map(one, range(n)))

    return run


@pytest.fixture
def environment() -> dict[str, str]:
    """The environment of a process that a test starts: production settings, the test's database.

    Only in tests marked `race`: what isn't committed, another process doesn't see.
    """
    named = urlsplit(os.environ["DATABASE_URL"])
    database = named._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    return {
        **os.environ,
        "DATABASE_URL": database,
        "DJANGO_SETTINGS_MODULE": "commerce.settings",
        "ALLOWED_HOSTS": "*",
    }


@pytest.fixture
def store(db: None) -> Store:
    """The default store: euro, Spain, prices include tax."""
    return StoreFactory(code="main", name="Main", is_default=True, order_prefix="WEB-")


def _person(email: str, first_name: str) -> User:
    user = UserFactory(email=email, first_name=first_name, last_name="Shopper")
    CustomerFactory(user=user, first_name=first_name, last_name="Shopper")
    return user


@pytest.fixture
def shopper(db: None) -> User:
    """A user with a customer, at `shopper.customer`."""
    return _person("shopper@example.com", "Sam")


@pytest.fixture
def stranger(db: None) -> User:
    """Another one, who must never see what is the shopper's."""
    return _person("stranger@example.com", "Strange")


@pytest.fixture
def guest(db: None) -> Customer:
    """A customer who cannot sign in."""
    return CustomerFactory(user=None, email="guest@example.com", first_name="Gus")


def _staff(email: str, role: str) -> User:
    user = StaffFactory(email=email)
    user.groups.add(Group.objects.get(name=role))
    return user


@pytest.fixture
def merchant(db: None) -> User:
    """The owner of the shop: staff who may do everything, by the role's group."""
    return _staff("merchant@example.com", "owner")


@pytest.fixture
def readonly_staff(db: None) -> User:
    """Staff who may see everything and change nothing."""
    return _staff("readonly@example.com", "read-only")


@pytest.fixture
def staff_without_permissions(db: None) -> User:
    return StaffFactory(email="nobody@example.com")


@pytest.fixture
def api() -> APIClient:
    """Nobody in particular."""
    return APIClient()


@pytest.fixture
def client_for() -> Callable[[User], APIClient]:
    """A client signed in as somebody, with a token of theirs (which costs each call a query)."""

    def signed_in(user: User) -> APIClient:
        client = APIClient()
        client.credentials(HTTP_AUTHORIZATION=f"Bearer {open_session(user=user).access}")
        return client

    return signed_in


@pytest.fixture
def as_shopper(shopper: User, client_for: Callable[[User], APIClient]) -> APIClient:
    return client_for(shopper)


@pytest.fixture
def as_stranger(stranger: User, client_for: Callable[[User], APIClient]) -> APIClient:
    return client_for(stranger)


@pytest.fixture
def as_merchant(merchant: User, client_for: Callable[[User], APIClient]) -> APIClient:
    return client_for(merchant)


@pytest.fixture
def as_readonly(readonly_staff: User, client_for: Callable[[User], APIClient]) -> APIClient:
    return client_for(readonly_staff)
