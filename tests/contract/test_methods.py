"""HTTP itself: methods, addresses and types that aren't there, all told as problems."""

from __future__ import annotations

from typing import Any

import pytest
from rest_framework.test import APIClient

from tests.contract.shop import BASE, Furnished, values_for
from tests.permissions.matrix import STOREFRONT
from tests.permissions.operations import METHODS, Operation, operations

pytestmark = pytest.mark.once

PROBLEM = "application/problem+json"
# drf-spectacular's own pages render themselves.
SERVED = {"/docs/", "/schema/"}


def ask(furnished: Furnished, operation: Operation, method: str, **extra: Any) -> Any:
    client = furnished.ana.client if operation.key in STOREFRONT else furnished.merchant
    client.raise_request_exception = False
    url = operation.url(**values_for(operation.path, furnished.hits))
    return client.generic(method, url, content_type="application/json", **extra)


def by_path() -> dict[str, Operation]:
    return {o.path: o for o in operations() if o.path not in SERVED}


def methods_of(path: str) -> set[str]:
    found = {o.method for o in operations() if o.path == path}
    return found | {"OPTIONS"} | ({"HEAD"} if "GET" in found else set())


def test_unknown_method_is_a_problem_that_names_the_known_ones(furnished):
    """RFC 9110, 15.5.6: a 405 has an Allow header."""
    wrong = {}
    for path, operation in by_path().items():
        for method in {*(name.upper() for name in METHODS), "HEAD", "TRACE", "BREW"}:
            if method in methods_of(path):
                continue
            response = ask(furnished, operation, method)
            allow = {word.strip() for word in response.headers.get("Allow", "").split(",")}
            found = (response.status_code, response["Content-Type"], allow)
            if found != (405, PROBLEM, methods_of(path)):
                wrong[f"{method} {path}"] = found
    assert wrong == {}


def test_head_is_get_without_the_body(furnished):
    wrong = {}
    for path, operation in by_path().items():
        if "GET" not in methods_of(path):
            continue
        got, head = (ask(furnished, operation, method) for method in ("GET", "HEAD"))
        same = got.status_code == head.status_code and got["Content-Type"] == head["Content-Type"]
        if not same or (not head.streaming and head.content):
            wrong[path] = (got.status_code, head.status_code)
    assert wrong == {}


def test_options_tell_the_methods_and_change_nothing(furnished):
    wrong = {}
    for path, operation in by_path().items():
        response = ask(furnished, operation, "OPTIONS")
        allow = {word.strip() for word in response.headers.get("Allow", "").split(",")}
        if response.status_code != 200 or allow != methods_of(path):
            wrong[path] = (response.status_code, allow)
    assert wrong == {}


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/png", "nonsense"])
def test_unspoken_type_is_a_problem(furnished, accept):
    wrong = {}
    for path, operation in by_path().items():
        if path.startswith("/webhooks/"):
            # Providers send what they like.
            continue
        if accept == "application/xml" and path.endswith("/xml/"):
            continue
        response = ask(furnished, operation, operation.method, HTTP_ACCEPT=accept)
        if (response.status_code, response["Content-Type"]) != (406, PROBLEM):
            wrong[path] = (response.status_code, response["Content-Type"])
    assert wrong == {}


@pytest.mark.parametrize(
    "path", ["/nothing/", "/admin/nothing/", "/products/a/b/c/", "/orders//", "/%00/", "/%ff/"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"])
def test_unknown_address_is_a_problem(db, path, method):
    response = APIClient(raise_request_exception=False).generic(method, BASE + path)
    assert (response.status_code, response["Content-Type"]) == (404, PROBLEM)
    assert response.json()["code"] == "not_found"


def test_forged_host_is_a_problem(db, api, settings):
    settings.ALLOWED_HOSTS = ["shop.example.com"]
    response = api.get(f"{BASE}/products/", headers={"Host": "evil.example.com"})
    assert (response.status_code, response["Content-Type"]) == (400, PROBLEM)
    assert response.json()["code"] == "malformed_request"


def test_crash_is_a_problem_without_details(furnished, monkeypatch):
    """What nobody foresaw: the log knows, the caller learns only that it wasn't them."""

    def crash(*args: Any, **kwargs: Any) -> None:
        raise RuntimeError("secret of the house")

    monkeypatch.setattr("apps.orders.api.views.summary_json", crash)
    client = furnished.ana.client
    client.raise_request_exception = False
    response = client.get(f"{BASE}/orders/")
    assert (response.status_code, response["Content-Type"]) == (500, PROBLEM)
    assert response.json()["code"] == "internal_error"
    assert b"secret" not in response.content
