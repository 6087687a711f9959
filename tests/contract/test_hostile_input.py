"""Bodies, strings and headers that nobody means well: refused with a problem, never a crash."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import transaction
from rest_framework.test import APIClient

from tests.contract.shop import BASE, Furnished, values_for, with_known
from tests.flows.conftest import ADDRESS
from tests.permissions.matrix import STOREFRONT
from tests.permissions.operations import Operation, operations, resolve

pytestmark = pytest.mark.once("postgresql")

# Every n-th naughty string in the gate; all of them with CONTRACT_EXAMPLES=100.
STRIDE = 1 if int(os.environ.get("CONTRACT_EXAMPLES", "3")) >= 100 else 12
BLNS = Path(__file__).parents[3] / "shared/data/payloads/blns.json"
SECONDS = 5.0
SPECIAL = {
    "NUL": "a\x00b",
    "right to left": "\u202egnp.exe\u202c\u0645\u0631\u062d\u0628\u0627",
    "zalgo": "Z" + "\u0300\u0301\u0302" * 50,
    "emoji": "👩‍👩‍👧‍👦🏳️‍🌈" * 10,
    "newlines": "a\r\nb\u2028c\u2029d\x85e",
    "control": "\x01\x02\x1b[31m\x7f\x9f",
    "noncharacter": "\ufffe\uffff\U0010ffff",
    "template": "{{7*7}}${7*7}<%=7*7%>{% debug %}",
    "script": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "query": "'; DROP TABLE orders_order; --",
    "path": "../../../../etc/passwd",
    "format": "%s%n%d{0}{user.password}",
    "long": "x" * 1_000_000,
}


def client_for(furnished: Furnished, operation: Operation) -> APIClient:
    client = furnished.ana.client if operation.key in STOREFRONT else furnished.merchant
    client.raise_request_exception = False
    return client


def url_of(furnished: Furnished, operation: Operation) -> str:
    return operation.url(**values_for(operation.path, furnished.hits))


def writes() -> list[Operation]:
    """Operations that read a JSON body."""
    return [o for o in operations() if o.request_schema() is not None]


def complaint(response: Any, *, allowed: tuple[int, ...] = ()) -> str | None:
    """What is wrong with an answer to hostile input; None if nothing is."""
    if response.status_code in allowed:
        return None
    if not 400 <= response.status_code < 500:
        return f"status {response.status_code}"
    if response["Content-Type"] != "application/problem+json":
        return f"{response.status_code} as {response['Content-Type']}"
    body = json.loads(response.content)
    if body["status"] != response.status_code or not body["code"].replace("_", "").isalnum():
        return f"problem {body}"
    return None


# -- bodies ---------------------------------------------------------------------------------------

BODIES: dict[str, tuple[bytes, int, str]] = {
    "not JSON": (b"{", 400, "malformed_request"),
    "two values": (b"{}{}", 400, "malformed_request"),
    "trailing comma": (b'{"a": 1,}', 400, "malformed_request"),
    "list": (b"[]", 400, "validation_error"),
    "null": (b"null", 400, "validation_error"),
    "text": (b'"text"', 400, "validation_error"),
    "number": (b"1", 400, "validation_error"),
    "10^4 levels of lists": (b"[" * 10_000 + b"]" * 10_000, 400, "malformed_request"),
    "10^4 levels of objects": (b'{"a":' * 10_000 + b"1" + b"}" * 10_000, 400, "malformed_request"),
    "900 levels in a member": (
        b'{"surprise":' + b"[" * 900 + b"]" * 900 + b"}",
        400,
        "validation_error",
    ),
    "same name twice": (b'{"surprise": 1, "surprise": 2}', 400, "validation_error"),
    "invalid UTF-8": (b'{"a": "\xff\xfe"}', 400, "malformed_request"),
    "UTF-16": ('{"a": 1}'.encode("utf-16"), 400, "malformed_request"),
    "byte order mark": (b"\xef\xbb\xbf{}", 400, "malformed_request"),
    "lone surrogate": (b'{"a": "\\ud800"}', 400, "malformed_request"),
    "raw NUL": (b'{"a": "\x00"}', 400, "malformed_request"),
    "1e309": (b'{"a": 1e309}', 400, "malformed_request"),
    "-1e309": (b'{"a": -1e309}', 400, "malformed_request"),
    "NaN": (b'{"a": NaN}', 400, "malformed_request"),
    "Infinity": (b'{"a": Infinity}', 400, "malformed_request"),
    "5000 digits": (b'{"a": ' + b"9" * 5000 + b"}", 400, "malformed_request"),
    "10^5 members": (
        b"{" + b",".join(b'"m%d":1' % n for n in range(100_000)) + b"}",
        400,
        "validation_error",
    ),
    "member with a long name": (b'{"' + b"a" * 1_000_000 + b'": 1}', 400, "validation_error"),
    "too large": (b'{"a": "' + b"x" * 2_700_000 + b'"}', 413, "body_too_large"),
}


@pytest.mark.parametrize("name", sorted(BODIES))
def test_body_nobody_can_mean(furnished, name):
    """At every operation that reads JSON."""
    body, status, code = BODIES[name]
    wrong = {}
    for operation in writes():
        client = client_for(furnished, operation)
        response = client.generic(
            operation.method, url_of(furnished, operation), body, content_type="application/json"
        )
        found = response.status_code, json.loads(response.content).get("code")
        if found != (status, code) or complaint(response):
            wrong[operation.key] = found
    assert wrong == {}


def test_body_too_large_for_a_keyed_request_and_a_webhook(furnished, api):
    """Those that read the raw bytes first."""
    body = BODIES["too large"][0]
    for url, headers in (
        (f"{BASE}/checkout/", {"HTTP_IDEMPOTENCY_KEY": "k"}),
        (f"{BASE}/webhooks/stripe/", {}),
    ):
        response = api.generic("POST", url, body, content_type="application/json", **headers)
        assert (response.status_code, response.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "application/xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "multipart/form-data",
        "application/jsonp",
        ";;;",
        "",
    ],
)
def test_body_of_a_type_that_isnt_read(furnished, content_type):
    wrong = {}
    for operation in writes():
        is_upload = operation.request_schema("multipart/form-data") is not None
        response = client_for(furnished, operation).generic(
            operation.method, url_of(furnished, operation), b"a=1", content_type=content_type
        )
        wanted = (415, 400) if is_upload and content_type.startswith("multipart") else (415,)
        if response.status_code not in wanted or complaint(response):
            wrong[operation.key] = response.status_code
    assert wrong == {}


def test_type_of_a_json_body_may_have_parameters(furnished):
    url = f"{BASE}/carts/"
    for content_type in (
        "application/json; charset=utf-8",
        "APPLICATION/JSON",
        "application/json;",
    ):
        response = APIClient().generic("POST", url, b"{}", content_type=content_type)
        assert (content_type, response.status_code) == (content_type, 201)


# -- strings --------------------------------------------------------------------------------------


def filled(schema: dict[str, Any], value: str, depth: int = 0) -> Any:
    """A body of `schema` in which every text is `value`, and the rest is well-formed."""
    schema = resolve(schema)
    for option in ("oneOf", "allOf", "anyOf"):
        if option in schema:
            return filled(schema[option][0], value, depth)
    kind = schema.get("type")
    kind = kind[0] if isinstance(kind, list) else kind
    if "enum" in schema:
        return schema["enum"][0]
    if kind == "object" and depth < 5:
        if "properties" not in schema:
            return {value[:200]: value}
        return {
            name: filled(inner, value, depth + 1) for name, inner in schema["properties"].items()
        }
    if kind == "array" and depth < 5:
        return [filled(schema["items"], value, depth + 1)]
    return {"integer": 1, "number": 1, "boolean": True}.get(kind or "", value)


@pytest.mark.parametrize("name", sorted(SPECIAL))
def test_text_in_every_member_of_every_body(furnished, name):
    wrong = {}
    for operation in writes():
        body = filled(operation.request_schema(), SPECIAL[name])
        started = time.perf_counter()
        response = client_for(furnished, operation).generic(
            operation.method,
            url_of(furnished, operation),
            json.dumps(body),
            content_type="application/json",
        )
        seconds = time.perf_counter() - started
        if trouble := complaint(response, allowed=(200, 201, 204)):
            wrong[operation.key] = trouble
        elif seconds > SECONDS:
            wrong[operation.key] = f"{seconds:.1f} seconds"
    assert wrong == {}


def naughty() -> list[str]:
    if not BLNS.is_file():
        pytest.skip("The big list of naughty strings isn't here.")
    return [text for text in json.loads(BLNS.read_text("utf-8")) if text][::STRIDE]


def free_texts(furnished: Furnished, text: str) -> Iterator[tuple[APIClient, str, str, Any]]:
    """Requests whose free texts are `text`, the rest being right, so that it is stored."""
    ana, merchant, hits = furnished.ana.client, furnished.merchant, furnished.hits
    address = {**ADDRESS, "first_name": text[:100], "line2": text[:200], "company": text[:200]}
    number = furnished.ana.order["number"]
    yield (
        ana,
        "PATCH",
        f"{BASE}/carts/{furnished.ana.cart_id}/",
        {"note": text, "shipping_address": address},
    )
    yield ana, "PATCH", f"{BASE}/me/", {"first_name": text[:100], "last_name": text[:100]}
    yield ana, "PATCH", f"{BASE}/me/addresses/{furnished.ana.address_id}/", address
    yield merchant, "POST", f"{BASE}/admin/orders/{number}/notes/", {"message": text}
    yield (
        merchant,
        "PATCH",
        f"{BASE}/admin/products/book/",
        {"name": text, "description": text, "metadata": {text: text}, "tags": [text[:100]]},
    )
    customer = hits["/admin/customers/{id}/"]["id"]
    yield merchant, "PATCH", f"{BASE}/admin/customers/{customer}/", {"note": text}


def test_naughty_strings_are_stored_or_refused(furnished):
    wrong = {}
    for text in naughty():
        for client, method, url, body in free_texts(furnished, text):
            client.raise_request_exception = False
            response = getattr(client, method.lower())(url, body)
            if trouble := complaint(response, allowed=(200, 201)):
                wrong[f"{method} {url} {text!r}"] = trouble
    assert wrong == {}
    # What was stored is shown.
    for client, url in (
        (furnished.ana.client, f"{BASE}/carts/{furnished.ana.cart_id}/"),
        (furnished.merchant, f"{BASE}/admin/orders/{furnished.ana.order['number']}/"),
        (furnished.merchant, f"{BASE}/admin/products/book/"),
        (furnished.merchant, f"{BASE}/admin/customers/?search=marker"),
    ):
        assert client.get(url).status_code == 200


def test_plain_text_is_kept_as_it_is(furnished):
    """No escaping on the way in: that is for whoever writes HTML."""
    text = 'O\'Brien & <Söhne> "Ltd" – 日本語 \u202eabc'
    body = {"first_name": text}
    assert furnished.ana.client.patch(f"{BASE}/me/", body).json()["first_name"] == text


@pytest.mark.parametrize("name", ["NUL", "query", "right to left", "noncharacter"])
def test_text_in_every_query_parameter(furnished, name):
    wrong = {}
    for operation in operations():
        if operation.method != "GET" or operation.path in ("/schema/", "/docs/"):
            continue
        for parameter in sorted(operation.parameters("query")):
            response = client_for(furnished, operation).get(
                url_of(furnished, operation), {parameter: SPECIAL[name]}
            )
            if trouble := complaint(response, allowed=(200,)):
                wrong[f"{operation.key} {parameter}"] = trouble
    assert wrong == {}


def test_naughty_strings_are_searched_for(furnished):
    wrong = {}
    for text in naughty():
        for client, url in (
            (furnished.ana.client, f"{BASE}/products/"),
            (furnished.merchant, f"{BASE}/admin/orders/"),
            (furnished.merchant, f"{BASE}/admin/products/"),
        ):
            client.raise_request_exception = False
            response = client.get(url, {"search": text})
            if trouble := complaint(response, allowed=(200,)):
                wrong[f"{url} {text!r}"] = trouble
    assert wrong == {}


@pytest.mark.parametrize("raw", ["%00", "%ff", "%2e%2e%2f", "%20", "a" * 5000, "%F0%9F%98%80", "*"])
def test_text_in_every_part_of_a_path(furnished, raw):
    wrong = {}
    for operation in operations():
        for name in sorted(operation.parameters("path")):
            values = {**values_for(operation.path, furnished.hits), name: raw}
            response = client_for(furnished, operation).generic(
                operation.method,
                operation.url(**values),
                b"{}" if operation.method in ("POST", "PUT", "PATCH") else b"",
                content_type="application/json",
            )
            if trouble := complaint(response):
                wrong[f"{operation.key} {name}"] = trouble
    assert wrong == {}


HEADERS = {
    "Accept-Language": ["x" * 10_000, "\xff\xfe", "en;q=99999,,;;", "../../etc"],
    "X-Store": ["nothing", "\xff", "x" * 10_000, "main\x00"],
    "X-Request-Id": ["x" * 10_000, "a b", "\xff" * 20],
    "If-None-Match": ['"' * 1000, "W/" * 1000, "\xff"],
    "If-Match": ['"' * 1000, "\xff"],
    "Authorization": ["Bearer", "Bearer ", "Bearer \xff", "Api-Key x", "Basic e", "x" * 10_000],
    "Idempotency-Key": ["", "x" * 300, "\xff\x01"],
    "Accept": [";;;", "text/*;q=9", "application/json;version=9", "x" * 10_000],
    "X-Forwarded-For": ["\xff", "x" * 10_000],
    "Host": ["a b", "evil.example:99999", "[::", "\xff"],
    "Content-Length": ["-1", "ten", "99999999999"],
}


@pytest.mark.parametrize("name", sorted(HEADERS))
def test_header_nobody_can_mean(furnished, name):
    place = (
        "CONTENT_LENGTH" if name == "Content-Length" else f"HTTP_{name.upper().replace('-', '_')}"
    )
    wrong = {}
    client = APIClient(raise_request_exception=False)
    for value in HEADERS[name]:
        for method, url, body in (
            ("GET", f"{BASE}/products/", b""),
            ("GET", f"{BASE}/admin/orders/", b""),
            ("POST", f"{BASE}/checkout/", b"{}"),
            ("GET", f"{BASE}/nothing/", b""),
        ):
            response = client.generic(
                method, url, body, content_type="application/json", **{place: value}
            )
            if trouble := complaint(response, allowed=(200, 304)):
                wrong[f"{method} {url} {value[:20]!r}"] = trouble
    assert wrong == {}


@pytest.mark.parametrize(
    ("moment", "status"),
    [
        ("2026-01-31T12:00:00Z", 200),
        ("2026-01-31T12:00:00+14:00", 200),
        # Beyond the first and the last moment, once in UTC.
        ("0001-01-01T00:00:00+14:00", 400),
        ("9999-12-31T23:59:59-14:00", 400),
        # PostgreSQL knows no such zone; the moment itself is one.
        ("0790-10-21T23:48:00+22:13", 200),
        ("2026-02-30T00:00:00Z", 400),
        ("yesterday", 400),
    ],
)
def test_moment_in_every_filter(furnished, moment, status):
    filters = [
        (operation, parameter["name"])
        for operation in operations()
        for parameter in operation.spec.get("parameters", ())
        if parameter["schema"].get("format") == "date-time"
    ]
    assert len(filters) >= 8
    codes = {
        f"{operation.key} {name}": client_for(furnished, operation)
        .get(url_of(furnished, operation), {name: moment})
        .status_code
        for operation, name in filters
    }
    assert set(codes.values()) == {status}, codes


def sparse(schema: dict[str, Any], depth: int = 0) -> Iterator[Any]:
    """Bodies of `schema` that lack nearly everything: empty, or with one right member."""
    schema = resolve(schema)
    if "properties" in schema:
        yield {}
        for name, inner in schema["properties"].items():
            yield {name: with_known({name: filled(inner, "text")})[name]}
            if depth < 3:
                yield from ({name: body} for body in sparse(inner, depth + 1))
    elif schema.get("type") == "array":
        yield []
        yield from ([body] for body in sparse(schema["items"], depth + 1))


def test_body_that_lacks_nearly_everything(furnished):
    """Where a PATCH may leave out members, what stands inside of them is whole all the same."""
    wrong = {}
    for operation in writes():
        client = client_for(furnished, operation)
        for body in sparse(operation.request_schema()):
            with transaction.atomic():
                response = client.generic(
                    operation.method,
                    url_of(furnished, operation),
                    json.dumps(body),
                    content_type="application/json",
                )
                transaction.set_rollback(True)
            if trouble := complaint(response, allowed=(200, 201, 204)):
                wrong[f"{operation.key} {body}"] = trouble
    assert wrong == {}
