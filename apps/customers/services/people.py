"""Who is meant by a customer, or by an address; and how somebody without an account proves one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import Q
from django.utils.crypto import salted_hmac
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User, normalize_email
from apps.accounts.services import second_factor
from apps.accounts.services.attempts import limit_attempts
from apps.accounts.services.recovery import DeadLink
from apps.accounts.services.users import check_password_if_any
from apps.core.errors import Conflict
from apps.core.events import publish
from apps.core.ids import uuid7
from apps.core.personal import Person, personal
from apps.customers.events import PrivacyAsked
from apps.customers.models import Customer

WISHES = ("export", "erase")
_SALT = "customers.privacy"


class StaffAccount(Conflict):
    code = "staff_account"
    message = _("This is an account of the staff; take its roles away first.")


def person_of(customer: Customer) -> Person:
    """A customer with all that is theirs; by their address as well, once it is proved."""
    user = customer.user
    proved = user.email_verified_at is not None if user else bool(customer.email)
    return Person(
        customers=(customer.pk,),
        users=(user.pk,) if user else (),
        emails=(normalize_email(user.email if user else customer.email),) if proved else (),
    )


def person_at(email: str) -> Person:
    """Whoever reads a mailbox, but for what is an account's: that has a password."""
    guests = Customer.objects.filter(user=None, email__iexact=email).values_list("pk", flat=True)
    return Person(customers=tuple(guests), emails=(normalize_email(email),))


def everybody_at(email: str) -> Person:
    """All that hangs on an address, accounts too: for who runs the shop."""
    email = normalize_email(email)
    customers = Customer.objects.filter(Q(email__iexact=email) | Q(user__email=email))
    users = User.objects.filter(email=email)
    return Person(
        customers=tuple(customers.values_list("pk", flat=True)),
        users=tuple(users.values_list("pk", flat=True)),
        emails=(email,),
    )


def is_known(person: Person) -> bool:
    """Whether there is anything of `person`; that an address is mentioned somewhere isn't."""
    found = (e for e in personal() if e.where.customer or e.where.user or e.where.email)
    return any(entry.rows(person).exists() for entry in found)


def subject_of(name: str) -> str:
    """A keyed hash of a customer's public id, or of an address."""
    return salted_hmac("customers.erasure", name, algorithm="sha256").hexdigest()


def prove(*, user: User, password: str = "", code: str = "") -> None:
    """Check that it is really `user` who asks for what can't be undone.

    Who signs in by other ways alone has no password to give. Raises WrongPassword,
    SecondFactorRequired, WrongCode and RateLimited. Not inside a transaction: the attempt has to
    stay counted.
    """
    check_password_if_any(user=user, password=password)
    second_factor.prove_if_any(user=user, code=code)


def ask_by_mail(*, email: str, wish: str, store: str) -> None:
    """Have a link mailed that proves the address, should anything be known of it.

    The same work for known and unknown addresses. Raises RateLimited.
    """
    email = normalize_email(email)
    limit_attempts("privacy", account=email)
    with transaction.atomic():
        publish(PrivacyAsked(email=email, wish=wish, store=store, key=str(uuid7())))


def wish_url(email: str, wish: str) -> str:
    """The page on which whoever reads the mailbox confirms what they asked for."""
    token = signing.dumps([normalize_email(email), wish], salt=_SALT)
    return f"{settings.SITE_URL}/privacy/{token}/"


def read_wish(token: str) -> tuple[str, str]:
    """The address and the wish behind a mailed link. Raises DeadLink."""
    try:
        said: Any = signing.loads(token, salt=_SALT, max_age=settings.PASSWORD_RESET_TIMEOUT)
    except signing.BadSignature as error:
        raise DeadLink() from error
    return said[0], said[1]
