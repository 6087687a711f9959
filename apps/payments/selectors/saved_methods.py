"""Reads of what gateways keep for customers to pay by again."""

from __future__ import annotations

from collections.abc import Iterator
from uuid import UUID

from django.db.models import Count, Q, QuerySet

from apps.core.errors import NotFound
from apps.core.invariants import invariant
from apps.customers.models import Customer
from apps.payments.models import Payment, SavedMethod
from apps.payments.selectors.accounts import offered_gateways

# More than a shopper can choose from.
MOST_OFFERED = 20


def saved_methods_of(customer: Customer | None) -> QuerySet[SavedMethod]:
    """A customer's own, the default first, then the newest; none of nobody."""
    rows = SavedMethod.objects.filter(customer=customer) if customer else SavedMethod.objects.none()
    return rows.order_by("-is_default", "-pk")


def usable_methods(customer: Customer | None, store_id: int) -> list[SavedMethod]:
    """Those that a store's own accounts can charge, in the same order."""
    return list(_usable(customer, store_id)[:MOST_OFFERED])


def usable_method(customer: Customer | None, store_id: int, public_id: UUID) -> SavedMethod:
    """The one of that id. Raises NotFound, also for somebody else's."""
    method = _usable(customer, store_id).filter(public_id=public_id).first()
    if method is None:
        raise NotFound(field="saved_method")
    return method


def _usable(customer: Customer | None, store_id: int) -> QuerySet[SavedMethod]:
    offered = Q(pk__in=())
    if customer is not None:
        for each, account in offered_gateways(store_id):
            if each.can_save:
                offered |= Q(gateway=each.code, account=account)
    return saved_methods_of(customer).filter(offered).select_related("account")


def can_save(store_id: int) -> bool:
    """Whether a way to pay that a store offers keeps methods for later."""
    return any(each.can_save for each, _account in offered_gateways(store_id))


def last_introduced(customer: Customer, gateway: str, account_id: int | None) -> Payment | None:
    """The last payment by which a gateway knows a customer, by an id of its own; None if it doesn't
    know them yet."""
    known = Payment.objects.filter(order__customer=customer, gateway=gateway, account=account_id)
    return known.exclude(provider_customer="").order_by("-pk").first()


@invariant("a customer has one default payment method at most")
def _one_default() -> Iterator[str]:
    defaults = Customer.objects.annotate(
        defaults=Count("saved_methods", filter=Q(saved_methods__is_default=True))
    )
    for customer in defaults.filter(defaults__gt=1):
        yield f"customer {customer.public_id}: {customer.defaults}"


@invariant("who is charged off session is known to the gateway")
def _known() -> Iterator[str]:
    for payment in Payment.objects.filter(is_off_session=True, provider_customer=""):
        yield f"payment {payment.public_id}"
