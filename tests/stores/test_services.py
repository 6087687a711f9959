"""Gapless numbers, and which store a request belongs to."""

from __future__ import annotations

import pytest
from django.db import transaction
from django.test import RequestFactory

from apps.core.errors import NotFound
from apps.stores.models import Sequence
from apps.stores.selectors import UnknownCurrency, currency_for, current_store, default_store
from apps.stores.services import next_number
from tests.factories.stores import StoreFactory


def numbers(store, count, kind="order"):
    taken = []
    for _ in range(count):
        with transaction.atomic():
            taken.append(next_number(store=store, kind=kind))
    return taken


def test_numbers_count_per_store_and_kind(store):
    other = StoreFactory()
    assert numbers(store, 3) == [1, 2, 3]
    assert numbers(other, 1) == [1]
    assert numbers(store, 1, kind="invoice") == [1]
    assert numbers(store, 1) == [4]


def test_number_of_a_rollback_is_given_again(store):
    numbers(store, 1)
    with transaction.atomic():
        assert next_number(store=store, kind="order") == 2
        transaction.set_rollback(True)
    assert numbers(store, 1) == [2]


@pytest.mark.django_db(transaction=True)
def test_number_needs_a_transaction(transactional_db):
    with pytest.raises(transaction.TransactionManagementError):
        next_number(store=StoreFactory(), kind="order")


@pytest.mark.race
def test_numbers_at_once_have_no_gap_and_no_double(at_once):
    store = StoreFactory()
    taken = at_once(12, lambda n: numbers(store, 3))
    assert sorted(number for mine in taken for number in mine) == list(range(1, 37))
    assert Sequence.objects.get().last == 36


def test_store_of_a_request(store):
    shop = StoreFactory(code="es", domain="tienda.example.com")
    closed = StoreFactory(code="closed", is_active=False, domain="closed.example.com")
    request = RequestFactory().get

    assert current_store(request("/")) == store == default_store()
    assert current_store(request("/", headers={"host": "tienda.example.com:8000"})) == shop
    assert current_store(request("/", headers={"x-store": "es"})) == shop
    assert current_store(request("/", headers={"host": closed.domain})) == store
    for code in ("closed", "none"):
        with pytest.raises(NotFound):
            current_store(request("/", headers={"x-store": code}))


def test_currency_of_a_request(db):
    store = StoreFactory(default_currency="EUR", currencies=["USD"])
    assert currency_for(store, None) == "EUR"
    assert currency_for(store, "USD") == "USD"
    with pytest.raises(UnknownCurrency):
        currency_for(store, "GBP")
