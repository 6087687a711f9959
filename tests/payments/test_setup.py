"""Gateways that aren't set up well say so at start; ones that are down never stop the shop."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.cache import cache
from django.core.checks import run_checks

from apps.core import health
from apps.core.providers import provider
from apps.payments import services
from apps.payments.models import GatewayAccount
from tests.flows.conftest import paypal, simulator

__all__ = ["paypal", "simulator"]
pytestmark = pytest.mark.django_db


def _ids(**how: Any) -> list[str]:
    ours = ("commerce.E009", "commerce.W002", "commerce.W003", "commerce.W004")
    return sorted(found.id for found in run_checks(**how) if found.id in ours)


@pytest.fixture(autouse=True)
def bare(settings: Any) -> Any:
    for name in ("SECRET_KEY", "PUBLISHABLE_KEY"):
        setattr(settings, f"STRIPE_{name}", "")
    settings.STRIPE_WEBHOOK_SECRETS = []
    settings.PAYPAL_CLIENT_ID = settings.PAYPAL_CLIENT_SECRET = settings.PAYPAL_WEBHOOK_ID = ""
    provider.cache_clear()
    return settings


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({}, []),
        ({"PAYPAL_CLIENT_ID": "x"}, ["commerce.E009"]),
        ({"STRIPE_PUBLISHABLE_KEY": "pk_live_x"}, ["commerce.E009"]),
        ({"STRIPE_SECRET_KEY": "sk_live_x"}, ["commerce.W002"]),
        (
            {
                "STRIPE_SECRET_KEY": "sk_live_x",
                "STRIPE_PUBLISHABLE_KEY": "pk_live_x",
                "STRIPE_WEBHOOK_SECRETS": ["whsec_x"],
            },
            [],
        ),
    ],
)
def test_keys_of_the_settings(bare: Any, given: dict[str, Any], told: list[str]) -> None:
    for name, value in given.items():
        setattr(bare, name, value)
    assert _ids() == told


@pytest.mark.parametrize(
    ("key", "told"), [("sk_test_x", True), ("rk_test_x", True), ("sk_live_x", False)]
)
def test_test_keys_in_production(bare: Any, key: str, told: bool) -> None:
    bare.STRIPE_SECRET_KEY = key
    assert "commerce.W003" not in _ids()
    assert ("commerce.W003" in _ids(include_deployment_checks=True)) == told


def test_sandbox_in_production(bare: Any) -> None:
    bare.PAYPAL_CLIENT_ID = bare.PAYPAL_CLIENT_SECRET = bare.PAYPAL_WEBHOOK_ID = "x"
    assert _ids(include_deployment_checks=True) == []
    bare.PAYPAL_API_BASE = "https://api-m.sandbox.paypal.com"
    assert _ids(include_deployment_checks=True) == ["commerce.W003"]


def test_accounts_without_keys() -> None:
    account = services.save_account(
        account=GatewayAccount(gateway="stripe"), changes={}, credentials={}
    )
    assert _ids() == []
    assert _ids(databases=["default"]) == ["commerce.W004"]
    services.save_account(
        account=account, changes={}, credentials={"STRIPE_SECRET_KEY": "sk_live_x"}
    )
    assert _ids(databases=["default"]) == []


def test_gateways_are_reported_and_never_asked_by_the_probe(
    simulator: Any, paypal: Any, api: Any, django_assert_num_queries: Any
) -> None:
    names = ["gateway:stripe", "gateway:paypal"]
    with django_assert_num_queries(1):
        before = api.get("/health/ready/").json()
    assert before["reported"] == {name: {"status": "unknown"} for name in names}
    paypal.stop()
    services.probe_gateways()
    answer = api.get("/health/ready/")
    seen = answer.json()["reported"]
    assert [seen[name]["status"] for name in names] == ["ok", "error"]
    assert seen[names[0]]["ms"] > 0
    assert (answer.status_code, answer.json()["status"]) == (200, before["status"])
    cache.clear()
    assert api.get("/health/ready/").json()["reported"][names[1]] == {"status": "unknown"}


def test_a_report_that_fails_is_left_out(api: Any, monkeypatch: Any) -> None:
    def broken() -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(health, "_reports", [broken])
    answer = api.get("/health/ready/")
    assert (answer.status_code, answer.json()["reported"]) == (200, {})
