"""Yes and no to what isn't necessary: cookies of statistics and marketing, offers by e-mail."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from apps.core.context import current_actor
from apps.core.errors import NotFound
from apps.core.ratelimit import NETWORK, Limit, hit_caller
from apps.customers.models import Consent, Customer

# Of the words in `templates/shop/_consent.html`: whoever changes what they mean counts it up, and
# everybody is asked anew.
VERSION = "2026-11"
COOKIE = "consent"
COOKIE_TERMS: dict[str, Any] = {
    # As long as authorities let a refusal stand: it isn't asked again for half a year.
    "max_age": timedelta(days=180),
    "httponly": True,
    "samesite": "Lax",
    "secure": settings.SESSION_COOKIE_SECURE,
}
# Cookies that may be refused; those that the shop can't do without need no consent.
CATEGORIES = (Consent.Category.STATISTICS, Consent.Category.MARKETING)
PER_NETWORK = Limit("consent", by=NETWORK, most=60, seconds=3600)
_SALT = "customers.consent"
_UNSUBSCRIBE = signing.Signer(salt="customers.unsubscribe")


@dataclass(frozen=True)
class Choice:
    """What a browser's cookie says; undecided without one of these words' version."""

    visitor: str = ""
    decided: bool = False
    statistics: bool = False
    marketing: bool = False


def read_choice(cookie: str) -> Choice:
    """The choice in a cookie; nothing is allowed by one that isn't ours, or of other words."""
    try:
        version, visitor, given = signing.loads(cookie, salt=_SALT)
    except (signing.BadSignature, ValueError):
        return Choice()
    if version != VERSION:
        return Choice(visitor)
    return Choice(visitor, True, "statistics" in given, "marketing" in given)


def choose(
    *,
    before: Choice,
    statistics: bool,
    marketing: bool,
    customer: Customer | None = None,
    page: str = "",
) -> tuple[Choice, str]:
    """Note a choice as evidence; it, and the cookie that says so. Raises RateLimited."""
    hit_caller(PER_NETWORK)
    choice = Choice(before.visitor or str(uuid4()), True, statistics, marketing)
    given = {"statistics": statistics, "marketing": marketing}
    _note(given, customer=customer, visitor=choice.visitor, page=page)
    said = [VERSION, choice.visitor, [name for name, yes in given.items() if yes]]
    return choice, signing.dumps(said, salt=_SALT)


@transaction.atomic
def set_marketing(*, customer: Customer, given: bool, page: str = "") -> None:
    """Let a customer have offers by mail, or no more; noted where that is news."""
    changed = Customer.objects.filter(pk=customer.pk, accepts_marketing=not given)
    if changed.update(accepts_marketing=given, updated_at=timezone.now()):
        _note({Consent.Category.EMAIL: given}, customer=customer, page=page)
    customer.accepts_marketing = given


def unsubscribe_url(customer: Customer) -> str:
    """The link that a mail of offers ends with, and names in its List-Unsubscribe (RFC 8058)."""
    return f"{settings.SITE_URL}/unsubscribe/{_UNSUBSCRIBE.sign(str(customer.public_id))}/"


def unsubscribe(*, token: str) -> None:
    """No offers any more to whoever was sent the link. Repeatable; raises NotFound."""
    set_marketing(customer=subscriber(token), given=False, page="unsubscribe")


def subscriber(token: str) -> Customer:
    """Whose link it is; raises NotFound."""
    try:
        public_id = _UNSUBSCRIBE.unsign(token)
    except signing.BadSignature as error:
        raise NotFound() from error
    customer = Customer.objects.filter(public_id=public_id).first()
    if customer is None:
        raise NotFound()
    return customer


def _note(
    given: Mapping[str, bool], *, customer: Customer | None, visitor: str = "", page: str
) -> None:
    Consent.objects.bulk_create(
        Consent(
            category=category,
            given=yes,
            version=VERSION,
            customer=customer,
            visitor=_hashed(visitor),
            ip_hash=_hashed(current_actor().ip),
            page=page[:200],
        )
        for category, yes in given.items()
    )


def _hashed(value: str) -> str:
    return salted_hmac(_SALT, value, algorithm="sha256").hexdigest() if value else ""
