"""Every operation, for everybody."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import override_settings
from django.urls import path
from rest_framework.response import Response
from rest_framework.test import APIClient

from apps.core.api.views import BaseApi
from tests.permissions.cast import (
    ROLES,
    bearer,
    dead_credentials,
    key_of,
    key_without_scopes,
    staff,
)
from tests.permissions.matrix import OPERATIONS, PAGES, PEOPLE_ONLY
from tests.permissions.operations import Operation, operations, resolved_operations, routes

pytestmark = pytest.mark.once

ANYBODY = {"open", "public"}
WORDS = ANYBODY | {"signed-in"}
ENDS = {"POST /auth/sessions/end/"}


def answer(client: Any, operation: Operation) -> Any:
    return client.generic(
        operation.method,
        operation.url(provider="stripe"),
        b"{}" if operation.method in ("POST", "PUT", "PATCH") else b"",
        content_type="application/json",
    )


def verdict(response: Any, operation: Operation) -> Any:
    """401 or 403 as they are; anything else is "allowed", but for crashes.

    Whatever it is, the OpenAPI document must know of it.
    """
    documented = operation.spec.get("responses")
    if documented and str(response.status_code) not in documented:
        return f"undocumented {response.status_code}"
    if response.status_code >= 400 and response["Content-Type"] != "application/problem+json":
        return f"{response.status_code} as {response['Content-Type']}"
    if response.status_code in (401, 403):
        return response.status_code
    return "allowed" if response.status_code < 500 else f"crashed {response.status_code}"


def sweep(client: Any, expected: Any, *, schema: bool = False) -> dict[str, Any]:
    """What differs from `expected(operation key, audience)`, over all operations.

    Without the schema's own address, which takes as long as all others together.
    """
    wrong = {}
    # What ends the caller's session comes last.
    for operation in sorted(operations(), key=lambda operation: operation.key in ENDS):
        if operation.path == "/schema/" and not schema:
            continue
        wanted = expected(operation.key, OPERATIONS[operation.key])
        found = verdict(answer(client, operation), operation)
        if found != wanted:
            wrong[operation.key] = f"{found} instead of {wanted}"
    return wrong


def test_matrix_has_every_operation_and_no_other():
    assert {operation.key for operation in operations()} == set(OPERATIONS)


def test_schema_hides_no_operation():
    assert resolved_operations() == set(OPERATIONS)


def test_matrix_has_every_page_outside_the_api():
    found = {route for route, _pattern in routes() if not route.startswith(("api/v1/", "admin/"))}
    assert found == set(PAGES)


@pytest.mark.django_db
def test_matrix_names_permissions_that_exist():
    known = {
        f"{app}.{codename}"
        for app, codename in Permission.objects.values_list("content_type__app_label", "codename")
    }
    assert set(OPERATIONS.values()) - WORDS - known == set()


def test_anonymous_reaches_what_is_public(store):
    def expected(key: str, audience: str) -> Any:
        return "allowed" if audience in ANYBODY else 401

    client = APIClient(raise_request_exception=False)
    assert sweep(client, expected, schema=True) == {}


def test_shopper_reaches_what_is_for_shoppers(store, shopper):
    def expected(key: str, audience: str) -> Any:
        return "allowed" if audience in WORDS else 403

    assert sweep(bearer(shopper), expected) == {}


@pytest.mark.parametrize("role", ["", *ROLES])
def test_staff_reach_what_their_role_holds(store, role):
    user = staff(role)
    held = user.get_all_permissions()

    def expected(key: str, audience: str) -> Any:
        return "allowed" if audience in WORDS or audience in held else 403

    assert sweep(bearer(user), expected) == {}


def test_superuser_reaches_everything(store, merchant):
    merchant.is_superuser = True
    merchant.save()
    assert sweep(bearer(merchant), lambda key, audience: "allowed") == {}


def test_staff_who_left_reach_nothing_of_the_merchants(store, merchant):
    """The groups stay in the database; `is_staff` is what opens the door."""
    merchant.is_staff = False
    merchant.save()

    def expected(key: str, audience: str) -> Any:
        return "allowed" if audience in WORDS else 403

    assert sweep(bearer(merchant), expected) == {}


def test_key_with_exactly_the_scope_reaches_only_that(store, merchant):
    """One key for each permission, tried at every operation that wants it."""
    permissions = sorted(set(OPERATIONS.values()) - WORDS)
    clients = {name: key_of(merchant, name) for name in permissions}
    wrong = {}
    for operation in operations():
        audience = OPERATIONS[operation.key]
        if audience in WORDS:
            continue
        wanted = 403 if operation.key in PEOPLE_ONLY else "allowed"
        found = verdict(answer(clients[audience], operation), operation)
        if found != wanted:
            wrong[operation.key] = found
    assert wrong == {}


def test_key_with_every_other_scope_is_refused(store, merchant):
    permissions = set(OPERATIONS.values()) - WORDS
    clients = {name: key_of(merchant, *(permissions - {name})) for name in permissions}
    wrong = {}
    for operation in operations():
        audience = OPERATIONS[operation.key]
        if audience in WORDS:
            continue
        found = verdict(answer(clients[audience], operation), operation)
        if found != 403:
            wrong[operation.key] = found
    assert wrong == {}


@pytest.mark.parametrize("scopes", ["one", "none"])
def test_key_is_nobody_among_shoppers(store, merchant, scopes):
    client = (
        key_of(merchant, "products.view_product")
        if scopes == "one"
        else key_without_scopes(merchant)
    )
    held = {"products.view_product"} if scopes == "one" else set()

    def expected(key: str, audience: str) -> Any:
        return "allowed" if audience in ANYBODY | held else 403

    assert sweep(client, expected) == {}


@pytest.mark.parametrize(
    "which", ["expired key", "revoked key", "invented key", "signed-out token"]
)
def test_dead_credential_opens_nothing(store, merchant, which):
    """Not even what is public: who sends a credential must learn that it died."""

    def expected(key: str, audience: str) -> Any:
        return "allowed" if audience == "open" else 401

    client = dead_credentials(merchant)[which]
    assert sweep(client, expected, schema=which == "expired key") == {}


def test_refusals_say_how_to_sign_in_and_carry_a_code(store, shopper, api):
    anonymous = api.get("/api/v1/admin/orders/")
    assert anonymous["WWW-Authenticate"] == 'Bearer realm="api"'
    assert anonymous["Content-Type"] == "application/problem+json"
    assert anonymous.json()["code"] == "not_authenticated"
    refused = bearer(shopper).get("/api/v1/admin/orders/")
    assert refused["Content-Type"] == "application/problem+json"
    assert refused.json()["code"] == "permission_denied"


class _Forgotten(BaseApi):
    """A view whose author didn't think of permissions."""

    def get(self, request: Any) -> Response:
        return Response({"secret": True})

    post = put = patch = delete = get


urlpatterns = [path("forgotten/", _Forgotten.as_view())]


@override_settings(ROOT_URLCONF=__name__)
@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "options", "head"])
def test_view_without_permissions_answers_nobody(db, merchant, shopper, api, method):
    merchant.is_superuser = True
    merchant.save()
    clients = {"anonymous": api, "shopper": bearer(shopper), "superuser": bearer(merchant)}
    found = {who: getattr(client, method)("/forgotten/") for who, client in clients.items()}
    codes = {who: response.status_code for who, response in found.items()}
    assert codes == {"anonymous": 401, "shopper": 403, "superuser": 403}
    assert all(b"secret" not in response.content for response in found.values())


def test_metrics_need_their_token(db, api, settings):
    settings.METRICS_TOKEN = "s3cret"
    refused = [
        api.get("/metrics"),
        api.get("/metrics", headers={"Authorization": "Bearer wrong"}),
    ]
    assert {response.status_code for response in refused} <= {401, 403, 404}
    assert all(b"# HELP" not in response.content for response in refused)
    told = api.get("/metrics", headers={"Authorization": "Bearer s3cret"})
    assert told.status_code == 200
