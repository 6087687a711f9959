"""Becoming a customer with an account."""

from __future__ import annotations

from django.db import transaction

from apps.accounts.models import User, normalize_email
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.tokens import Session, open_session
from apps.accounts.services.users import create_user
from apps.core.events import publish
from apps.customers.events import CustomerRegistered
from apps.customers.models import Customer
from apps.customers.services.consents import set_marketing
from apps.stores.models import Store


def register(
    *,
    store: Store,
    email: str,
    password: str,
    first_name: str = "",
    last_name: str = "",
    language: str = "",
    accepts_marketing: bool = False,
) -> Session:
    """An account with its customer, signed in; raises EmailTaken, WeakPassword and RateLimited.

    Always a new customer: a guest with the same address keeps their orders to themselves, since
    nobody has proved yet that the two are one person.
    """
    user = open_account(
        store=store,
        email=email,
        password=password,
        first_name=first_name,
        last_name=last_name,
        language=language,
        accepts_marketing=accepts_marketing,
    )
    return open_session(user=user)


def open_account(
    *,
    store: Store,
    email: str,
    password: str,
    first_name: str = "",
    last_name: str = "",
    language: str = "",
    accepts_marketing: bool = False,
) -> User:
    """The same without tokens, for pages whose session is a cookie."""
    limit_attempts("register", account=normalize_email(email))
    with transaction.atomic():
        user = create_user(
            email=email,
            password=password,
            first_name=first_name,
            last_name=last_name,
            language=language,
        )
        customer = _customer_of(user)
        if accepts_marketing:
            set_marketing(customer=customer, given=True, page="registration")
        publish(CustomerRegistered(customer_id=str(customer.public_id), store=store.code))
    return user


@transaction.atomic
def welcome(*, user: User, store_code: str) -> Customer:
    """The customer of an account that was made without a form of ours. Safe to repeat."""
    customer = get_or_create_for_user(user=user)
    publish(CustomerRegistered(customer_id=str(customer.public_id), store=store_code))
    return customer


def get_or_create_for_user(*, user: User) -> Customer:
    """The customer of `user`; staff get theirs the first time they shop."""
    try:
        return Customer.objects.select_related("group", "user").get(user=user)
    except Customer.DoesNotExist:
        return _customer_of(user)


def _customer_of(user: User) -> Customer:
    # `user` is unique: of two parallel calls both get the one customer.
    customer, _created = Customer.objects.get_or_create(
        user=user,
        defaults={
            "email": user.email,
            "first_name": user.first_name,
            "last_name": user.last_name,
            "language": user.language,
        },
    )
    return customer
