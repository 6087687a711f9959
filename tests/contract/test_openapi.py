"""The OpenAPI document: valid, complete, and the addresses that were promised."""

from __future__ import annotations

import json
import re
from functools import cache
from io import StringIO
from typing import Any

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils.module_loading import import_string

from tests.permissions.operations import METHODS

pytestmark = pytest.mark.once

JSON, PROBLEM = "application/json", "application/problem+json"
# The contract of this release, below /api/v1; parameters by position.
PROMISED = """
GET /products/ | GET /products/facets/ | GET /products/{}/
GET /categories/ | GET /categories/{}/ | GET /collections/
POST /carts/ | GET /carts/{}/ | PATCH /carts/{}/ | DELETE /carts/{}/
POST /carts/{}/lines/ | PATCH /carts/{}/lines/{}/ | DELETE /carts/{}/lines/{}/
GET /carts/{}/shipping-methods/ | POST /carts/{}/checkout/ | POST /checkout/
GET /orders/ | GET /orders/{}/ | POST /orders/{}/cancel/
POST /auth/register/ | POST /auth/token/ | POST /auth/token/refresh/ | POST /auth/logout/
GET /me/ | PATCH /me/ | DELETE /me/ | POST /me/export/ | GET /me/addresses/ | POST /me/addresses/
GET /me/addresses/{}/ | PATCH /me/addresses/{}/ | DELETE /me/addresses/{}/
GET /admin/orders/ | POST /admin/orders/ | GET /admin/orders/{}/ | PUT /admin/orders/{}/status/
POST /admin/orders/{}/fulfill/ | PUT /admin/fulfillments/{}/tracking/
POST /admin/orders/{}/notes/ | POST /admin/orders/{}/payments/
GET /admin/payments/{}/ | POST /admin/payments/{}/capture/ | POST /admin/payments/{}/refund/
GET /admin/products/{}/inventory/ | PUT /admin/products/{}/inventory/
POST /admin/inventory/receive/ | POST /admin/inventory/transfer/
GET /admin/inventory/alerts/ | GET /admin/inventory/movements/
GET /admin/products/ | POST /admin/products/ | GET /admin/products/{}/
PATCH /admin/products/{}/ | DELETE /admin/products/{}/
GET /admin/products/{}/variants/ | POST /admin/products/{}/variants/
GET /admin/variants/{}/ | PATCH /admin/variants/{}/ | DELETE /admin/variants/{}/
GET /admin/categories/ | POST /admin/categories/ | PATCH /admin/categories/{}/
DELETE /admin/categories/{}/
GET /admin/price-lists/ | POST /admin/price-lists/ | PATCH /admin/price-lists/{}/
DELETE /admin/price-lists/{}/
POST /admin/notifications/send/ | GET /admin/notifications/stats/
GET /admin/notifications/history/
POST /webhooks/{}/
"""


@cache
def document() -> dict[str, Any]:
    # That it is valid takes half a minute, and is a step of the gate.
    out = StringIO()
    call_command("spectacular", format="openapi-json", fail_on_warn=True, stdout=out)
    return json.loads(out.getvalue())


def operations() -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{method.upper()} {path.removeprefix('/api/v1')}", operation)
        for path, item in document()["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    ]


def test_document_is_made_without_warnings():
    assert document()["openapi"].startswith("3.1")


def test_promised_addresses_are_there():
    promised = {call.strip() for line in PROMISED.strip().splitlines() for call in line.split("|")}
    found = {re.sub(r"\{\w+\}", "{}", key) for key, _operation in operations()}
    assert promised - found == set()


def test_every_operation_says_what_it_does():
    ids = [operation["operationId"] for _key, operation in operations()]
    assert len(set(ids)) == len(ids)
    for key, operation in operations():
        assert operation.get("summary", "").strip(), key
        assert len(operation["tags"]) == 1, key


def test_every_answer_is_typed():
    untyped = []
    for key, operation in operations():
        good = {code: body for code, body in operation["responses"].items() if code < "300"}
        assert good, key
        for code, body in good.items():
            schemas = [content.get("schema") for content in body.get("content", {}).values()]
            if code != "204" and not (schemas and all(schemas)):
                untyped.append(key)
    assert untyped == []


def test_every_refusal_is_a_problem():
    for key, operation in operations():
        refusals = {code: body for code, body in operation["responses"].items() if code >= "400"}
        assert {"400", "404"} <= set(refusals), key
        for code, body in refusals.items():
            schema = body["content"][PROBLEM]["schema"]
            assert schema == {"$ref": "#/components/schemas/Problem"}, (key, code)


def test_every_body_is_typed():
    for key, operation in operations():
        if key.startswith(("GET", "DELETE")):
            assert "requestBody" not in operation, key
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            assert content["schema"], (key, media_type)


def test_only_public_operations_need_no_credentials():
    for key, operation in operations():
        security = operation.get("security", [])
        is_admin = " /admin/" in key
        assert (not security or {} in security) == (not is_admin and "/me/" not in key) or (
            key
            in (
                "POST /auth/password/",
                "GET /auth/sessions/",
                "DELETE /auth/sessions/{id}/",
                "POST /auth/sessions/end/",
                "GET /auth/second-factor/",
                "POST /auth/second-factor/",
                "POST /auth/second-factor/backup-codes/",
                "POST /auth/second-factor/confirm/",
                "POST /auth/second-factor/off/",
                "POST /auth/email/",
                "GET /auth/social/accounts/",
                "DELETE /auth/social/accounts/{id}/",
                "POST /auth/social/{slug}/link/",
                "GET /auth/passkeys/",
                "POST /auth/passkeys/",
                "POST /auth/passkeys/options/",
                "DELETE /auth/passkeys/{id}/",
                "POST /auth/second-factor/passkeys/",
                "POST /auth/email/verify/resend/",
                "POST /carts/{cart_id}/claim/",
                "GET /orders/",
                "POST /products/{slug}/reviews/",
                "POST /reviews/uploads/",
            )
        ), key


@pytest.mark.parametrize("name", sorted(settings.SPECTACULAR_SETTINGS["ENUM_NAME_OVERRIDES"]))
def test_enum_has_the_values_of_its_model(name):
    """Two enums that happen to share a name would lose one's values."""
    path = settings.SPECTACULAR_SETTINGS["ENUM_NAME_OVERRIDES"][name]
    model, attribute = path.rsplit(".", 1)
    choices = getattr(import_string(model), attribute)
    values = dict(getattr(choices, "choices", choices))
    assert set(document()["components"]["schemas"][name]["enum"]) == set(values)


def test_document_and_its_page_are_served(db, api):
    served = api.get("/api/v1/schema/", headers={"Accept": JSON})
    assert served.status_code == 200
    assert set(json.loads(served.content)["paths"]) == set(document()["paths"])
    page = api.get("/api/v1/docs/")
    assert page.status_code == 200
    assert b"/api/v1/schema/" in page.content
