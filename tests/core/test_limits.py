"""Limits hold: on Redis, in the database, with a Redis that is silent, behind a forged address."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import time
from pathlib import Path

import pytest
import time_machine

import apps
from apps.accounts.services import attempts
from apps.core import ratelimit
from apps.core.context import Actor, acting
from apps.core.errors import RateLimited
from apps.core.middleware import client_ip
from apps.core.models import RateCounter
from apps.core.ratelimit import Limit
from tests.limits import passed
from tests.torture.serving import black_hole

TEN = Limit("tests", by="account", most=10, seconds=3600)
DOCS = Path(__file__).parents[2] / "docs" / "limits.md"


def test_redis_counts_and_forgets(redis):
    """Without a database."""
    for _attempt in range(10):
        TEN.hit("a@example.com")
    with pytest.raises(RateLimited) as refused:
        TEN.hit("a@example.com")
    with pytest.raises(RateLimited):
        TEN.check("a@example.com")
    TEN.check("b@example.com")
    assert 0 < refused.value.extra["retry_after"] <= 3600
    [name] = redis.keys()
    assert b"example" not in name
    assert 0 < redis.ttl(name) <= 3600


@pytest.mark.django_db
def test_silent_redis_costs_its_time_out_once_and_lets_nobody_through(settings, monkeypatch):
    monkeypatch.setattr(ratelimit, "_quiet_until", 0.0)
    with black_hole() as port:
        settings.REDIS_URL = f"redis://127.0.0.1:{port}/0"
        started = time.monotonic()
        for _attempt in range(10):
            TEN.hit("a@example.com")
        with pytest.raises(RateLimited):
            TEN.hit("a@example.com")
        # Eleven time-outs would be more.
        assert time.monotonic() - started < 11 * ratelimit.TIMEOUT
    assert RateCounter.objects.get().hits == 11


@pytest.mark.race
def test_exactly_so_many_pass(at_once, counter):
    answers = [
        answer for _crowd in range(5) for answer in at_once(40, lambda _n: TEN.hit("a@example.com"))
    ]
    assert len(answers) == 200
    assert passed(answers) == 10


@pytest.mark.race
def test_who_reads_and_then_writes_lets_more_through(at_once, redis):
    """The negative control: the crowd is one that a wrong counter doesn't hold."""

    def get_then_set(_number):
        hits = int(redis.get("wrong") or 0)
        if hits >= 10:
            raise RateLimited()
        time.sleep(0.1)
        redis.set("wrong", hits + 1)

    assert passed(at_once(40, get_then_set)) > 10


def test_networks_are_counted_whole_and_apart_from_everybody(db):
    of_one = Limit("tests", by=ratelimit.NETWORK, most=2, seconds=3600)
    of_all = Limit("tests", by=ratelimit.ALL, most=3, seconds=3600)
    for ip in ("2001:db8::1", "2001:db8::2"):
        with acting(Actor(ip=ip)):
            ratelimit.hit_caller(of_one, of_all)
    with acting(Actor(ip="2001:db8::3")), pytest.raises(RateLimited) as refused:
        ratelimit.hit_caller(of_one, of_all)
    assert refused.value.extra["policy"] == of_one
    # Who is refused already counts for nobody else.
    with acting(Actor(ip="198.51.100.1")):
        ratelimit.hit_caller(of_one, of_all)
    with acting(Actor(ip="198.51.100.2")), pytest.raises(RateLimited) as refused:
        ratelimit.hit_caller(of_one, of_all)
    assert refused.value.extra["policy"] == of_all


@pytest.mark.parametrize(
    ("proxies", "peer", "counted"),
    [
        (0, "10.0.0.1", "10.0.0.1"),
        (1, "10.0.0.1", "203.0.113.9"),
        (1, "::ffff:10.0.0.1", "203.0.113.9"),
        (1, "", "203.0.113.9"),
        (2, "10.0.0.1", "192.0.2.66"),
        (3, "10.0.0.1", "10.0.0.1"),
        (1, "198.51.100.7", "198.51.100.7"),
        (1, "nonsense", "nonsense"),
    ],
)
def test_forged_address_counts_only_from_a_proxy_of_ours(rf, settings, proxies, peer, counted):
    settings.TRUSTED_PROXIES = proxies
    forged = {"X-Forwarded-For": "192.0.2.66, 203.0.113.9"}
    request = rf.get("/", headers=forged, REMOTE_ADDR=peer)
    assert client_ip(request) == counted


def test_refused_attempt_is_told_in_the_headers(db, api, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 1
    settings.API_RATE_PER_MINUTE = 100
    body = {"email": "a@example.com", "password": "wrong"}
    with time_machine.travel("2030-01-01T00:00:10Z"):
        first, second = (api.post("/api/v1/auth/token/", body) for _attempt in range(2))
    assert (first.status_code, second.status_code) == (401, 429)
    left = int(second["Retry-After"])
    assert 0 < left <= 900
    assert first["RateLimit-Policy"] == '"default";q=100;w=60'
    assert second["RateLimit-Policy"] == '"attempts";q=1;w=900, "default";q=100;w=60'
    assert second["RateLimit"].startswith(f'"attempts";r=0;t={left}, "default";r=98;t=')
    assert second.json()["code"] == "rate_limited"
    assert "policy" not in second.json()


def test_documentation_lists_every_limit():
    rows = [
        tuple(cell.strip(" `") for cell in line.split("|")[1:-1])
        for line in DOCS.read_text().splitlines()
        if line.startswith("| `")
    ]
    documented = {row[:4] for row in rows if row[4] == "closed"}
    assert {row[4] for row in rows} == {"closed", "open"}
    assert documented == {
        (limit.scope, limit.by, str(limit.most), _span(limit.seconds))
        for module in _modules()
        for limit in vars(module).values()
        for limit in (limit if isinstance(limit, tuple) else (limit,))
        if isinstance(limit, Limit)
    }


def test_documentation_lists_every_kind_of_attempt():
    tried = {
        call.args[0].value
        for path in Path(apps.__path__[0]).rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "limit_attempts"
    }
    kinds = DOCS.read_text().partition("Kinds: ")[2].partition(".\n")[0]
    assert {kind.strip(" `\n") for kind in kinds.split(",")} == tried
    assert attempts.PER_ACCOUNT.number == 10


def _modules():
    for found in pkgutil.walk_packages(apps.__path__, "apps."):
        if ".services" in found.name:
            yield importlib.import_module(found.name)


def _span(seconds):
    return {600: "10 minutes", 900: "15 minutes", 3600: "1 hour", 86_400: "1 day"}[seconds]
