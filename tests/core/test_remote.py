"""Providers that are asked over the network: how one that fails is left alone."""

from __future__ import annotations

import pytest
from django.core.cache import cache

from apps.core.remote import Breaker, _local


class Clock:
    now = 1_000_000.0

    def __call__(self):
        return self.now


@pytest.fixture(params=["locmem.LocMemCache", "dummy.DummyCache"])
def breakers(request, settings):
    """`breakers()`: two breakers of one name, with their clock; with a cache and without."""
    settings.CACHES = {"default": {"BACKEND": f"django.core.cache.backends.{request.param}"}}
    cache.clear()
    _local.clear()
    clock = Clock()
    options = {"failures": 3, "window": 60, "open_for": 30, "clock": clock}
    yield Breaker("x", **options), Breaker("x", **options), clock
    _local.clear()


def test_a_breaker_opens_after_so_many_failures(breakers):
    mine, other, _clock = breakers
    for _ in range(2):
        mine.failed()
        assert (mine.allows(), other.allows()) == (True, True)
    other.failed()
    assert (mine.allows(), other.allows()) == (False, False)


def test_failures_on_both_sides_of_a_full_minute_are_counted_together(breakers):
    mine, other, clock = breakers
    clock.now = 1_000_019.0  # A second before a full minute.
    mine.failed()
    mine.failed()
    clock.now += 2
    mine.failed()
    assert (mine.allows(), other.allows()) == (False, False)


def test_failures_of_long_ago_do_not_count(breakers):
    mine, other, clock = breakers
    for _ in range(6):
        mine.failed()
        clock.now += 60
    assert (mine.allows(), other.allows()) == (True, True)


def test_a_breaker_lets_one_probe_through(breakers):
    mine, other, clock = breakers
    for _ in range(3):
        mine.failed()
    clock.now += 29.9
    assert not mine.allows()
    clock.now += 0.1
    assert [other.allows(), mine.allows(), other.allows()] == [True, False, False]
    other.succeeded()
    assert [mine.allows(), mine.allows()] == [True, True]


def test_a_probe_that_fails_opens_it_anew(breakers):
    mine, other, clock = breakers
    for _ in range(3):
        mine.failed()
    clock.now += 30
    assert mine.allows()
    mine.failed()
    assert not other.allows()
    clock.now += 30
    assert [mine.allows(), mine.allows()] == [True, False]


def test_breakers_of_other_providers_stay_closed(breakers):
    mine, _other, _clock = breakers
    for _ in range(3):
        mine.failed()
    assert Breaker("y").allows()
