"""Two customers who are one person."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone

from apps.checkout.models import Cart
from apps.core.models import AuditEntry
from apps.core.money import Money
from apps.customers.models import Customer
from apps.customers.selectors import duplicates_of
from apps.customers.services import merging
from apps.customers.services.profile import set_tags
from apps.customers.services.timeline import add_note
from apps.orders.models import Order
from apps.payments.models import SavedMethod, StoreCredit, StoredValue
from apps.payments.selectors import store_credit_of
from apps.payments.services import grant_store_credit
from apps.reviews.models import Review
from apps.wishlists.models import RecentView, Wishlist, WishlistItem
from tests.backoffice.conftest import Staff, order, staff
from tests.factories.accounts import UserFactory
from tests.factories.customers import AddressFactory, CustomerFactory
from tests.factories.payments import SavedMethodFactory
from tests.factories.products import ProductFactory
from tests.factories.reviews import ReviewFactory
from tests.flows.conftest import buyer, shop

__all__ = ["buyer", "order", "shop", "staff"]

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]
URL = "/api/v1/admin/customers"


def _unique_sets(model: type[models.Model]) -> Iterator[set[str]]:
    for constraint in model._meta.constraints:
        if isinstance(constraint, models.UniqueConstraint):
            yield set(constraint.fields)
    yield from map(set, model._meta.unique_together)
    yield from ({field.name} for field in model._meta.local_fields if field.unique)


def test_whatever_is_unique_per_customer_says_how_it_moves():
    unhandled = [
        str(field)
        for field in merging.references()
        if any(field.name in names for names in _unique_sets(field.model))
        and not merging.has_move(field.model)
    ]
    assert unhandled == []


def test_every_reference_is_found():
    pointing = {
        field
        for model in apps.get_models(include_auto_created=True)
        for field in model._meta.local_fields
        if field.related_model is Customer
    }
    assert set(merging.references()) == pointing


@pytest.fixture
def twin(db: None) -> Customer:
    """The shopper again, as a guest."""
    return CustomerFactory(
        user=None, email="Shopper+news@example.com", phone="+34600000001", first_name="Sam"
    )


def test_everything_moves_and_the_other_is_gone(as_merchant, order: Order, shopper, twin, drain):
    kept = shopper.customer
    Order.objects.update(customer=twin)
    Cart.objects.update(customer=twin)
    AddressFactory(customer=twin, line1="Calle Nueva 2", is_default_shipping=True)
    add_note(customer=twin, message="Rings twice.")
    set_tags(customer=twin, tags=["VIP"])
    set_tags(customer=kept, tags=["vip", "loyal"])
    url = f"{URL}/{kept.public_id}/merge/"
    preview = as_merchant.post(f"{url}preview/", {"other": str(twin.public_id)}).json()
    assert preview == {
        "rows": {
            "checkout.cart": 1,
            "customers.address": 1,
            "customers.customerevent": 2,
            "orders.order": 1,
        }
    }
    answer = as_merchant.post(url, {"other": str(twin.public_id)})
    assert answer.status_code == 200
    assert (answer.json()["email"], answer.json()["phone"], answer.json()["tags"]) == (
        "shopper@example.com",
        "+34600000001",
        ["loyal", "VIP"],
    )
    assert [row["is_default_shipping"] for row in answer.json()["addresses"]] == [True]
    assert not Customer.objects.filter(pk=twin.pk).exists()
    assert Order.objects.get().customer == kept
    entry = AuditEntry.objects.get(action="customer.merge")
    assert (entry.changes["email"], entry.changes["moved"]) == ("•••", preview["rows"])
    drain()
    assert kept.figures.get().orders == 1
    assert kept.timeline.filter(kind="note").count() == 1


def test_customers_with_accounts_are_not_merged_away(as_merchant, shopper, stranger, twin):
    ids = [str(one.public_id) for one in (shopper.customer, stranger.customer, twin)]
    for kept, other, status, code in (
        (ids[0], ids[1], 409, "account_would_be_lost"),
        (ids[2], ids[0], 409, "account_would_be_lost"),
        (ids[0], ids[0], 400, "same_customer"),
        (ids[0], "0192d8d0-0000-7000-8000-000000000000", 404, "not_found"),
    ):
        for path in ("merge/", "merge/preview/"):
            answer = as_merchant.post(f"{URL}/{kept}/{path}", {"other": other})
            assert (answer.status_code, answer.json()["code"]) == (status, code)
    assert Customer.objects.count() == 3


def test_store_credit_adds_up_by_the_ledger(shopper, twin, merchant):
    kept = shopper.customer
    for customer, amount, currency in (
        (kept, 1000, "EUR"),
        (twin, 250, "EUR"),
        (twin, 700, "USD"),
        (kept, 5, "GBP"),
    ):
        grant_store_credit(customer=customer, amount=Money(amount, currency), reason="Sorry")
    merging.merge_customers(kept=kept, merged=twin)
    accounts = {(a.currency, a.account_key): a.balance for a in store_credit_of(kept)}
    assert accounts == {
        ("EUR", f"{kept.pk}:EUR"): 1250,
        ("EUR", None): 0,
        ("USD", f"{kept.pk}:USD"): 700,
        ("GBP", f"{kept.pk}:GBP"): 5,
    }
    assert StoredValue.objects.filter(customer=None).count() == 0
    grant_store_credit(customer=kept, amount=Money(1, "USD"), reason="Once more")
    assert StoreCredit.objects.get(account_key=f"{kept.pk}:USD").balance == 701


def test_default_address_and_card_stay_those_of_the_one_who_is_kept(shopper, twin):
    kept = shopper.customer
    own = AddressFactory(customer=kept, is_default_billing=True)
    AddressFactory(customer=twin)
    AddressFactory(customer=twin, line1="Other 1", is_default_billing=True)
    for customer in (kept, twin):
        SavedMethodFactory(customer=customer, is_default=True)
    merging.merge_customers(kept=kept, merged=twin)
    # What both had stands there once.
    assert kept.addresses.count() == 2
    assert kept.addresses.get(is_default_billing=True) == own
    assert SavedMethod.objects.filter(customer=kept).count() == 2
    assert SavedMethod.objects.filter(customer=kept, is_default=True).count() == 1


def test_wishes_views_and_reviews_are_there_once(store, shopper, twin):
    kept = shopper.customer
    both, new = ProductFactory(), ProductFactory()
    for customer in (kept, twin):
        wishes = Wishlist.objects.create(customer=customer, name="Mine")
        WishlistItem.objects.create(wishlist=wishes, product=both)
        RecentView.objects.create(customer=customer, store=store, product=both, at=timezone.now())
        ReviewFactory(customer=customer, product=both, store=store)
    WishlistItem.objects.create(wishlist=wishes, product=new)
    Wishlist.objects.create(customer=twin, name="Party")
    ReviewFactory(customer=twin, product=new, store=store)
    merging.merge_customers(kept=kept, merged=twin)
    names = {w.name: {i.product for i in w.items.all()} for w in kept.wishlists.all()}
    assert names == {"Mine": {both, new}, "Party": set()}
    assert RecentView.objects.get().customer == kept
    assert set(Review.objects.values_list("customer", "product")) == {
        (kept.pk, both.pk),
        (None, both.pk),
        (kept.pk, new.pk),
    }


@pytest.mark.parametrize(
    ("one", "other", "reasons"),
    [
        ({"email": "ana.diaz@gmail.com"}, {"email": "AnaDiaz+x@googlemail.com"}, ["email"]),
        ({"email": "ana@example.com"}, {"email": "ANA+shop@example.com"}, ["email"]),
        ({"email": "ana@example.com"}, {"email": "anaconda@example.com"}, None),
        ({"email": "ana@example.com"}, {"email": "ana@example.org"}, None),
        ({"phone": "+34600000001"}, {"phone": "+34600000001"}, ["phone"]),
        ({"phone": ""}, {"phone": ""}, None),
    ],
)
def test_duplicates_are_found(one, other, reasons):
    customer = CustomerFactory(user=None, **one)
    twin = CustomerFactory(user=None, **other)
    assert duplicates_of(customer) == ({twin: reasons} if reasons else {})
    assert duplicates_of(twin) == ({customer: reasons} if reasons else {})


def test_duplicates_live_at_one_address_under_one_name(as_merchant, guest):
    AddressFactory(customer=guest)
    same = AddressFactory(line1="CALLE MAYOR 1", customer__user=UserFactory()).customer
    AddressFactory(first_name="Another", customer__user=None)
    found = as_merchant.get(f"{URL}/{guest.public_id}/duplicates/").json()["duplicates"]
    assert [(row["customer"]["id"], row["reasons"]) for row in found] == [
        (str(same.public_id), ["address"])
    ]


def test_staff_see_what_moves_before_they_merge(staff: Staff, shopper, twin):
    AddressFactory(customer=twin)
    kept = shopper.customer
    page = staff.get(f"/admin/customers/customer/{kept.pk}/do/merge/").text
    assert twin.email in page
    looked = staff.do(kept, "merge", other=twin.email)
    assert "1 addresses" in looked.text
    assert Customer.objects.filter(pk=twin.pk).exists()
    done = staff.do(kept, "merge", other=twin.email, seen=str(twin.public_id))
    assert done.status_code == 302
    assert not Customer.objects.filter(pk=twin.pk).exists()


@pytest.mark.parametrize("named", ["nobody@example.com", "stranger@example.com", "x"])
def test_staff_are_told_what_cannot_be_merged(staff: Staff, shopper, stranger, named):
    answer = staff.do(shopper.customer, "merge", other=named, seen="")
    assert answer.status_code == 200
    assert Customer.objects.count() == 2
