"""The back office's pages of customers."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.customers.models import Customer, CustomerGroup
from tests.factories.customers import AddressFactory, CustomerFactory, CustomerGroupFactory


@pytest.fixture
def as_owner(client, merchant):
    client.force_login(merchant)
    return client


def form_of(customer, *addresses, **changes):
    data = {
        "email": customer.email,
        "phone": "",
        "first_name": "Pat",
        "last_name": "Person",
        "language": "en",
        "note": "",
        "addresses-TOTAL_FORMS": len(addresses),
        "addresses-INITIAL_FORMS": 0,
        "saved_methods-TOTAL_FORMS": 0,
        "saved_methods-INITIAL_FORMS": 0,
    }
    for number, address in enumerate(addresses):
        data |= {f"addresses-{number}-{name}": value for name, value in address.items()}
    return data | changes


MADRID = {
    "last_name": "López",
    "line1": "Calle Mayor 1",
    "city": "Madrid",
    "region": "Madrid",
    "postal_code": "28013",
    "country": "ES",
}


def save(client, customer, *addresses, **changes):
    url = reverse("admin:customers_customer_change", args=[customer.pk])
    assert client.get(url).status_code == 200
    return client.post(url, form_of(customer, *addresses, **changes))


def test_customer_gets_a_group_and_an_address(as_owner):
    customer, group = CustomerFactory(), CustomerGroupFactory()
    response = save(as_owner, customer, MADRID, group=group.pk, phone="+34 912 345 678")
    assert response.status_code == 302
    customer.refresh_from_db()
    assert (customer.group, customer.phone) == (group, "+34912345678")
    assert [(a.region, a.city) for a in customer.addresses.all()] == [("M", "Madrid")]


def test_customer_address_that_does_not_fit_its_country_is_refused(as_owner):
    customer = CustomerFactory()
    response = save(as_owner, customer, MADRID | {"postal_code": "1"})
    assert response.status_code == 200
    errors = response.context["inline_admin_formsets"][0].formset.errors
    assert list(errors[0]) == ["postal_code"]
    assert not customer.addresses.exists()


def test_customer_has_one_default_address(as_owner):
    default = MADRID | {"is_default_billing": "on"}
    response = save(as_owner, CustomerFactory(), default, default)
    assert "Only one address can be the default." in response.content.decode()


def test_customer_phone_without_country_is_refused(as_owner):
    response = save(as_owner, CustomerFactory(), phone="912345678")
    assert list(response.context["adminform"].form.errors) == ["phone"]


def test_group_with_customers_is_not_deleted(as_owner):
    used, free = CustomerGroupFactory(), CustomerGroupFactory()
    CustomerFactory(group=used)
    for group, status in ((used, 403), (free, 302)):
        url = reverse("admin:customers_customergroup_delete", args=[group.pk])
        assert as_owner.post(url, {"post": "yes"}).status_code == status
    as_owner.post(
        reverse("admin:customers_customergroup_changelist"),
        {"action": "delete_selected", "_selected_action": [used.pk], "post": "yes"},
    )
    assert list(CustomerGroup.objects.all()) == [used]


@pytest.mark.parametrize("size", [1, 10])
def test_customer_list_costs_the_same_for_any_number(as_owner, size, django_assert_max_num_queries):
    for _ in range(size):
        AddressFactory(customer=CustomerFactory(group=CustomerGroupFactory()))
    with django_assert_max_num_queries(10):
        page = as_owner.get(reverse("admin:customers_customer_changelist"), {"q": "pat"})
    assert page.status_code == 200
    assert page.context["cl"].result_count == size == Customer.objects.count()
