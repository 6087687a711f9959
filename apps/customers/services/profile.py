"""What a customer, or the staff, changes about a customer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypedDict, Unpack

import phonenumbers
from django.db import transaction
from django.db.models import ProtectedError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.locks import locked
from apps.core.tags import clean_tags, tag_named
from apps.customers.models import Customer, CustomerEvent, CustomerGroup, CustomerTag
from apps.customers.services.consents import set_marketing
from apps.customers.services.timeline import record_event

# The fields that the account has as well, for greetings and mails.
_SHARED = ("first_name", "last_name", "language")


class InvalidPhone(DomainError):
    code = "invalid_phone"
    message = _("A phone number with its country: +34 912 345 678.")


class GroupInUse(Conflict):
    code = "group_in_use"
    message = _("There are customers in this group, or prices for it.")


class GroupTaken(DomainError):
    code = "code_taken"
    message = _("There is a group with this code.")


class ProfileChanges(TypedDict, total=False):
    first_name: str
    last_name: str
    phone: str
    language: str
    accepts_marketing: bool


class StaffChanges(TypedDict, total=False):
    group: CustomerGroup | None
    note: str


def update_email(*, user: User) -> None:
    """The customer's address is the account's."""
    Customer.objects.filter(user=user).exclude(email=user.email).update(
        email=user.email, updated_at=timezone.now()
    )


@transaction.atomic
def update_profile(*, customer: Customer, **changes: Unpack[ProfileChanges]) -> Customer:
    """Change what a customer says about themselves; raises InvalidPhone.

    The phone number is stored as E.164 (+34912345678).
    """
    if changes.get("phone"):
        changes["phone"] = clean_phone(changes["phone"])
    if "accepts_marketing" in changes:
        set_marketing(customer=customer, given=changes.pop("accepts_marketing"), page="profile")
    _assign(customer, dict(changes))
    shared = {name: value for name, value in changes.items() if name in _SHARED}
    if shared and customer.user_id:
        User.objects.filter(pk=customer.user_id).update(**shared)
    return customer


@transaction.atomic
def update_by_staff(*, customer: Customer, **changes: Unpack[StaffChanges]) -> Customer:
    """Change what only the staff decides, and note it in the audit log."""
    before = {name: getattr(customer, name) for name in changes}
    _assign(customer, dict(changes))
    audit.record(
        "change", customer, {name: [before[name], value] for name, value in changes.items()}
    )
    if "group" in changes and changes["group"] != before["group"]:
        tell_group(customer=customer, before=before["group"])
    return customer


def tell_group(*, customer: Customer, before: CustomerGroup | None) -> None:
    """Write on the timeline that a customer left the group `before` for the one they are in."""
    codes = [group.code if group else None for group in (before, customer.group)]
    record_event(customer_id=customer.pk, kind=CustomerEvent.Kind.GROUP, data={"group": codes})


@transaction.atomic
def set_tags(*, customer: Customer, tags: Iterable[str]) -> bool:
    """Make these a customer's tags, by name; unknown ones are made. Whether anything changed.

    Raises WrongTag.
    """
    wanted = clean_tags(tags)
    # Two who tag at once: each sees what the other left.
    locked(Customer.objects.filter(pk=customer.pk)).get()
    before = {tag.key: tag.name for tag in customer.tags.all()}
    if wanted.keys() == before.keys():
        return False
    rows = [tag_named(CustomerTag, name) for name in wanted.values()]
    customer.tags.set(rows)
    changes = {"tags": [sorted(before.values()), sorted(tag.name for tag in rows)]}
    record_event(customer_id=customer.pk, kind=CustomerEvent.Kind.TAGS, data=changes)
    audit.record("customer.tags", customer, changes)
    return True


@transaction.atomic
def create_group(*, code: str, name: str) -> CustomerGroup:
    """A new group; raises GroupTaken."""
    group, created = CustomerGroup.objects.get_or_create(code=code, defaults={"name": name})
    if not created:
        raise GroupTaken(field="code")
    audit.record("add", group)
    return group


@transaction.atomic
def rename_group(*, group: CustomerGroup, name: str) -> CustomerGroup:
    """Change a group's name; its code is what others know it by."""
    audit.record("change", group, {"name": [group.name, name]})
    group.name = name
    group.save(update_fields=["name"])
    return group


@transaction.atomic
def delete_group(*, group: CustomerGroup) -> None:
    """Delete a group that nobody is in; raises GroupInUse.

    Its customers would silently lose their prices otherwise.
    """
    locked(CustomerGroup.objects.filter(pk=group.pk)).first()
    if group.customers.exists():
        raise GroupInUse()
    audit.record("delete", group)
    try:
        group.delete()
    except ProtectedError as error:
        raise GroupInUse() from error


def clean_phone(phone: str) -> str:
    """`phone`, written with its country's prefix, as E.164; raises InvalidPhone."""
    try:
        number = phonenumbers.parse(phone)
    except phonenumbers.NumberParseException as error:
        raise InvalidPhone(field="phone") from error
    if not phonenumbers.is_possible_number(number):
        raise InvalidPhone(field="phone")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)


def _assign(customer: Customer, changes: dict[str, Any]) -> None:
    for name, value in changes.items():
        setattr(customer, name, value)
    if changes:
        customer.save(update_fields=[*changes, "updated_at"])
