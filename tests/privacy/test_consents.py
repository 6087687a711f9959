"""Cookies are refused as easily as accepted, and what was said is evidence."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.customers.models import Consent
from apps.customers.services import consents
from apps.customers.services.registration import open_account
from tests.flows.conftest import build_shop

pytestmark = pytest.mark.django_db
CONSENTS = "/api/v1/consents/"


def _said() -> list[tuple[str, bool]]:
    return list(Consent.objects.order_by("pk").values_list("category", "given"))


@pytest.mark.parametrize(
    ("form", "statistics", "marketing"),
    [
        ({"act": "accept"}, True, True),
        ({"act": "refuse"}, False, False),
        ({"act": "choose", "allow": ["statistics"]}, True, False),
        ({"act": "choose"}, False, False),
        ({"act": "refuse", "allow": ["statistics", "marketing"]}, False, False),
        ({}, False, False),
    ],
)
def test_the_banner_asks_until_a_choice_is_made(client, store, form, statistics, marketing):
    build_shop(store)
    asked = client.get("/").content.decode()
    accept, refuse = (f'class="second" name="act" value="{act}">' for act in ("accept", "refuse"))
    assert asked.count(accept) == asked.count(refuse) == 1

    answer = client.post("/consent/", {**form, "next": "/cart/"})

    assert (answer.status_code, answer.url) == (302, "/cart/")
    assert accept not in client.get("/").content.decode()
    assert _said() == [("statistics", statistics), ("marketing", marketing)]
    choice = client.get(CONSENTS).json()
    assert (choice["statistics"], choice["marketing"]) == (statistics, marketing)
    row = Consent.objects.first()
    assert (row.version, row.page, len(row.visitor), len(row.ip_hash)) == (
        consents.VERSION,
        "/cart/",
        64,
        64,
    )


def test_a_new_text_is_asked_anew(client, store, monkeypatch):
    client.post("/consent/", {"act": "accept"})
    monkeypatch.setattr(consents, "VERSION", "2030-01")
    assert client.get(CONSENTS).json()["decided"] is False
    assert client.get(CONSENTS).json()["statistics"] is False


def test_the_api_keeps_the_choice_and_who_made_it(as_shopper, shopper, store):
    body = {"statistics": True, "marketing": False, "page": "/start"}
    answer = as_shopper.post(CONSENTS, body)
    assert answer.status_code == 200
    visitor = Consent.objects.first().visitor
    assert [c.customer for c in Consent.objects.all()] == [shopper.customer] * 2

    as_shopper.post(CONSENTS, {"statistics": False, "marketing": False})

    assert as_shopper.get(CONSENTS).json() == {
        "version": consents.VERSION,
        "decided": True,
        "statistics": False,
        "marketing": False,
    }
    assert set(Consent.objects.values_list("visitor", flat=True)) == {visitor}


def test_a_forged_cookie_allows_nothing(client, store):
    client.cookies["consent"] = "anything"
    assert client.get(CONSENTS).json()["decided"] is False


def test_offers_by_mail_are_evidence_wherever_they_are_chosen(store, client, as_shopper, shopper):
    user = open_account(
        store=store, email="new@example.com", password="a long pass phrase", accepts_marketing=True
    )
    as_shopper.patch("/api/v1/me/", {"accepts_marketing": True})
    # The same again is no news.
    as_shopper.patch("/api/v1/me/", {"accepts_marketing": True})
    client.force_login(shopper)
    client.post("/account/marketing/", {"act": "unsubscribe"})

    said = Consent.objects.order_by("pk").values_list("customer", "given", "page")
    assert list(said) == [
        (user.customer.pk, True, "registration"),
        (shopper.customer.pk, True, "profile"),
        (shopper.customer.pk, False, "account"),
    ]
    shopper.customer.refresh_from_db()
    assert shopper.customer.accepts_marketing is False


def test_a_mail_program_unsubscribes_with_one_click(client, shopper, store):
    consents.set_marketing(customer=shopper.customer, given=True)
    link = consents.unsubscribe_url(shopper.customer).partition("://")[2]
    link = link[link.index("/") :]
    assert client.get(link).status_code == 200
    strict = type(client)(enforce_csrf_checks=True)

    assert strict.post(link, {"List-Unsubscribe": "One-Click"}).status_code == 302

    shopper.customer.refresh_from_db()
    assert shopper.customer.accepts_marketing is False
    assert client.post(reverse("shop:unsubscribe", args=["made-up"])).status_code == 404


def test_staffs_change_is_evidence_too(client, merchant, shopper):
    client.force_login(merchant)
    url = reverse("admin:customers_customer_change", args=[shopper.customer.pk])
    page = client.get(url).context["adminform"].form
    data = {name: page[name].value() or "" for name in page.fields} | {"accepts_marketing": "on"}
    for inline in ("addresses", "saved_methods", "tax_exemptions"):
        data |= {f"{inline}-{name}_FORMS": 0 for name in ("TOTAL", "INITIAL")}
    assert client.post(url, data).status_code == 302
    shopper.customer.refresh_from_db()
    assert shopper.customer.accepts_marketing is True
    assert _said() == [("email", True)]
