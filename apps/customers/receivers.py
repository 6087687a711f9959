"""What customers do about events."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.events import (
    EmailChangeAsked,
    EmailChanged,
    PasswordForgotten,
    PasswordReset,
    SignedUp,
    VerificationAsked,
    WayInAdded,
    WayInRemoved,
)
from apps.accounts.models import User
from apps.core.events import receives
from apps.customers.events import CustomerRegistered, PersonalExportAsked, PrivacyAsked
from apps.customers.models import Customer, CustomerEvent
from apps.customers.selectors import account_context, wish_context
from apps.customers.services.people import is_known, person_at, wish_url
from apps.customers.services.profile import update_email
from apps.customers.services.registration import welcome
from apps.customers.services.timeline import record_event
from apps.customers.tasks import run_exports
from apps.notifications.services import notify


@receives(CustomerRegistered)
def send_welcome(event: CustomerRegistered) -> None:
    customer = Customer.objects.select_related("user").filter(public_id=event.customer_id).first()
    if customer is not None and customer.user is not None:
        _tell(customer.user, "welcome", event.store, f"welcome:{event.customer_id}")


@receives(SignedUp)
def welcome_signed_up(event: SignedUp) -> None:
    welcome(user=User.objects.get(public_id=UUID(event.user_id)), store_code=event.store)


@receives(CustomerRegistered)
def note_registration(event: CustomerRegistered) -> None:
    customer = Customer.objects.filter(public_id=event.customer_id).first()
    if customer is not None:
        kind = CustomerEvent.Kind.REGISTERED
        key = f"{event.name}:{event.customer_id}"
        record_event(customer_id=customer.pk, kind=kind, message=event.store, key=key)


@receives(PasswordReset)
def note_new_password(event: PasswordReset) -> None:
    customer = Customer.objects.filter(user__public_id=UUID(event.user_id)).first()
    if customer is not None:
        kind = CustomerEvent.Kind.PASSWORD
        record_event(customer_id=customer.pk, kind=kind, key=f"{event.name}:{event.key}")


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


@receives(PersonalExportAsked)
def write_export(event: PersonalExportAsked) -> None:
    """Without waiting for the clock."""
    run_exports.delay()


@receives(PrivacyAsked)
def send_wish(event: PrivacyAsked) -> None:
    """Nothing to a mailbox that nothing is known of."""
    if not is_known(person_at(event.email)):
        return
    link = wish_url(event.email, event.wish)
    notify(
        kind="customers/wish",
        recipient=event.email,
        language="",
        context=wish_context(event.store, event.wish, link),
        dedupe_key=f"wish:{event.key}",
        is_confidential=True,
    )


@receives(EmailChangeAsked)
def send_email_change(event: EmailChangeAsked) -> None:
    """A link to the new address, or word that it is taken; a notice to the present one."""
    user = User.objects.filter(public_id=UUID(event.user_id), is_active=True).first()
    if user is None:
        return
    taken = User.objects.filter(email=event.email).exists()
    kind, key = "email_taken" if taken else "email_change", f"email:{event.key}"
    _tell(user, kind, event.store, key, new_email=event.email, recipient=event.email)
    _tell(user, "email_change_asked", event.store, f"{key}:notice", new_email=event.email)


@receives(EmailChanged)
def follow_email(event: EmailChanged) -> None:
    update_email(user=User.objects.get(public_id=UUID(event.user_id)))


@receives(WayInAdded)
def tell_way_in_added(event: WayInAdded) -> None:
    _tell_way_in(event, "way_in_added")


@receives(WayInRemoved)
def tell_way_in_removed(event: WayInRemoved) -> None:
    _tell_way_in(event, "way_in_removed")


def _tell_way_in(event: WayInAdded | WayInRemoved, kind: str) -> None:
    user = User.objects.get(public_id=UUID(event.user_id))
    _tell(user, kind, "", f"{kind}:{event.key}", way=event.way)


def _tell(
    user: User, kind: str, store_code: str, key: str, *, recipient: str = "", **more: str
) -> None:
    notify(
        kind=f"accounts/{kind}",
        recipient=recipient or user.email,
        language=user.language,
        context=account_context(user, store_code, kind, **more),
        dedupe_key=key,
        # What is in their links opens the account.
        is_confidential=True,
    )
