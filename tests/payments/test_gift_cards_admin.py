"""Gift cards and store credit in the back office."""

from __future__ import annotations

import csv
from datetime import UTC, datetime

import pytest
from django.core import mail
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.payments import services
from apps.payments.models import GiftCard, StoreCredit
from apps.payments.selectors import spendable
from tests.factories.payments import gift_card, issue, store_credit

LIST = "/admin/payments/giftcard/"
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants", "store")]


@pytest.fixture
def staff(client, merchant):
    client.force_login(merchant)
    return client


def _form(store, **changes):
    return {
        "once": "page-1",
        "store": store.pk,
        "amount": "25.00",
        "currency": "EUR",
        "number": "1",
        **changes,
    }


def _rows(response):
    text = b"".join(response.streaming_content).decode()
    return list(csv.DictReader(text.splitlines()))


def test_batch_gives_a_file_with_codes_once(staff, store):
    form = _form(store, number="3", expires_on="2027-12-31")
    response = staff.post(f"{LIST}add/", form)
    rows = _rows(response)
    again = staff.post(f"{LIST}add/", form)
    assert "no-store" in response["Cache-Control"]
    assert [(row["amount"], row["currency"]) for row in rows] == [("25.00", "EUR")] * 3
    found = [spendable(row["code"], "EUR", timezone.now()) for row in rows]
    assert len({card.id for card in found}) == 3
    assert {card.expires_at for card in found} == {datetime(2028, 1, 1, tzinfo=UTC)}
    assert again.status_code == 200
    assert "was issued for this reference before" in again.content.decode()
    assert GiftCard.objects.count() == 3


def test_card_for_somebody_is_mailed_and_its_code_not_shown(staff, store, drain):
    response = staff.post(f"{LIST}add/", _form(store, recipient_email="ana@example.com"))
    drain()
    card = GiftCard.objects.get()
    assert response["Location"] == f"{LIST}{card.pk}/change/"
    page = staff.get(response["Location"]).content.decode()
    code = next(x for x in mail.outbox[0].body.splitlines() if "code:" in x).partition(": ")[2]
    assert code[-4:] == card.last4
    assert card.last4 in page
    assert code not in page


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"amount": "0"}, "needs an amount above zero"),
        ({"amount": "1.5", "currency": "JPY"}, "JPY has 0 decimals"),
        ({"number": "2", "recipient_email": "ana@example.com"}, "Only one card can be mailed"),
        ({"number": "1001"}, "1000"),
        ({"expires_on": "2001-01-01"}, "expired already"),
    ],
)
def test_nonsense_is_told_beside_its_field(staff, store, change, text):
    response = staff.post(f"{LIST}add/", _form(store, **change))
    assert response.status_code == 200
    assert text in response.content.decode()
    assert GiftCard.objects.count() == 0


def test_list_shows_what_is_owed_and_costs_the_same_for_more(staff, shopper):
    def queries():
        with CaptureQueriesContext(connection) as seen:
            assert staff.get(LIST).status_code == 200
        return len(seen)

    gift_card(12_345, customer=shopper.customer)
    gift_card(1_500, "JPY")
    queries()
    few = queries()
    for _number in range(20):
        gift_card(customer=shopper.customer)
    assert queries() == few
    page = staff.get(LIST).content.decode()
    assert "€2,123.45" in page
    assert "¥1,500" in page


def test_search_finds_by_last_four(staff):
    card, _other = gift_card(), gift_card()
    listed = staff.get(LIST, {"q": card.last4}).context["cl"].result_list
    assert [row.pk for row in listed] == [card.pk]


def test_page_shows_the_ledger(staff):
    card = gift_card()
    services.adjust(stored_value=card, delta=-2_500, reason="Damaged parcel")
    page = staff.get(f"{LIST}{card.pk}/change/").content.decode()
    assert "Damaged parcel" in page
    assert "-€25.00" in page
    assert "€75.00" in page


def test_buttons_adjust_disable_and_resend(staff, drain):
    card = gift_card(recipient_email="wrong@example.com")
    url = f"{LIST}{card.pk}/do/"
    staff.post(f"{url}adjust/", {"once": "1", "amount": "-25.00", "reason": "Typo"})
    staff.post(f"{url}adjust/", {"once": "1", "amount": "-25.00", "reason": "Typo"})
    staff.post(f"{url}resend/", {"once": "2", "recipient_email": "ana@example.com"})
    staff.post(f"{url}disable/", {"once": "3", "reason": "Stolen"})
    drain()
    card.refresh_from_db()
    assert (card.balance, card.status) == (7_500, "disabled")
    assert mail.outbox[1].to == ["ana@example.com"]
    refused = staff.post(f"{url}adjust/", {"once": "4", "amount": "-75.01", "reason": "Typo"})
    assert "enough left" in refused.content.decode()


def test_customer_gets_store_credit(staff, shopper):
    url = f"/admin/customers/customer/{shopper.customer.pk}/do/store-credit/"
    form = {"once": "1", "amount": "10.50", "currency": "KWD", "reason": "Late parcel"}
    assert staff.post(url, form).status_code == 302
    account = StoreCredit.objects.get()
    assert (account.customer, account.currency, account.balance) == (
        shopper.customer,
        "KWD",
        10_500,
    )
    assert staff.get("/admin/payments/storecredit/").status_code == 200
    page = staff.get(f"/admin/payments/storecredit/{account.pk}/change/").content.decode()
    assert "Late parcel" in page


def test_lists_are_kept_apart(staff, shopper):
    card, account = issue().card, store_credit(shopper.customer)
    assert staff.get(f"{LIST}{account.pk}/change/").status_code == 302
    assert staff.get(f"/admin/payments/storecredit/{card.pk}/change/").status_code == 302


def test_readonly_staff_see_and_change_nothing(client, readonly_staff, store):
    client.force_login(readonly_staff)
    card = gift_card()
    assert client.get(f"{LIST}{card.pk}/change/").status_code == 200
    assert client.get(f"{LIST}add/").status_code == 403
    assert client.post(f"{LIST}add/", _form(store)).status_code == 403
    assert client.post(f"{LIST}{card.pk}/do/disable/", {"once": "1"}).status_code == 403
