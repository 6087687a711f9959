"""How people ask for a copy of their data, and to be forgotten."""

from __future__ import annotations

import re
from zipfile import ZipFile

import pytest
from django.core import mail
from django.core.management import call_command
from django.utils import timezone

from apps.accounts.models import User
from apps.accounts.services.recovery import DeadLink
from apps.core import outbox
from apps.core.models import AuditEntry
from apps.customers.models import Customer, ErasureRequest, PersonalExport
from apps.customers.services import erasing, exporting, people
from apps.customers.tasks import run_exports
from apps.notifications.services import send_due
from apps.orders.models import Order
from tests.factories.customers import AddressFactory, CustomerFactory
from tests.flows.conftest import Buyer, build_shop

pytestmark = pytest.mark.django_db
PASSWORD = "correct horse battery staple"
ME = "/api/v1/me/"


@pytest.fixture
def known(shopper):
    shopper.set_password(PASSWORD)
    shopper.save()
    return shopper


@pytest.fixture
def order_of(store, client_for):
    """An order of one mug by somebody."""
    build_shop(store)

    def order(user: User) -> Order:
        buyer = Buyer(client_for(user))
        buyer.fill(("MUG", 1), email=user.email)
        answer = buyer.checkout()
        assert answer.status_code == 201, answer.json()
        return Order.objects.get(number=answer.json()["order"]["number"])

    return order


def _links() -> list[str]:
    outbox.drain()
    run_exports()
    send_due()
    return re.findall(r"https?://[^/\s]+(/privacy/\S+)", "".join(m.body for m in mail.outbox))


def test_the_password_is_asked_before_an_account_is_erased(known, client_for):
    api = client_for(known)
    wrong = api.delete(ME, {"password": "something else"})
    assert (wrong.status_code, wrong.json()["code"]) == (400, "wrong_password")
    missing = api.delete(ME, {})
    assert (missing.status_code, missing.json()["code"]) == (400, "wrong_password")
    assert ErasureRequest.objects.count() == 0

    assert api.delete(ME, {"password": PASSWORD}).status_code == 204

    assert api.get(ME).status_code == 401
    sign_in = {"email": known.email, "password": PASSWORD}
    assert api.post("/api/v1/auth/token/", sign_in).status_code == 401


def test_the_second_factor_is_asked_too(known, client_for):
    api = client_for(known)
    User.objects.filter(pk=known.pk).update(has_second_factor=True)
    refused = api.delete(ME, {"password": PASSWORD})
    assert (refused.status_code, refused.json()["code"]) == (401, "second_factor_required")
    refused = api.delete(ME, {"password": PASSWORD, "code": "000000"})
    assert (refused.status_code, refused.json()["code"]) == (400, "wrong_code")
    assert ErasureRequest.objects.count() == 0


def test_who_has_no_password_is_asked_for_none(known, client_for, client, store):
    """Who signs in by a passkey or an account elsewhere."""
    known.set_unusable_password()
    known.save()
    client.force_login(known)
    assert 'name="password"' not in client.get("/account/erase/").text
    assert client_for(known).delete(ME, {}).status_code == 204
    known.refresh_from_db()
    assert not known.is_active


def test_staff_are_not_erased(merchant, as_merchant):
    merchant.set_password(PASSWORD)
    merchant.save()
    with pytest.raises(people.StaffAccount):
        erasing.erase_me(customer=CustomerFactory(user=merchant), password=PASSWORD)
    assert User.objects.get(pk=merchant.pk).is_active


def test_who_asked_is_listed_nowhere_at_once(known, as_merchant):
    erasing.request_erasure(customer=known.customer)
    listed = as_merchant.get("/api/v1/admin/customers/").json()["results"]
    assert listed == []
    url = f"/api/v1/admin/customers/{known.customer.public_id}/"
    assert as_merchant.get(url).status_code == 404


def test_an_open_order_keeps_what_it_needs_until_it_is_over(known, order_of):
    order = order_of(known)
    AddressFactory(customer=known.customer)
    request = erasing.request_erasure(customer=known.customer)

    assert not erasing.erase(request=request)

    request.refresh_from_db()
    order.refresh_from_db()
    assert request.waits_for == ["orders.order"]
    assert order.shipping_address["last_name"] == "García"
    assert (known.customer.addresses.count(), User.objects.count()) == (0, 0)
    assert Customer.objects.get().email == ""

    type(order).objects.update(status="completed")
    assert erasing.erase(request=request)
    order.refresh_from_db()
    assert (order.email, order.customer_note) == ("", "")
    # The sale is a book of the business.
    assert order.billing_address["last_name"] == "García"
    kept = request.kept.get(model="orders.order")
    year = timezone.now().year
    assert (kept.row, kept.reason, kept.until.isoformat()) == (order.pk, "tax", f"{year + 6}-12-31")


