"""Invoices by the API: a customer's own, a guest's by token, the merchant's."""

from __future__ import annotations

import pytest
from rest_framework.test import APIClient

from apps.invoices.models import InvoiceSettings
from tests.flows.conftest import Buyer
from tests.invoices.conftest import paid

pytestmark = pytest.mark.usefixtures("invariants")


def eur(amount: str) -> dict[str, str]:
    return {"amount": amount, "currency": "EUR"}


def test_guest_finds_the_invoice_by_the_orders_token(buyer, api, as_stranger):
    order = paid(buyer)
    url = f"/api/v1/orders/{order.number}/invoices/"
    assert api.get(url).status_code == 404
    assert as_stranger.get(url, {"token": "x"}).status_code == 404
    [row] = api.get(url, {"token": order.token}).json()["results"]
    invoice = order.invoices.get()
    assert row == {
        "id": str(invoice.public_id),
        "kind": "invoice",
        "number": invoice.number,
        "issued_on": invoice.issued_on.isoformat(),
        "due_on": invoice.issued_on.isoformat(),
        "order": order.number,
        "corrects": None,
        "reason": "",
        "net": eur("43.15"),
        "tax": eur("5.80"),
        "total": eur("48.95"),
        "taxes": [
            {"name": "IVA 21 %", "percent": "21", "base": eur("23.92"), "amount": eur("5.03")},
            {"name": "IVA 4 %", "percent": "4", "base": eur("19.23"), "amount": eur("0.77")},
        ],
        "tax_note": "",
    }
    file = f"{url}{row['id']}/pdf/"
    assert api.get(file).status_code == 404
    response = api.get(file, {"token": order.token}, HTTP_ACCEPT="application/pdf")
    assert (response.status_code, response["Content-Type"]) == (200, "application/pdf")
    assert response["Content-Disposition"] == f'attachment; filename="{invoice.number}.pdf"'
    assert response.content.startswith(b"%PDF-")
    response = api.get(f"{url}{row['id']}/xml/", {"token": order.token})
    assert (response["Content-Type"], response.content[:5]) == ("application/xml", b"<?xml")


def test_customer_finds_ones_own_and_no_other(shop, as_shopper, as_stranger):
    order = paid(Buyer(as_shopper))
    url = f"/api/v1/orders/{order.number}/invoices/"
    [row] = as_shopper.get(url).json()["results"]
    assert as_stranger.get(url).status_code == 404
    assert as_stranger.get(f"{url}{row['id']}/pdf/").status_code == 404
    # The order is one's own, the invoice is of another.
    other = paid(Buyer(as_stranger))
    wrong = f"/api/v1/orders/{other.number}/invoices/{row['id']}/pdf/"
    assert as_stranger.get(wrong).status_code == 404


def test_merchant_lists_filters_and_downloads(buyer, shop, as_readonly, django_assert_num_queries):
    first, second = paid(buyer), paid(buyer, ("BOOK", 3))
    url = "/api/v1/admin/invoices/"
    # The token's user and session; the permissions; the page.
    as_readonly.get(url)
    with django_assert_num_queries(4):
        rows = as_readonly.get(url).json()["results"]
    assert [row["order"] for row in rows] == [second.number, first.number]
    assert (rows[0]["store"], rows[0]["buyer"]) == ("main", "Ana García")
    year = first.invoices.get().year
    for query, found in (
        ({"year": year}, 2),
        ({"year": year - 1}, 0),
        ({"kind": "credit_note"}, 0),
        ({"order": first.number}, 1),
        ({"search": rows[0]["number"]}, 1),
        ({"store": "main"}, 2),
    ):
        assert len(as_readonly.get(url, query).json()["results"]) == found, query
    one = f"{url}{rows[0]['id']}/"
    assert as_readonly.get(one).json() == rows[0]
    assert as_readonly.get(f"{one}pdf/").content.startswith(b"%PDF-")
    assert as_readonly.get(f"{one}xml/").status_code == 200


def test_staff_issue_by_hand_and_issue_anew(buyer, shop, as_merchant, as_readonly):
    InvoiceSettings.objects.update(issue_on="manual")
    order = paid(buyer)
    url = f"/api/v1/admin/orders/{order.number}/invoices/"
    assert as_merchant.get(url).json() == {"results": []}
    assert as_readonly.post(url).status_code == 403
    for _time in range(2):
        answer = as_merchant.post(url, HTTP_IDEMPOTENCY_KEY="one")
        assert (answer.status_code, len(answer.json()["results"])) == (201, 1)
    assert len(as_merchant.post(url).json()["results"]) == 1
    anew = as_merchant.post(f"{url}reissue/", {"reason": "Typing error"})
    kinds = [(row["kind"], row["reason"]) for row in anew.json()["results"]]
    assert kinds == [("invoice", ""), ("credit_note", "Typing error"), ("invoice", "")]
    assert as_merchant.post(f"{url}reissue/", {}).status_code == 400
    assert as_merchant.get("/api/v1/admin/orders/WEB-0/invoices/").status_code == 404


def test_order_without_anything_to_invoice_says_so(buyer, shop, as_merchant):
    InvoiceSettings.objects.update(issue_on="manual")
    order = paid(buyer)
    as_merchant.post(f"/api/v1/admin/orders/{order.number}/cancel/", {})
    answer = as_merchant.post(f"/api/v1/admin/orders/{order.number}/invoices/")
    assert (answer.status_code, answer.json()["code"]) == (409, "nothing_to_invoice")


def test_order_page_of_the_shop_leads_to_the_papers(buyer, client):
    order = paid(buyer)
    url = f"/orders/{order.number}/"
    page = client.get(url, {"token": order.token}).content.decode()
    invoice = order.invoices.get()
    assert f"Invoice {invoice.number} (PDF)" in page
    address = f"{url}invoices/{invoice.public_id}/"
    assert f'href="{address}?token={order.token}"' in page
    assert client.get(address).status_code == 404
    file = client.get(address, {"token": order.token})
    assert (file["Content-Type"], file.content[:5]) == ("application/pdf", b"%PDF-")
    assert "no-cache" in file["Cache-Control"]


def test_api_client_is_nobody(buyer):
    order = paid(buyer)
    assert APIClient().get("/api/v1/admin/invoices/").status_code == 401
    assert order.invoices.count() == 1
