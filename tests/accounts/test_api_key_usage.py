"""What API keys are called: counted, held to their plan, billed by month."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
import time_machine
from django.core.exceptions import ValidationError
from django.db import OperationalError
from django.urls import reverse
from django.utils import timezone

from apps.accounts.events import UsageClosed
from apps.accounts.models import ApiKey, ApiKeyBill, ApiKeyUsage, ApiPlan
from apps.accounts.services import api_keys, usage
from apps.core import events
from apps.core.models import AuditEntry, OutboxMessage

CUSTOMERS = "/api/v1/admin/customers/"
NOON = "2026-11-10T12:00:00Z"


@pytest.fixture(autouse=True)
def _nothing_counted(monkeypatch):
    """The process has counted calls of other tests' keys."""
    monkeypatch.setattr(usage, "_counted", {})
    monkeypatch.setattr(usage, "_written", {})


@pytest.fixture
def clock():
    with time_machine.travel(NOON, tick=False) as traveller:
        yield traveller


@pytest.fixture
def plan(db):
    def make(**fields):
        return ApiPlan.objects.create(**{"code": "small", "name": "Small", **fields})

    return make


@pytest.fixture
def key_on(merchant):
    def make(plan=None, **extra):
        return api_keys.create_api_key(
            created_by=merchant,
            name="Erp",
            scopes=["customers.view_customer"],
            plan=plan,
            **extra,
        )

    return make


def get(api, secret, url=CUSTOMERS):
    return api.get(url, headers={"Authorization": f"Api-Key {secret}"})


def rows():
    return list(ApiKeyUsage.objects.order_by("day").values_list("day", "calls", "errors"))


def test_calls_are_counted_by_day_and_written_together(api, key_on, clock):
    _key, secret = key_on()
    assert [get(api, secret).status_code for _call in range(3)] == [200] * 3
    assert get(api, secret, f"{CUSTOMERS}?surprise=1").status_code == 400
    assert rows() == []
    usage.write_usage()
    clock.shift(timedelta(days=1))
    get(api, secret)
    usage.write_usage()
    usage.write_usage()
    assert rows() == [(date(2026, 11, 10), 4, 1), (date(2026, 11, 11), 1, 0)]


def test_call_costs_no_write(api, key_on, clock, django_assert_num_queries):
    _key, secret = key_on()
    get(api, secret)
    with django_assert_num_queries(4):
        get(api, secret)


def test_count_waits_for_the_database(api, key_on, clock, monkeypatch):
    _key, secret = key_on()
    get(api, secret)

    def gone(*_args):
        raise OperationalError

    with monkeypatch.context() as broken:
        broken.setattr(usage, "_add", gone)
        usage.write_usage()
    assert rows() == []
    usage.write_usage()
    assert rows() == [(date(2026, 11, 10), 1, 0)]


@pytest.mark.race
def test_processes_add_to_the_same_row(at_once, key_on):
    key, _secret = key_on()
    day = date(2026, 11, 10)
    at_once(10, lambda n: usage._add(key.pk, day, usage._Counted(calls=n, errors=1)))
    assert rows() == [(day, 45, 10)]


