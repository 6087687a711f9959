"""T37: guessing passwords and codes, and finding out who has an account.

How many attempts are counted where is tests/accounts; here every door says and does the same for
who exists and who doesn't: the same answer, the same statements, the same number of slow hashes.
That is what time is made of, and it doesn't depend on how busy the machine is.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.hashers import MD5PasswordHasher
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from rest_framework.test import APIClient

from apps.accounts.services.sign_in import check_credentials
from apps.core import ratelimit
from apps.core.errors import RateLimited
from apps.core.models import RateCounter
from tests.attacks.pages import browser
from tests.contract.shop import BASE
from tests.factories.accounts import PASSWORD
from tests.returns.conftest import buy

UNKNOWN = "unknown@example.com"


class Counting(MD5PasswordHasher):
    """Counts its hashes: each is what takes a tenth of a second in a shop that is open."""

    hashed = 0

    def encode(self, password: str, salt: str) -> str:
        Counting.hashed += 1
        return super().encode(password, salt)


@pytest.fixture(autouse=True)
def _counting(settings):
    settings.PASSWORD_HASHERS = [f"{__name__}.Counting"]


def _sign_in(email: str) -> Any:
    return APIClient().post(f"{BASE}/auth/token/", {"email": email, "password": "wrong"})


def _forgot(email: str) -> Any:
    return APIClient().post(f"{BASE}/auth/password/reset/", {"email": email})


DOORS: dict[str, Callable[[str], Any]] = {
    "the API": _sign_in,
    "the API, forgotten": _forgot,
    "the shop": lambda email: browser().post(
        "/account/sign-in/", {"email": email, "password": "wrong"}
    ),
    "the back office": lambda email: browser().post(
        "/admin/login/", {"username": email, "password": "wrong"}
    ),
    "the shop, forgotten": lambda email: browser().post("/password/", {"email": email}),
}


def _seen(ask: Callable[[str], Any], email: str) -> dict[str, Any]:
    """All that can be seen from outside, and all that takes time inside."""
    hashes = Counting.hashed
    with CaptureQueriesContext(connection) as statements:
        answer = ask(email)
    text = answer.content.decode().replace(email, "EMAIL")
    text = re.sub(r'("request_id":")[^"]+|(name="csrfmiddlewaretoken" value=")[^"]+', "", text)
    text = re.sub(r'nonce="[^"]+"', "", text)
    shapes = [re.sub(r"'[^']*'|\d+", "?", row["sql"]) for row in statements]
    return {
        "status": answer.status_code,
        "headers": sorted(answer.headers.keys() - {"X-Request-Id"}),
        "location": answer.headers.get("Location"),
        "cookies": sorted(answer.cookies),
        "text": text,
        "hashes": Counting.hashed - hashes,
        "statements": shapes,
    }


@pytest.mark.parametrize("door", DOORS)
def test_known_and_unknown_address_look_and_cost_the_same(store, shopper, merchant, door):
    shopper.set_password(PASSWORD)
    shopper.save()
    known = merchant if door == "the back office" else shopper
    known.set_password(PASSWORD)
    known.save()
    ask = DOORS[door]
    # The first attempt of a network makes its counter.
    ask("first@example.com")
    one, other = _seen(ask, known.email), _seen(ask, UNKNOWN)
    assert one == other
    assert one["hashes"] == (0 if "forgotten" in door else 1)


def test_somebody_blocked_looks_as_one_unknown(store, shopper, stranger):
    stranger.is_active = False
    stranger.save()
    _sign_in("first@example.com")
    blocked = _seen(_sign_in, stranger.email)
    assert blocked == _seen(_sign_in, UNKNOWN)


@pytest.mark.django_db
def test_codes_of_cards_and_promotions_are_guessed_slowly(api, buyer):
    """Whoever writes X-Forwarded-For is no proxy; once it has begun, the pause is for all."""
    cart = buyer.fill(("MUG", 1))["id"]
    for path, code, least in (
        # What is no promotion's is looked up as a card's, and counted as that too.
        (f"{BASE}/carts/{cart}/discounts/", "GUESS{n}", 30),
        (f"{BASE}/gift-cards/balance/", "ZZZZ-ZZZZ-ZZZZ-ZZZZ-{n:04}", 60),
    ):
        answers = []
        for n in range(least + 5):
            forged = {"X-Forwarded-For": f"198.51.100.{n}", "X-Real-Ip": f"198.51.100.{n}"}
            answer = api.post(path, {"code": code.format(n=n)}, headers=forged)
            answers.append(answer.status_code)
        assert set(answers) == {400, 429}, path
        assert answers[-5:] == [429] * 5
        assert answers == sorted(answers)
    # Only hashes of who guessed are kept.
    assert all(re.fullmatch("[0-9a-f]{64}", row.key) for row in RateCounter.objects.all())


@pytest.mark.django_db
def test_order_is_not_found_by_trying_numbers(api, buyer):
    order = buy(buyer, ("MUG", 1))
    tokens = ("", "x", order.token[:-1], order.token.upper(), f"{order.token}x", "null", "%00")
    wrong = {}
    for token in tokens:
        for where in (BASE, ""):
            known = api.get(f"{where}/orders/{order.number}/?token={token}").status_code
            unknown = api.get(f"{where}/orders/WEB-999/?token={token}").status_code
            if known != unknown or known not in (400, 404):
                wrong[f"{where} {token}"] = (known, unknown)
    assert wrong == {}
    assert len(order.token) >= 22


def test_victim_is_let_in_again(store, shopper, settings):
    """A limit is a pause: nobody is locked out for good by who guesses."""
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 2
    for _n in range(5):
        assert _sign_in(shopper.email).status_code in (401, 429)
    with time_machine.travel(timezone.now() + timedelta(minutes=16)):
        assert check_credentials(email=shopper.email, password=PASSWORD) == shopper


def _guesses(at_once: Any, email: str) -> int:
    """How many of two hundred at once were looked at."""
    answers = []
    for _round in range(4):
        answers += at_once(50, lambda n: check_credentials(email=email, password=f"wrong {n}"))
    assert {type(answer) for answer in answers} <= {type(None), RateLimited}
    return sum(answer is None for answer in answers)


@pytest.mark.race
def test_two_hundred_guesses_at_once_are_no_more_than_the_limit(at_once, shopper, settings):
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 10
    assert 1 <= _guesses(at_once, shopper.email) <= 10


@pytest.mark.race
def test_without_the_atomic_counter_the_same_guesses_pass(at_once, shopper, settings, monkeypatch):
    """The negative control: a counter that is read, then written, lets a crowd through."""
    seen: dict[str, int] = {}

    def read_then_write(key: str, seconds: int) -> int:
        before = seen.get(key, 0)
        time.sleep(0.1)
        seen[key] = before + 1
        return before + 1

    monkeypatch.setattr(ratelimit, "_count", read_then_write)
    settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT = 10
    assert _guesses(at_once, shopper.email) > 10
