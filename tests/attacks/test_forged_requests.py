"""T38: requests that another site makes in somebody's name, and where it leads them.

Forms without their token, JSON sent as text, other origins, `next` to elsewhere, a forged Host.
"""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.core import mail
from django.test import Client

from apps.core import outbox
from apps.orders.models import Order
from apps.payments.models import Payment
from tests.attacks.pages import addresses, browser
from tests.contract.shop import BASE, values_for
from tests.factories.accounts import PASSWORD
from tests.permissions.matrix import MERCHANTS, STOREFRONT
from tests.permissions.operations import operations, routes

pytestmark = pytest.mark.once

ELSEWHERE = (
    "//evil.example/",
    "/\\evil.example/",
    "\\\\evil.example/",
    "///evil.example/",
    "https://evil.example/",
    "http:///evil.example/",
    "https:evil.example/",
    "javascript:alert(1)",
    "\tjavascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "//testserver@evil.example/",
    "https://testserver.evil.example/",
)


def test_every_page_asks_for_the_token_of_its_form(furnished):
    exempt = [route for route, pattern in routes() if getattr(pattern.callback, "csrf_exempt", 0)]
    pages = {f"/{route}" for route in exempt if not route.startswith("api/v1/")}
    # What crawlers fetch, and nobody sends anything to.
    known = {"/robots.txt", "/sitemap.xml", "/feeds/google.xml", "/feeds/meta.csv"}
    # A program of the mailbox's provider sends that one (RFC 8058); its token says whose it is.
    assert pages == known | {"/sitemap-<slug:section>.xml", "/unsubscribe/<str:token>/"}
    assert {browser().post(path).status_code for path in known} == {405}
    client = browser(furnished.owner, enforce_csrf_checks=True)
    wrong = {}
    for route, path in addresses(furnished).items():
        if route in exempt or (route.startswith("admin/") and not _is_plain(route)):
            continue
        response = client.post(path, {"next": "/"})
        if response.status_code != 403 or b"CSRF" not in response.content:
            wrong[route] = response.status_code
    assert wrong == {}


def test_session_of_a_browser_is_nobody_at_the_api(furnished):
    """So no form of another site can write there: what it can't send is the token."""
    client = browser(furnished.owner)
    client.defaults["HTTP_ACCEPT"] = "application/json"
    wrong = {}
    for operation in operations():
        if operation.key in MERCHANTS or STOREFRONT.get(operation.key) == "signed-in":
            url = operation.url(**values_for(operation.path, furnished.hits))
            code = client.generic(operation.method, url).status_code
            if code != 401:
                wrong[operation.key] = code
    assert wrong == {}


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"]
)
def test_json_that_a_form_can_send_is_not_read(furnished, content_type):
    """Of these types a browser asks no permission of the other site."""
    cart = f"{BASE}/carts/{furnished.ana.cart_id}/"
    orders = Order.objects.count()
    client = furnished.ana.client
    for path in (f"{BASE}/carts/", f"{cart}checkout/", f"{cart}lines/", f"{BASE}/auth/token/"):
        body = '{"payment": {"gateway": "manual"}}'
        answer = client.generic("POST", path, body, content_type=content_type)
        assert (path, answer.status_code) == (path, 415)
    assert Order.objects.count() == orders


def test_no_other_origin_is_let_in(furnished, settings):
    origin = {"origin": "https://evil.example", "access-control-request-method": "POST"}
    client = furnished.ana.client
    for path in (f"{BASE}/me/", f"{BASE}/products/", f"{BASE}/auth/token/", "/account/", "/"):
        for answer in (client.options(path, headers=origin), client.get(path, headers=origin)):
            told = [name for name in answer.headers if name.startswith("Access-Control-")]
            assert (path, told) == (path, [])
    settings.CORS_ALLOWED_ORIGINS = ["https://app.example"]
    for asked in ("https://app.example.evil.example", "https://xapp.example", "null"):
        answer = client.get(f"{BASE}/me/", headers={"origin": asked})
        assert "Access-Control-Allow-Origin" not in answer
    allowed = client.get(f"{BASE}/me/", headers={"origin": "https://app.example"})
    assert allowed["Access-Control-Allow-Origin"] == "https://app.example"
    # Tokens are sent by scripts that hold them, never by the browser itself.
    assert "Access-Control-Allow-Credentials" not in allowed


