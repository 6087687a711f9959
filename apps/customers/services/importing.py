"""Customers from a file: found by their e-mail address, filled in, never taken over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models.functions import Lower
from django.utils.translation import gettext as _

from apps.core.addresses import FIELDS, clean_address
from apps.core.errors import DomainError
from apps.core.tags import clean_tags
from apps.customers.models import Customer, CustomerEvent, CustomerGroup
from apps.customers.services.addresses import DEFAULTS, add_address
from apps.customers.services.profile import clean_phone, set_tags, update_profile
from apps.customers.services.timeline import record_event

_TEXTS = ("first_name", "last_name", "phone", "language", "note")


@dataclass(slots=True)
class CustomerData:
    """What a file says of a customer; "" and None leave alone what is there.

    `evidence` is how they agreed to marketing; without it nobody did. `addresses` have the
    fields of `core.addresses`.
    """

    email: str
    texts: dict[str, str] = field(default_factory=dict)
    group: str = ""
    tags: list[str] = field(default_factory=list)
    accepts_marketing: bool = False
    evidence: str = ""
    addresses: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(slots=True)
class CustomerResult:
    """What became of one. `refused` is why all of it was; `problems` are (field, reason) of what
    alone wasn't taken, of an address with its index."""

    customer: Customer
    created: bool = False
    changed: list[str] = field(default_factory=list)
    refused: str = ""
    problems: list[tuple[str, str]] = field(default_factory=list)
    address_problems: dict[int, list[tuple[str, str]]] = field(default_factory=dict)


class _NothingWritten(Exception):
    """Undoes a dry run."""


def upsert_customers(
    *, items: Sequence[CustomerData], update: bool, dry_run: bool = False
) -> list[CustomerResult]:
    """Write a batch of customers, or with `dry_run` find out what writing it would change.

    Known ones are found by their address, whatever its case; who has an account goes first.
    Without `update` they are left alone. E-mail addresses and passwords of accounts stay, tags
    and addresses are added, and consent to marketing comes only with customers who are new: who
    is known here may have withdrawn it.
    """
    results: list[CustomerResult] = []
    try:
        with transaction.atomic():
            known = _known([item.email for item in items])
            groups = {group.code: group for group in CustomerGroup.objects.all()}
            for item in items:
                customer = known.get(item.email.lower())
                if customer is None:
                    results.append(_created(item, groups))
                elif update:
                    results.append(_written(CustomerResult(customer), item, groups))
                else:
                    results.append(CustomerResult(customer))
            if dry_run:
                raise _NothingWritten
    except _NothingWritten:
        pass
    return results


def _known(emails: Sequence[str]) -> dict[str, Customer]:
    rows = Customer.objects.annotate(lower=Lower("email")).select_related("group")
    found = rows.filter(lower__in={email.lower() for email in emails}).order_by("-pk")
    # The last one counts: with an account, else the oldest.
    return {row.email.lower(): row for row in sorted(found, key=lambda r: r.user_id is not None)}


def _created(item: CustomerData, groups: Mapping[str, CustomerGroup]) -> CustomerResult:
    customer = Customer(email=item.email)
    result = CustomerResult(customer, created=True)
    try:
        customer.clean_fields(exclude=[f.name for f in Customer._meta.fields if f.name != "email"])
    except ValidationError as error:
        result.refused = " ".join(error.message_dict["email"])
        return result
    customer.accepts_marketing = item.accepts_marketing and bool(item.evidence)
    if item.accepts_marketing and not item.evidence:
        result.problems.append(("evidence", _("Nothing says how they agreed to marketing.")))
    customer.save()
    evidence = item.evidence if customer.accepts_marketing else ""
    kind = CustomerEvent.Kind.IMPORTED
    record_event(customer_id=customer.pk, kind=kind, message=evidence)
    return _written(result, item, groups)


def _written(
    result: CustomerResult, item: CustomerData, groups: Mapping[str, CustomerGroup]
) -> CustomerResult:
    customer = result.customer
    changes: dict[str, Any] = _texts(result, item)
    note = changes.pop("note", None)
    if changes:
        update_profile(customer=customer, **changes)
    staff: dict[str, Any] = {} if note is None else {"note": note}
    if item.group and item.group not in groups:
        result.problems.append(("group", _("There is no such group: %s") % item.group[:40]))
    elif item.group and customer.group != groups[item.group]:
        staff["group"] = groups[item.group]
    if staff:
        for name, value in staff.items():
            setattr(customer, name, value)
        customer.save(update_fields=[*staff, "updated_at"])
    result.changed = [*changes, *staff]
    _add_tags(result, item)
    _add_addresses(result, item)
    return result


def _texts(result: CustomerResult, item: CustomerData) -> dict[str, str]:
    changes: dict[str, str] = {}
    for name in _TEXTS:
        if not (value := item.texts.get(name, "").strip()):
            continue
        try:
            value = clean_phone(value) if name == "phone" else value
            if name == "language" and value not in dict(settings.LANGUAGES):
                raise ValidationError(_("There is no such language: %s") % value[:20])
            Customer._meta.get_field(name).clean(value, result.customer)  # type: ignore[union-attr]
        except (DomainError, ValidationError) as error:
            told = error.messages if isinstance(error, ValidationError) else [str(error)]
            result.problems.append((name, " ".join(told)))
        else:
            if getattr(result.customer, name) != value:
                changes[name] = value
    return changes


def _add_tags(result: CustomerResult, item: CustomerData) -> None:
    if not item.tags:
        return
    have = [tag.name for tag in result.customer.tags.all()]
    try:
        if clean_tags([*have, *item.tags]).keys() != clean_tags(have).keys():
            set_tags(customer=result.customer, tags=[*have, *item.tags])
            result.changed.append("tags")
    except DomainError as error:
        result.problems.append(("tags", str(error)))


def _add_addresses(result: CustomerResult, item: CustomerData) -> None:
    customer = result.customer
    have = {tuple(getattr(row, name) for name in FIELDS) for row in customer.addresses.all()}
    taken = {name for row in customer.addresses.all() for name in DEFAULTS if getattr(row, name)}
    for index, data in enumerate(item.addresses):
        wanted = {name: bool(data.get(name)) and name not in taken for name in DEFAULTS}
        try:
            key = tuple(clean_address(data)[name] for name in FIELDS)
            if key in have:
                continue
            add_address(customer=customer, data={**data, **wanted})
        except DomainError as error:
            told = error.extra.get("errors") or [{"field": "line1", "message": str(error)}]
            result.address_problems[index] = [(one["field"], one["message"]) for one in told]
            continue
        have.add(key)
        taken |= {name for name in DEFAULTS if wanted[name]}
        if "addresses" not in result.changed:
            result.changed.append("addresses")
