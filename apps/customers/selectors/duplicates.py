"""Customers who may be one person."""

from __future__ import annotations

from itertools import islice

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower, Replace

from apps.core.emails import normalised_email
from apps.customers.models import Address, Customer

# Whoever has more is no person.
MOST_DUPLICATES = 20


def duplicates_of(customer: Customer) -> dict[Customer, list[str]]:
    """Who may be the same person, and why: "email", "phone", "address". At most 20.

    The same mailbox by whatever spelling, the same phone, or the same name at the same address.
    """
    found = {
        "email": [row for row in _same_mailbox(customer) if _is_alike(row, customer)],
        "phone": _same_phone(customer),
        "address": _same_address(customer),
    }
    reasons: dict[Customer, list[str]] = {}
    for reason, rows in found.items():
        for row in rows:
            if row.pk != customer.pk and row.erased_at is None:
                reasons.setdefault(row, []).append(reason)
    return dict(islice(reasons.items(), MOST_DUPLICATES))


def _same_mailbox(customer: Customer) -> QuerySet[Customer]:
    """Addresses that begin and end alike; whether they are one mailbox, nobody asks SQL."""
    local, _at, domain = normalised_email(customer.email).rpartition("@")
    plain = Replace(Lower("email"), Value("."), Value(""))
    ends = Q(email__iendswith=f"@{domain}")
    if domain == "gmail.com":
        ends |= Q(email__iendswith="@googlemail.com")
    begin = local.replace(".", "")
    return Customer.objects.annotate(plain=plain).filter(ends, plain__startswith=begin)


def _is_alike(one: Customer, other: Customer) -> bool:
    return normalised_email(one.email) == normalised_email(other.email)


def _same_phone(customer: Customer) -> QuerySet[Customer]:
    rows = Customer.objects.filter(phone=customer.phone).order_by("pk")
    return rows[: MOST_DUPLICATES + 1] if customer.phone else rows.none()


def _same_address(customer: Customer) -> list[Customer]:
    same = Q()
    for address in customer.addresses.all():
        same |= Q(
            country=address.country,
            postal_code=address.postal_code,
            line1__iexact=address.line1,
            last_name__iexact=address.last_name,
            first_name__iexact=address.first_name,
        )
    if not same:
        return []
    rows = Address.objects.filter(same).exclude(customer=customer)
    return list(Customer.objects.filter(pk__in=rows.values("customer")).order_by("pk"))