def _led(response: Any, marker: str) -> list[str]:
    """Where an answer leads that names the marker: its Location, its links, its forms."""
    text = response.content.decode(errors="replace")
    links = re.findall(r'(?:href|action|src)="([^"]*)"', text)
    links += re.findall(r'http-equiv="refresh"[^>]*content="[^"]*url=([^"]*)"', text)
    return [where for where in (response.headers.get("Location", ""), *links) if marker in where]


def test_nothing_leads_elsewhere(furnished):
    """Every page that says where to go next is found by a harmless one, then asked for others."""
    visitors = {None: browser(), "owner": browser(furnished.owner)}
    leading = []
    for route, path in addresses(furnished).items():
        if route.startswith("admin/") and not _is_plain(route):
            continue
        # Signed out one only gets to where one signs in.
        for who in (None, "owner") if "sign-in" in route or "login" in route else ("owner",):
            leading += [
                (who, method, path)
                for method in ("get", "post")
                if _led(_sent(visitors[who], method, path, "/marker/"), "/marker/")
            ]
        if "sign-out" in route or "logout" in route:
            visitors["owner"] = browser(furnished.owner)
    assert {path for _who, _method, path in leading} >= {"/language/", "/currency/"}

    wrong = []
    for who, method, path in leading:
        for elsewhere in ELSEWHERE:
            response = _sent(visitors[who], method, path, elsewhere)
            found = _led(response, "evil.example") + _led(response, "alert(1)")
            # An address of ours that carries it along asks again when it is used.
            wrong += [(method, path, where) for where in found if not where.startswith("/a")]
    assert wrong == []


def _sent(client: Client, method: str, path: str, to: str) -> Any:
    given = {"next": to, "back": to}
    if method == "get":
        return client.get(path, given)
    return client.post(path, {**given, "language": "es", "currency": "EUR"})


def _is_plain(route: str) -> bool:
    """Of the back office the pages that are no model's, and a button."""
    return route.count("/") <= 2 or route.startswith("admin/orders/order/")


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_signing_in_leads_nowhere_else(furnished, wanted):
    for path, page, name in (
        ("/account/sign-in/", "/account/", "email"),
        ("/admin/login/", "/admin/", "username"),
    ):
        data = {name: furnished.owner.email, "password": PASSWORD, "next": wanted}
        assert browser().post(path, data)["Location"] == page


def test_button_leads_nowhere_else(furnished):
    payment = Payment.objects.filter(status="authorized").first()
    assert payment
    for wanted in ELSEWHERE:
        answer = browser(furnished.owner).post(
            f"/admin/orders/order/{payment.order_id}/do/note/?back={wanted}",
            {"message": "x", "once": wanted[:60]},
        )
        assert answer["Location"].startswith("/admin/orders/order/")


def test_links_of_mails_are_of_the_shop_whatever_host_was_asked(furnished, settings):
    """Whoever forges Host, or X-Forwarded-Host, gets no token sent to another place."""
    settings.ALLOWED_HOSTS = ["testserver"]
    forged = (
        {"host": "evil.example"},
        {"x-forwarded-host": "evil.example"},
        {"x-forwarded-server": "evil.example", "x-host": "evil.example"},
        {"forwarded": "host=evil.example"},
        {"host": "testserver", "x-original-url": "/evil", "x-rewrite-url": "/evil"},
    )
    outbox.drain()
    mail.outbox.clear()
    for headers in forged:
        data = {"email": furnished.ana.user.email}
        page = browser().post("/password/", data, headers=headers)
        api = furnished.ana.client.post(f"{BASE}/auth/password/reset/", data, headers=headers)
        right = (400, 400) if headers.get("host") == "evil.example" else (302, 204)
        assert (page.status_code, api.status_code) == right
        assert "evil" not in page.headers.get("Location", "")
    outbox.drain()
    texts = [str(message.message()) for message in mail.outbox]
    assert len(texts) >= 1
    assert not [text for text in texts if "evil" in text]
