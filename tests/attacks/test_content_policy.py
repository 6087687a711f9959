"""What every page lets a browser do: scripts of ours alone, no frames, no guessing of types.

The last wall behind T39: a payload that is stored and not escaped still doesn't run.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import Any

import pytest
import time_machine

from tests.architecture.house import ROOT
from tests.attacks.pages import addresses, browser
from tests.contract.shop import BASE, Furnished, values_for
from tests.factories.accounts import PASSWORD
from tests.permissions.operations import operations

pytestmark = pytest.mark.once

STRICT = {
    "default-src": {"'self'"},
    "script-src": {"'self'"},
    "style-src": {"'self'"},
    "img-src": {"'self'", "data:"},
    "object-src": {"'none'"},
    "base-uri": {"'self'"},
    "form-action": {"'self'"},
    "frame-ancestors": {"'none'"},
}
BACK_OFFICE = {
    **STRICT,
    "script-src": {"'self'", "'unsafe-eval'"},
    "style-src": {"'self'", "'unsafe-inline'"},
}
NOTHING = {"default-src": {"'none'"}, "frame-ancestors": {"'none'"}}


def policy_of(response: Any) -> dict[str, set[str]]:
    """The policy by directive, without the nonce of this answer."""
    found = {}
    for directive in response.headers.get("Content-Security-Policy", "").split(";"):
        name, *sources = directive.split()
        found[name] = {source for source in sources if not source.startswith("'nonce-")}
    return found


def visited(furnished: Furnished) -> dict[str, Any]:
    """Route → answer of every page, to who may see most of it."""
    answers = {}
    for route, path in addresses(furnished).items():
        if route.startswith("admin/") and "<" in route:
            # One model's pages of an object are as another's: all are the same middleware's.
            continue
        client = browser(furnished.owner if route.startswith("admin/") else furnished.ana.user)
        answers[route] = client.get(path)
    return answers


@pytest.fixture(scope="module")
def _kept() -> dict[str, Any]:
    return {}


@pytest.fixture
def answers(furnished, _kept):
    if not _kept:
        _kept.update(visited(furnished))
    return _kept


def test_every_page_has_the_strict_policy(answers):
    wrong = {}
    for route, response in answers.items():
        wanted = BACK_OFFICE if route.startswith("admin/") else STRICT
        if policy_of(response) != wanted:
            wrong[route] = policy_of(response)
    # Whoever pays by a gateway's own form lets that gateway's script in: tests/shop/test_paying.py.
    assert wrong == {}
    shown = [r for r, a in answers.items() if a.status_code == 200 and "html" in a["Content-Type"]]
    assert len(shown) > 100


def test_every_page_refuses_frames_and_guessed_types(answers):
    wrong = {
        route: response.status_code
        for route, response in answers.items()
        if response.headers.get("X-Frame-Options") != "DENY"
        or response.headers.get("X-Content-Type-Options") != "nosniff"
        or response.headers.get("Cross-Origin-Opener-Policy") != "same-origin"
        or response.headers.get("Referrer-Policy") not in ("same-origin", "no-referrer")
    }
    assert wrong == {}


def test_inline_scripts_of_every_page_have_the_nonce(answers):
    wrong = {}
    for route, response in answers.items():
        if "html" not in response.headers.get("Content-Type", ""):
            continue
        text = response.content.decode()
        inline = re.findall(r"<script(?![^>]*\bsrc=)([^>]*)>", text)
        bad = [tag for tag in inline if "nonce=" not in tag and "json" not in tag]
        bad += re.findall(r"<[a-z][^>]*\son(?:click|load|error|submit|change|input)=", text)
        bad += re.findall(r'(?:href|action)="\s*javascript:', text)
        if bad:
            wrong[route] = bad
    assert wrong == {}


def test_answers_of_the_api_are_no_pages(furnished):
    wrong = {}
    for operation in operations():
        if operation.method != "GET" or operation.path == "/docs/":
            continue
        url = operation.url(**values_for(operation.path, furnished.hits))
        response = furnished.merchant.get(url)
        kind = response.headers.get("Content-Type", "")
        sniffed = response.headers.get("X-Content-Type-Options") != "nosniff"
        loose = policy_of(response) not in (STRICT, NOTHING)
        if "html" in kind or sniffed or loose:
            wrong[operation.key] = (kind, policy_of(response))
    assert wrong == {}
    docs = furnished.merchant.get(f"{BASE}/docs/", headers={"accept": "text/html"})
    assert "'unsafe" not in docs["Content-Security-Policy"].replace("'unsafe-inline'", "")


def test_who_finds_a_hole_finds_whom_to_tell(furnished, settings):
    assert browser().get("/.well-known/security.txt").status_code == 404
    settings.SECURITY_CONTACT = "mailto:security@shop.example"
    with time_machine.travel("2026-01-01T00:00:00Z", tick=False):
        answer = browser().get("/.well-known/security.txt")
    assert answer["Content-Type"] == "text/plain; charset=utf-8"
    assert answer.content.decode() == (
        "Contact: mailto:security@shop.example\n"
        "Expires: 2026-01-31T00:00:00Z\n"
        "Preferred-Languages: en, es\n"
        "Canonical: http://localhost:8000/.well-known/security.txt\n"
    )


PRODUCTION = """
import json
from commerce import settings
names = "SECURE_SSL_REDIRECT SECURE_HSTS_SECONDS SECURE_HSTS_INCLUDE_SUBDOMAINS SECURE_HSTS_PRELOAD"
names += " SESSION_COOKIE_SECURE SESSION_COOKIE_HTTPONLY SESSION_COOKIE_SAMESITE CSRF_COOKIE_SECURE"
print(json.dumps({name: getattr(settings, name) for name in names.split()}))
"""


@pytest.fixture(scope="module")
def production() -> dict[str, Any]:
    """What the settings say where nothing is loosened."""
    named = {"DEBUG": "0", "HTTPS": "1", "COMMERCE_DEMO": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", PRODUCTION],
        env={**os.environ, **named},
        cwd=ROOT,
        capture_output=True,
        check=True,
    )
    return json.loads(ran.stdout)


def test_production_speaks_https_alone(furnished, production, settings):
    """Django's own list of what is missing is asked in the gate: `check --deploy`."""
    for name, value in production.items():
        setattr(settings, name, value)
    plain = browser().get("/account/")
    assert (plain.status_code, plain["Location"]) == (301, "https://testserver/account/")
    data = {"email": furnished.ana.user.email, "password": PASSWORD}
    answer = browser().post("/account/sign-in/", data, secure=True)
    hsts = "max-age=31536000; includeSubDomains; preload"
    assert answer["Strict-Transport-Security"] == hsts
    session = answer.cookies["sessionid"]
    assert (session["secure"], session["httponly"], session["samesite"]) == (True, True, "Lax")
    form = browser().get("/account/sign-in/", secure=True).cookies["csrftoken"]
    assert (form["secure"], form["samesite"]) == (True, "Lax")
