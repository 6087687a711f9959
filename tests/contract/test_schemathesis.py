"""Every operation keeps what the OpenAPI document promises, whatever is sent.

`CONTRACT_EXAMPLES=100` sends more; the gate's few are the same ones each time.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import cache
from typing import Any

import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from commerce.wsgi import application
from tests.contract.shop import values_for, with_known
from tests.permissions.matrix import MERCHANTS, STOREFRONT

pytestmark = pytest.mark.once

EXAMPLES = int(os.environ.get("CONTRACT_EXAMPLES", "3"))
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
SERVED = {"GET /docs/", "GET /schema/"}
# That the others refuse a guest is the permission matrix's.
GUESTS = {key for key, audience in STOREFRONT.items() if audience != "signed-in"} - SERVED


@cache
def document() -> Any:
    config = schemathesis.Config.from_dict({"generation": {"database": "none"}})
    return schemathesis.openapi.from_wsgi(
        "/api/v1/schema/", application, config=config, headers={"Accept": "application/json"}
    )


@pytest.fixture(autouse=True)
def _connection_stays() -> Iterator[None]:
    """A real request closes its connection, and the test's transaction with it."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


def attack(key: str, hits: Any, headers: dict[str, str], examples: int) -> None:
    method, path = key.split(" ")
    operation = document()[f"/api/v1{path}"][method]
    rows = values_for(path, hits) or None
    for mode in GenerationMode:
        found = operation.as_strategy(
            generation_mode=mode,
            path_parameters=rows if mode.is_positive else None,
        )

        @seed(20260101)
        @settings(
            max_examples=examples,
            derandomize=True,
            database=None,
            phases=[Phase.generate, Phase.shrink] if examples > 10 else [Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=found, real=st.booleans())
        def send(case: Any, real: bool) -> None:
            if real and isinstance(case.body, (dict, list)):
                case.body = with_known(case.body)
            case.call_and_validate(headers=headers, checks=CHECKS)

        try:
            send()
        except Unsatisfiable:
            # Nothing to get wrong: no parameters, no body.
            assert mode.is_negative


def authorization(client: Any) -> dict[str, str]:
    return {"Authorization": client._credentials["HTTP_AUTHORIZATION"]}


@pytest.mark.parametrize("key", sorted(GUESTS))
def test_anonymous(furnished, key):
    attack(key, furnished.hits, {}, EXAMPLES)


@pytest.mark.parametrize("key", sorted(STOREFRONT.keys() - SERVED))
def test_shopper(furnished, key):
    attack(key, furnished.hits, authorization(furnished.ana.client), EXAMPLES)


@pytest.mark.parametrize("key", sorted(MERCHANTS))
def test_merchant(furnished, key):
    attack(key, furnished.hits, authorization(furnished.merchant), EXAMPLES)