def test_one_that_fails_does_not_stop_the_others(known, guest, monkeypatch):
    erasing.request_erasure(customer=known.customer)
    erasing.request_erasure(customer=guest)
    real = erasing.erase

    def once(*, request):
        if request.customer_id == known.customer.pk:
            raise RuntimeError(known.email)
        return real(request=request)

    monkeypatch.setattr(erasing, "erase", once)
    assert erasing.run_erasures() == 1
    monkeypatch.undo()
    assert erasing.run_erasures() == 1


def test_a_strangers_rows_stay(known, stranger, order_of):
    theirs = order_of(stranger)
    AddressFactory(customer=stranger.customer)
    erasing.erase(request=erasing.request_erasure(customer=known.customer))
    theirs.refresh_from_db()
    assert theirs.email == stranger.email
    assert stranger.customer.addresses.count() == 1
    assert User.objects.filter(pk=stranger.pk, is_active=True).exists()


def test_an_unproved_address_opens_no_guests_data(guest, known):
    """Somebody made an account with a guest's address: it isn't theirs."""
    known.email = known.customer.email = guest.email
    known.save()
    known.customer.save()
    person = people.person_of(known.customer)
    assert (person.customers, person.emails) == ((known.customer.pk,), ())


def test_a_copy_is_mailed_as_a_link_that_ends(known, client_for, client, store):
    api = client_for(known)
    assert api.post("/api/v1/me/export/").status_code == 204
    [link] = _links()

    answer = client.get(link)

    run = PersonalExport.objects.get()
    assert answer["Content-Disposition"] == 'attachment; filename="my-data.zip"'
    with run.file.open("rb") as file, ZipFile(file) as archive:
        assert known.email in archive.read("data.json").decode()
        assert "index.html" in archive.namelist()
    assert client.get(link.replace("copy/0", "copy/1")).status_code == 404
    PersonalExport.objects.update(expires_at=timezone.now())
    assert client.get(link).status_code == 404
    assert exporting.prune_exports() == 1
    assert not run.file.storage.exists(run.file.name)


def test_copies_are_limited(known, client_for, store):
    api = client_for(known)
    codes = [api.post("/api/v1/me/export/").status_code for _n in range(4)]
    assert codes == [204, 204, 204, 429]


def test_a_guest_proves_the_address_and_is_forgotten(guest, api, client, store):
    asked = {"email": guest.email, "wish": "erase"}
    assert api.post("/api/v1/privacy/requests/", asked).status_code == 204
    unknown = {"email": "nobody@example.org", "wish": "erase"}
    assert api.post("/api/v1/privacy/requests/", unknown).status_code == 204
    [link] = _links()
    assert [m.to for m in mail.outbox] == [[guest.email]]
    assert client.get(link).status_code == 200
    assert ErasureRequest.objects.count() == 0

    assert client.post(link).status_code == 302

    assert erasing.run_erasures() == 2
    guest.refresh_from_db()
    assert (guest.email, guest.first_name) == ("", "")
    with pytest.raises(DeadLink):
        people.read_wish("made-up")


def test_a_mailbox_alone_does_not_close_an_account(known, store):
    [request] = erasing.request_erasure_at(email=known.email)
    assert erasing.erase(request=request)
    known.refresh_from_db()
    assert known.is_active
    assert Customer.objects.get(user=known).email == known.email


def test_commands_write_a_copy_and_erase(known, tmp_path, capsys):
    call_command("export_person", known.email, output=tmp_path / "a.zip")
    assert known.email in ZipFile(tmp_path / "a.zip").read("data.json").decode()
    call_command("erase_person", known.email)
    assert "erased" in capsys.readouterr().out
    assert not User.objects.filter(pk=known.pk).exists()
    assert known.email not in str(list(AuditEntry.objects.values()))


def test_who_comes_back_with_a_backup_is_erased_again(known, guest, tmp_path, capsys):
    erasing.request_erasure(customer=known.customer)
    erasing.request_erasure_at(email=guest.email)
    erasing.run_erasures()
    call_command("erasures", export=tmp_path / "erased")
    # The backup is older than both.
    ErasureRequest.objects.all().delete()
    Customer.objects.filter(pk=known.customer.pk).update(email="back@example.com", erased_at=None)
    Customer.objects.filter(pk=guest.pk).update(email="guest@example.com", erased_at=None)
    other = CustomerFactory(email="other@example.com")

    call_command("reerase", tmp_path / "erased")

    assert "3 came back, 3 erased" in capsys.readouterr().out
    emails = set(Customer.objects.values_list("email", flat=True))
    assert emails == {"", other.email}


def test_the_shops_pages_ask_for_both(known, client, store):
    client.force_login(known)
    assert client.get("/privacy/").status_code == 200
    assert client.post("/account/copy/").status_code == 302
    assert PersonalExport.objects.count() == 1
    assert client.get("/account/erase/").status_code == 200
    assert client.post("/account/erase/", {"password": "wrong"}).status_code == 400
    assert client.post("/account/erase/", {"password": PASSWORD}).status_code == 302
    assert client.get("/account/").status_code == 302
    page = client.get("/privacy/")
    assert page.status_code == 200
    assert client.post("/privacy/", {"email": "a@example.com", "wish": "export"}).status_code == 302
