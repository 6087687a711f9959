"""The address book."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core.addresses import FIELDS, clean_address
from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.customers.models import Address, Customer

MAX_ADDRESSES = 50
DEFAULTS = ("is_default_shipping", "is_default_billing")


class TooManyAddresses(Conflict):
    code = "too_many_addresses"
    message = _("The address book is full; delete an address first.")


@transaction.atomic
def add_address(*, customer: Customer, data: Mapping[str, Any]) -> Address:
    """A new entry, in its country's form; raises InvalidAddress and TooManyAddresses.

    `data` holds the fields of `core.addresses` and the two defaults, each of which leaves the
    customer's other addresses.
    """
    address = Address(customer=customer, **clean_address(data), **_defaults(data))
    _lock(customer)
    if customer.addresses.count() >= MAX_ADDRESSES:
        raise TooManyAddresses()
    _take_defaults(address)
    address.save()
    return address


@transaction.atomic
def update_address(*, address: Address, data: Mapping[str, Any]) -> Address:
    """Change the fields in `data`; the whole must fit its country again (InvalidAddress)."""
    whole = {name: getattr(address, name) for name in FIELDS} | dict(data)
    for name, value in (clean_address(whole) | _defaults(data)).items():
        setattr(address, name, value)
    _lock(address.customer)
    _take_defaults(address)
    address.save()
    return address


@transaction.atomic
def delete_address(*, address: Address) -> None:
    """Remove an entry; orders keep their own copy."""
    address.delete()


def _defaults(data: Mapping[str, Any]) -> dict[str, bool]:
    return {name: bool(data[name]) for name in DEFAULTS if name in data}


def _lock(customer: Customer) -> None:
    locked(Customer.objects.filter(pk=customer.pk)).first()


def _take_defaults(address: Address) -> None:
    others = Address.objects.filter(customer_id=address.customer_id).exclude(pk=address.pk)
    for name in DEFAULTS:
        if getattr(address, name):
            others.filter(**{name: True}).update(**{name: False})