def test_plan_has_a_pace_of_its_own(api, key_on, plan, clock, settings):
    settings.API_RATE_PER_MINUTE = 1
    _key, secret = key_on(plan(calls_per_minute=2))
    answers = [get(api, secret) for _call in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[0]["RateLimit-Policy"] == '"default";q=2;w=60'
    assert answers[0]["RateLimit"] == '"default";r=1;t=61'
    assert 0 < int(answers[2]["Retry-After"]) <= 61
    usage.write_usage()
    assert rows() == [(date(2026, 11, 10), 2, 0)]


def test_quota_refuses_until_the_next_day(api, key_on, plan, clock):
    _key, secret = key_on(plan(quota=2, period="day"))
    answers = [get(api, secret) for _call in range(3)]
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert answers[2].json()["code"] == "rate_limited"
    assert int(answers[2]["Retry-After"]) == 12 * 3600 + 1
    policy = '"default";q=600;w=60, "quota";q=2;w=86400'
    assert [answer["RateLimit-Policy"] for answer in answers] == [policy] * 3
    assert answers[0]["RateLimit"] == f'"default";r=599;t=61, "quota";r=1;t={12 * 3600 + 1}'
    clock.shift(timedelta(hours=12))
    assert get(api, secret).status_code == 200


def test_quota_knows_what_other_processes_wrote(api, key_on, plan, clock):
    key, secret = key_on(plan(quota=100, period="month"))
    ApiKeyUsage.objects.create(key=key, day=date(2026, 10, 31), calls=500)
    ApiKeyUsage.objects.create(key=key, day=date(2026, 11, 1), calls=99)
    assert [get(api, secret).status_code for _call in range(2)] == [200, 429]
    usage.write_usage()
    assert get(api, secret).status_code == 429


def test_priced_quota_goes_on(api, key_on, plan, clock):
    _key, secret = key_on(plan(quota=1, overage_price=100))
    answers = [get(api, secret) for _call in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert '"quota";r=0;t=' in answers[1]["RateLimit"]


@pytest.mark.parametrize(
    ("fields", "billable", "amount"),
    [
        ({"quota": 1_000, "overage_price": 125}, 1_500, 188),
        ({"quota": 1_000, "overage_price": 125, "period": "day"}, 900, 113),
        ({"quota": 5_000, "overage_price": 125}, 0, 0),
        ({"quota": 1_000}, 0, 0),
        ({}, 0, 0),
    ],
)
def test_month_is_billed_once(key_on, plan, monkeypatch, fields, billable, amount):
    key, _secret = key_on(plan(**fields))
    monkeypatch.setitem(events._receivers, UsageClosed.name, {"an.integration": print})
    days = [(10, 31, 9_000), (11, 1, 1_900), (11, 30, 600), (12, 1, 9_000)]
    for month, day, calls in days:
        ApiKeyUsage.objects.create(key=key, day=date(2026, month, day), calls=calls)
    ApiKeyBill.objects.create(
        key=key, month=date(2026, 10, 1), calls=9_000, billable_calls=0, amount=0
    )
    assert usage.close_months(now=_at("2026-12-01T00:59:00Z")) == 0
    assert usage.close_months(now=_at("2026-12-01T01:01:00Z")) == 1
    assert usage.close_months(now=_at("2026-12-01T01:01:00Z")) == 0
    bill = ApiKeyBill.objects.get(month=date(2026, 11, 1))
    assert (bill.calls, bill.billable_calls, bill.amount) == (2_500, billable, amount)
    [message] = OutboxMessage.objects.filter(name="accounts.usage_closed")
    assert message.payload == {
        "key_id": str(key.public_id),
        "key_name": "Erp",
        "month": "2026-11",
        "calls": 2_500,
        "billable_calls": billable,
        "amount": amount,
        "currency": "EUR",
    }


def _at(text):
    return timezone.datetime.fromisoformat(text)


@pytest.mark.race
def test_month_is_billed_once_by_two_workers(at_once, key_on):
    key, _secret = key_on()
    ApiKeyUsage.objects.create(key=key, day=date(2026, 11, 1), calls=1)
    made = at_once(8, lambda _n: usage.close_months(now=_at("2026-12-02T00:00:00Z")))
    assert sorted(made) == [0] * 7 + [1]
    assert ApiKeyBill.objects.count() == 1


def test_new_keys_are_on_the_default_plan(key_on, plan):
    first, second = plan(is_default=True), plan(code="large", name="Large")
    assert key_on()[0].plan == first
    second.is_default = True
    api_keys.save_plan(plan=second)
    assert list(ApiPlan.objects.filter(is_default=True)) == [second]
    assert key_on()[0].plan == second
    assert key_on(first)[0].plan == first


@pytest.mark.parametrize("field", ["calls_per_minute", "overage_price"])
def test_plan_takes_no_nonsense(plan, field):
    with pytest.raises(ValidationError):
        ApiPlan(code="x", name="x", **{field: -1}).full_clean()


def test_usage_is_listed_by_key_and_day(as_merchant, as_readonly, key_on):
    key, other = key_on()[0], key_on()[0]
    for made, day in ((key, 1), (key, 2), (other, 2)):
        ApiKeyUsage.objects.create(key=made, day=date(2026, 11, day), calls=day, errors=1)
    url = "/api/v1/admin/api-keys/usage/"
    assert as_readonly.get(url).status_code == 403
    assert len(as_merchant.get(url).json()["results"]) == 3
    found = as_merchant.get(url, {"key": str(key.public_id), "day_from": "2026-11-02"}).json()
    assert found["results"] == [
        {"key": str(key.public_id), "name": "Erp", "day": "2026-11-02", "calls": 2, "errors": 1}
    ]
    first = as_merchant.get(url, {"limit": 2}).json()
    assert [row["day"] for row in first["results"]] == ["2026-11-02"] * 2
    assert [row["day"] for row in as_merchant.get(first["next"]).json()["results"]] == [
        "2026-11-01"
    ]


def test_plans_are_listed(as_merchant, plan):
    plan(quota=10, overage_price=150)
    [found] = as_merchant.get("/api/v1/admin/api-plans/").json()["results"]
    assert found == {
        "code": "small",
        "name": "Small",
        "calls_per_minute": 600,
        "quota": 10,
        "period": "month",
        "overage_price": {"amount": "1.50", "currency": "EUR"},
        "is_default": False,
    }


def test_back_office_keeps_plans_and_shows_usage(client, merchant, key_on, plan):
    client.force_login(merchant)
    old = plan(is_default=True)
    body = {"name": "Large", "code": "large", "calls_per_minute": "60", "quota": "5"}
    body |= {"period": "month", "overage_price": "1.25", "currency": "EUR", "is_default": "on"}
    assert client.post(reverse("admin:accounts_apiplan_add"), body).status_code == 302
    old.refresh_from_db()
    made = ApiPlan.objects.get(code="large")
    assert (made.overage_price, made.is_default, old.is_default) == (125, True, False)
    key, _secret = key_on(old)
    ApiKeyUsage.objects.create(key=key, day=timezone.now().date(), calls=4711)
    page = reverse("admin:accounts_apikey_change", args=[key.pk])
    assert "4711" in client.get(page).content.decode()
    change = {"plan": made.pk, "allowed_networks": "203.0.113.0/24\n198.51.100.7"}
    change |= {"usage-TOTAL_FORMS": "0", "usage-INITIAL_FORMS": "0"}
    assert client.post(page, change).status_code == 302
    key.refresh_from_db()
    assert (key.plan, key.name) == (made, "Erp")
    assert key.allowed_networks == ["198.51.100.7/32", "203.0.113.0/24"]
    assert AuditEntry.objects.get(action="change_api_key").changes == {
        "plan": ["Small", "Large"],
        "allowed_networks": [[], ["198.51.100.7/32", "203.0.113.0/24"]],
    }
    client.post(page, {**change, "allowed_networks": "here"})
    assert ApiKey.objects.get().allowed_networks == key.allowed_networks
