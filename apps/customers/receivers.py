"""What customers do about events."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.events import PasswordForgotten, PasswordReset, VerificationAsked
from apps.accounts.models import User
from apps.core.events import receives
from apps.customers.events import CustomerRegistered
from apps.customers.models import Customer
from apps.customers.selectors import account_context
from apps.notifications.services import notify


@receives(CustomerRegistered)
def send_welcome(event: CustomerRegistered) -> None:
    customer = Customer.objects.select_related("user").filter(public_id=event.customer_id).first()
    if customer is not None and customer.user is not None:
        _tell(customer.user, "welcome", event.store, f"welcome:{event.customer_id}")


@receives(VerificationAsked)
def send_verification(event: VerificationAsked) -> None:
    user = User.objects.filter(public_id=UUID(event.user_id), email_verified_at=None).first()
    if user is not None:
        _tell(user, "verify", event.store, f"verify:{event.key}")


@receives(PasswordForgotten)
def send_way_back(event: PasswordForgotten) -> None:
    user = User.objects.filter(email=event.email, is_active=True).first()
    if user is not None:
        _tell(user, "reset", event.store, f"reset:{event.key}")


@receives(PasswordReset)
def warn_of_new_password(event: PasswordReset) -> None:
    """Whoever didn't do it should hear of it."""
    user = User.objects.get(public_id=UUID(event.user_id))
    _tell(user, "password_changed", "", f"password:{event.key}")


def _tell(user: User, kind: str, store_code: str, key: str) -> None:
    notify(
        kind=f"accounts/{kind}",
        recipient=user.email,
        language=user.language,
        context=account_context(user, store_code, kind),
        dedupe_key=key,
        # What is in their links opens the account.
        is_confidential=True,
    )
