"""What isn't known is refused, not ignored: parameters, members of bodies, orderings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.contract.shop import Furnished, values_for
from tests.permissions.matrix import STOREFRONT
from tests.permissions.operations import Operation, operations, resolve

pytestmark = pytest.mark.once

# drf-spectacular's own pages.
SERVED = {"/docs/", "/schema/"}
# Operations without a body: what is sent there isn't read.
BODILESS = {
    "POST /admin/approvals/{id}/approve/",
    "POST /admin/webhook-deliveries/{id}/replay/",
    "POST /admin/webhook-endpoints/{id}/test/",
    "POST /alerts/{token}/confirm/",
    "POST /auth/email/verify/resend/",
    "POST /auth/passkeys/sign-in/options/",
    "POST /me/export/",
    "POST /auth/sessions/end/",
    "POST /auth/social/{slug}/start/",
    "POST /admin/fulfillments/{fulfillment_id}/cancel/",
    "POST /admin/fulfillments/{fulfillment_id}/delivered/",
    "POST /admin/fulfillments/{fulfillment_id}/separate/",
    "POST /admin/fulfillments/{fulfillment_id}/void/",
    "POST /admin/fraud/assessments/{id}/approve/",
    "POST /admin/imports/{id}/run/",
    "POST /admin/orders/bulk/{id}/cancel/",
    "POST /admin/orders/{number}/charge-saved/",
    "POST /admin/orders/{number}/invoices/",
    "POST /admin/orders/{number}/pay-links/",
    "POST /admin/pay-links/{link_id}/resend/",
    "POST /admin/pay-links/{link_id}/revoke/",
    "POST /admin/payments/{payment_id}/void/",
    "POST /admin/promotions/{code}/end/",
    "POST /admin/returns/{id}/refund-instead/",
    "POST /admin/returns/{id}/retry-refund/",
    "POST /admin/reviews/{id}/approve/",
    "POST /carts/{cart_id}/claim/",
    "POST /carts/{cart_id}/store-credit/",
    "POST /orders/{number}/returns/{return_id}/cancel/",
    "POST /reviews/{id}/helpful/",
    # Bytes that only their provider understands.
    "POST /webhooks/carriers/{carrier}/",
    "POST /webhooks/{provider}/",
}
# A body of another kind than JSON.
MULTIPART = {
    *("POST /admin/imports/", "POST /reviews/uploads/{photo_id}/"),
    "POST /returns/uploads/{photo_id}/",
}


def ask(furnished: Furnished, operation: Operation, query: str = "", **extra: Any) -> Any:
    """As whoever may: the shopper among shoppers, the owner among merchants."""
    is_shoppers = operation.key in STOREFRONT
    client = furnished.ana.client if is_shoppers else furnished.merchant
    url = operation.url(**values_for(operation.path, furnished.hits)) + query
    return client.generic(operation.method, url, **extra)


@pytest.mark.parametrize(
    "query",
    ["surprise=1", "user__password__startswith=a", "id__gt=0", "page=2", "password=x", "pk=1"],
)
def test_unknown_query_parameter_is_refused(furnished, query):
    name, wrong = query.partition("=")[0], {}
    for operation in operations():
        if operation.path in SERVED:
            continue
        response = ask(furnished, operation, f"?{query}")
        if response.status_code != 400 or response.json()["errors"][0]["field"] != name:
            wrong[operation.key] = response.status_code
    assert wrong == {}


def writes() -> list[Operation]:
    return [o for o in operations() if o.method in ("POST", "PUT", "PATCH")]


# A promotion's rule is read as a whole, by the engine: tests/promotions/test_schema.py.
READ_WHOLE = {"effect", "conditions"}


def test_bodies_are_json_but_for_the_named_ones():
    found = {o.key for o in writes() if o.request_schema() is None}
    assert found == BODILESS | MULTIPART


def places(schema: dict[str, Any], inside: str = "", depth: int = 0) -> Iterator[tuple[str, Any]]:
    """(path of an unknown member, body that holds it), for every object of a body."""
    schema = resolve(schema)
    if depth > 4:
        return
    if "properties" in schema:
        yield f"{inside}surprise", {"surprise": 1}
        for name, inner in schema["properties"].items():
            for option in (inner, *inner.get("oneOf", ()), *inner.get("allOf", ())):
                for path, body in places(option, f"{inside}{name}.", depth + 1):
                    yield path, {name: body}
    elif schema.get("type") == "array":
        for path, body in places(schema["items"], f"{inside}0.", depth + 1):
            yield path, [body]


def test_unknown_member_of_a_body_is_refused(furnished):
    """Also deep inside: the line of a cart, the address of an order, the SEO of a product."""
    wrong, tried = {}, 0
    for operation in writes():
        schema = operation.request_schema() or operation.request_schema("multipart/form-data")
        if operation.key in BODILESS or schema is None:
            continue
        for path, body in places(schema):
            if set(path.split(".")) & READ_WHOLE:
                continue
            tried += 1
            response = ask(
                furnished, operation, data=json.dumps(body), content_type="application/json"
            )
            fields = {error["field"] for error in response.json().get("errors", ())}
            parent = path.rpartition(".")[0]
            if response.status_code != 400 or not fields & {path, parent}:
                wrong[f"{operation.key} {path}"] = (response.status_code, fields)
    assert wrong == {}
    assert tried > 100


@pytest.mark.parametrize("ordering", ["password", "-user__password", "id", "pk", "?", "created;"])
def test_ordering_by_what_isnt_offered_is_refused(furnished, ordering):
    lists = [o for o in operations() if "ordering" in o.parameters("query")]
    assert len(lists) >= 5
    codes = {o.key: ask(furnished, o, f"?ordering={ordering}").status_code for o in lists}
    assert set(codes.values()) == {400}, codes


@pytest.mark.parametrize("limit", ["0", "101", "-1", "ten", "1e1", "١٠", "", "99999999999999999"])
def test_limit_that_isnt_a_page_is_refused(furnished, limit):
    lists = [o for o in operations() if "limit" in o.parameters("query")]
    assert len(lists) >= 20
    codes = {o.key: ask(furnished, o, f"?limit={limit}").status_code for o in lists}
    assert set(codes.values()) == {400}, codes


@pytest.mark.parametrize("cursor", ["x", "%00", "cD0x", "bz0xMDAwMDAwMDA=", "a" * 5000, "%ff"])
def test_invented_cursor_is_refused_or_empty(furnished, cursor):
    lists = [o for o in operations() if "cursor" in o.parameters("query")]
    assert len(lists) >= 20
    found = {o.key: ask(furnished, o, f"?cursor={cursor}") for o in lists}
    crashed = {key: r.status_code for key, r in found.items() if r.status_code >= 500}
    assert crashed == {}
