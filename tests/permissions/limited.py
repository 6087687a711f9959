"""Staff who are limited, and what is hidden from them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from django.contrib.auth.models import Group
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.inventory.models import LocationLimit
from apps.stores.models import StoreLimit
from tests.factories.accounts import StaffFactory
from tests.factories.inventory import LocationFactory
from tests.factories.stores import StoreFactory
from tests.permissions.cast import bearer, key_of
from tests.permissions.matrix import MERCHANTS, PEOPLE_ONLY
from tests.permissions.operations import Operation, operations

# An API key acts as its user.
PERSONAS = ("store", "location", "key")
# What the merchant has once for all stores, by the beginning of its address.
COMMON = tuple(
    f"/admin/{name}/"
    for name in (
        "api-plans attributes brands categories collections customer-groups customer-tags customers"
        " duty-rates duty-thresholds exchange-rates holidays images order-tags price-lists"
        " product-types products promotions segments shipping-zones tags tax-classes"
        " tax-exemptions tax-rates variants vat-checks"
    ).split()
)
# What lies at a location, leaves it or comes back to it.
PLACED = tuple(
    f"/admin/{name}/"
    for name in "fulfillments imports inventory/movements locations returns".split()
)
# What no store can be told of is its maker's.
MADE = tuple(
    f"/admin/{name}/"
    for name in (
        "api-keys notifications/history notifications/stats orders/bulk orders/exports"
        " orders/export-runs print-jobs webhook-deliveries webhook-endpoints"
    ).split()
)


@dataclass(frozen=True)
class Limited:
    """Somebody with all rights of an owner who sees one store or one location, where nothing is."""

    kind: str
    user: User
    client: APIClient
    is_machine: bool = False

    def hides(self, path: str) -> bool:
        if path.startswith(MADE):
            return True
        if self.kind == "location":
            return path.startswith(PLACED)
        return not path.startswith((*COMMON, "/admin/inventory/", "/admin/locations/"))

    def may_call(self) -> Iterator[Operation]:
        for operation in operations():
            is_refused = self.is_machine and operation.key in PEOPLE_ONLY
            if operation.key in MERCHANTS and not is_refused:
                yield operation

    def tried(self) -> list[Operation]:
        """The operations on one row that is hidden."""
        return [o for o in self.may_call() if "{" in o.path and self.hides(o.path)]

    def listed(self) -> list[Operation]:
        """The lists whose rows are hidden, and what counts them; last what writes that it ran."""
        found = (o for o in self.may_call() if "{" not in o.path and o.method == "GET")
        hidden = [o for o in found if self.hides(o.path)]
        return sorted(hidden, key=lambda o: o.path.endswith("/export/"))


def limited(persona: str) -> Limited:
    user = StaffFactory(email="limited@staff.example.com")
    user.groups.add(Group.objects.get(name="owner"))
    if persona == "location":
        LocationLimit.objects.create(user=user, location=LocationFactory(code="third"))
    else:
        StoreLimit.objects.create(user=user, store=StoreFactory(code="other"))
    user = User.objects.get(pk=user.pk)
    if persona != "key":
        return Limited(persona, user, bearer(user))
    rights = {name for name in MERCHANTS.values() if user.has_perm(name)}
    return Limited("store", user, key_of(user, *rights), is_machine=True)
