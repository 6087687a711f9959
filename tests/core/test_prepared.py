"""SELECTs that are written once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.db.models import Q, QuerySet
from django.test.utils import CaptureQueriesContext

from apps.core.prepared import NotPreparable, Prepared
from apps.stores.models import Store
from tests.factories.stores import StoreFactory

pytestmark = pytest.mark.django_db
START = datetime(2026, 1, 1, tzinfo=UTC)


def _stores(order: str, *, name: str, at: datetime, least: int) -> QuerySet:
    return (
        Store.objects.filter(Q(name=name) | Q(name="Both"), created_at__gte=at, pk__gte=least)
        .order_by(order)
        .values_list("code", "created_at", "currencies")
    )


@pytest.fixture
def stores(db: None) -> list[Store]:
    made = [StoreFactory(code=code, name=name) for code, name in (("a", "A"), ("b", "Both"))]
    for number, store in enumerate(made):
        Store.objects.filter(pk=store.pk).update(created_at=START + timedelta(hours=number))
    return made


def test_rows_are_those_of_the_queryset(stores):
    read = Prepared(_stores)
    for order, name, hours in (
        *(("code", "A", 0), ("-code", "A", 0), ("code", "A", 1)),
        *(("code", "nobody's", 0), ("-code", "it's; --", 0)),
    ):
        values = {"name": name, "at": START + timedelta(hours=hours), "least": stores[0].pk}
        assert read(order, **values) == list(_stores(order, **values))


def test_queryset_is_built_once_for_each_shape(stores):
    built = []

    def build(order: str, **values: object) -> QuerySet:
        built.append(order)
        return _stores(order, **values)

    read = Prepared(build)
    with CaptureQueriesContext(connection) as seen:
        for order in ("code", "code", "-code", "code"):
            read(order, name="A", at=START, least=0)
    assert (built, len(seen)) == (["code", "-code"], 4)


@pytest.mark.parametrize("value", [True, 1.5, None, ["A"]])
def test_value_that_cannot_be_told_apart_is_refused(stores, value):
    with pytest.raises(NotPreparable):
        Prepared(lambda *, name: Store.objects.filter(name=name).values_list("pk"))(name=value)


def test_value_that_is_not_in_the_statement_is_refused(db):
    with pytest.raises(NotPreparable):
        Prepared(lambda *, name: Store.objects.values_list("pk"))(name="A")
