"""Invoices in the back office."""

from __future__ import annotations

import pytest

from apps.core import outbox
from apps.invoices.models import Invoice, InvoiceBatch, InvoiceSettings
from apps.stores.models import Store
from tests.backoffice.conftest import Staff
from tests.invoices.conftest import paid

pytestmark = pytest.mark.usefixtures("invariants")
LIST = "/admin/invoices/invoice/"


@pytest.fixture
def staff(merchant):
    browser = Staff()
    browser.force_login(merchant)
    return browser


def test_papers_are_found_by_number_buyer_order_store_and_year(buyer, staff):
    order = paid(buyer)
    invoice = order.invoices.get()
    for query, number in (
        ({}, 1),
        ({"q": invoice.number[:9]}, 1),
        ({"q": "García"}, 1),
        ({"q": order.number}, 1),
        ({"q": "Nobody"}, 0),
        ({"year": invoice.year}, 1),
        ({"kind__exact": "credit_note"}, 0),
        ({"store__id__exact": order.store_id}, 1),
    ):
        page = staff.get(LIST, query)
        assert (page.status_code, page.context["cl"].result_count) == (200, number), query


def test_list_costs_the_same_however_long_it_is(buyer, staff, django_assert_num_queries):
    paid(buyer, ("BOOK", 1))
    staff.get(LIST)
    for _number in range(2):
        # Who it is and may; the saved views; the filters; the page and its count.
        with django_assert_num_queries(11):
            staff.get(LIST)
        paid(buyer, ("BOOK", 2))


def test_paper_is_downloaded_and_never_changed(buyer, staff):
    invoice = paid(buyer).invoices.get()
    assert "€48.95" in staff.page(invoice)
    assert staff.get(f"{LIST}{invoice.pk}/file/pdf/").content.startswith(b"%PDF-")
    assert staff.get(f"{LIST}{invoice.pk}/file/xml/")["Content-Type"] == "application/xml"
    assert staff.get(f"{LIST}{invoice.pk}/file/html/").status_code == 404
    assert staff.post(f"{LIST}{invoice.pk}/change/", {"total": "1"}).status_code == 403
    assert staff.get(f"{LIST}add/").status_code == 403


def test_order_is_invoiced_and_issued_anew_by_buttons(buyer, shop, staff):
    InvoiceSettings.objects.update(issue_on="manual")
    order = paid(buyer)
    staff.do(order, "invoice")
    invoice = order.invoices.get()
    assert invoice.number in staff.page(order)
    staff.do(order, "reissue", reason="Typing error")
    kinds = order.invoices.order_by("pk").values_list("kind", flat=True)
    assert list(kinds) == ["invoice", "credit_note", "invoice"]


def test_many_are_one_pdf_with_progress(buyer, staff):
    rows = [paid(buyer, ("BOOK", 1)).invoices.get() for _number in range(2)]
    answer = staff.list_action(rows, "one_pdf")
    batch = InvoiceBatch.objects.get()
    assert answer.redirect_chain == [(f"{LIST}batches/{batch.pk}/", 302)]
    page = answer.content.decode()
    assert 'http-equiv="refresh"' in page
    assert "0 of 2 papers" in page
    assert staff.get(f"{LIST}batches/{batch.pk}/file/").status_code == 404
    outbox.drain()
    page = staff.get(f"{LIST}batches/{batch.pk}/").content.decode()
    assert 'http-equiv="refresh"' not in page
    file = staff.get(f"{LIST}batches/{batch.pk}/file/")
    assert next(iter(file.streaming_content)).startswith(b"%PDF-")


def test_accountant_gets_a_sheet(buyer, staff):
    invoice = paid(buyer).invoices.get()
    answer = staff.list_action([invoice], "export_csv")
    lines = b"".join(answer.streaming_content).decode().splitlines()
    assert lines[0].startswith("number,kind,issued_on,store__code,order__number")
    assert lines[1].startswith(f"{invoice.number},invoice,{invoice.issued_on},main,")


def test_settings_need_a_seller_and_issue_what_is_missing(buyer, shop, staff):
    InvoiceSettings.objects.all().delete()
    order = paid(buyer)
    form = {"store": shop.store.pk, "issue_on": "paid", "due_days": 14}
    Store.objects.update(legal_name="")
    page = staff.post("/admin/invoices/invoicesettings/add/", form).content.decode()
    assert "legal name and address" in page
    Store.objects.update(legal_name="Tazas S.L.")
    assert staff.post("/admin/invoices/invoicesettings/add/", form).status_code == 302
    staff.do(InvoiceSettings.objects.get(), "missing")
    assert Invoice.objects.get().order == order
