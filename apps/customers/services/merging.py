"""Two customers who are one person become one.

Whatever points to the customer who goes points to the one who is kept afterwards: every foreign
key is found by introspection. An upper room says by `moves` how its rows follow where pointing
them elsewhere isn't enough; what is unique per customer has to (a test looks).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from django.db import models, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.addresses import FIELDS
from apps.core.errors import Conflict, DomainError, NotFound
from apps.core.events import publish
from apps.core.locks import locked
from apps.customers.events import CustomersMerged
from apps.customers.models import Address, Customer, CustomerEvent, CustomerFigures, SegmentMember
from apps.customers.services.addresses import DEFAULTS
from apps.customers.services.timeline import record_event

M = TypeVar("M", bound=models.Model)
# From the customer who is kept and the one who goes; inside the transaction of the merge.
Move = Callable[[Customer, Customer], None]
_moves: dict[type[models.Model], Move] = {}
# Taken over where the one who is kept has nothing. Not the consent: it was given for an address.
_FILLED = ("first_name", "last_name", "phone", "language")


class SameCustomer(DomainError):
    code = "same_customer"
    message = _("This is the same customer.")


class AccountWouldBeLost(Conflict):
    code = "account_would_be_lost"
    message = _("Who has an account is kept: merge the other one into them.")


def moves(model: type[models.Model]) -> Callable[[Move], Move]:
    """Register how the rows of `model` follow their customer."""

    def register(move: Move) -> Move:
        _moves[model] = move
        return move

    return register


def references() -> Iterator[models.ForeignKey[Any, Any]]:
    """Every foreign key to a customer, those of many-to-many tables too."""
    for relation in Customer._meta.get_fields(include_hidden=True):
        if isinstance(relation, models.ManyToOneRel):
            yield relation.field


def has_move(model: type[models.Model]) -> bool:
    """Whether somebody has said how the rows of `model` follow."""
    return model in _moves


def what_would_move(*, merged: Customer) -> dict[type[models.Model], int]:
    """How many rows of what point to a customer."""
    counts = {
        field.model: field.model._base_manager.filter(**{field.name: merged}).count()
        for field in references()
        if not field.model._meta.auto_created
    }
    return {model: count for model, count in counts.items() if count}


def check_mergeable(*, kept: Customer, merged: Customer) -> None:
    """Raises SameCustomer and AccountWouldBeLost."""
    if kept.pk == merged.pk:
        raise SameCustomer(field="other")
    if merged.user_id is not None:
        raise AccountWouldBeLost(field="other")


@transaction.atomic
def merge_customers(*, kept: Customer, merged: Customer) -> Customer:
    """Make `merged` a part of `kept`, for good; `kept` as it is afterwards.

    Raises SameCustomer and AccountWouldBeLost, and NotFound once one of them is gone.
    """
    # Nobody's order, cart or credit can begin to point at either until this is done.
    both = Customer.objects.filter(pk__in=(kept.pk, merged.pk), erased_at=None)
    rows = {row.pk: row for row in locked(both)}
    if len(rows) < len({kept.pk, merged.pk}):
        # Somebody else was faster.
        raise NotFound()
    kept, merged = rows[kept.pk], rows[merged.pk]
    check_mergeable(kept=kept, merged=merged)
    moved = {model._meta.label_lower: n for model, n in what_would_move(merged=merged).items()}
    for field in references():
        if move := _moves.get(field.model):
            move(kept, merged)
        else:
            pointing = field.model._base_manager.filter(**{field.name: merged})
            pointing.update(**{field.name: kept})
    _fill(kept, merged)
    changes = {"email": merged.email, "id": str(merged.public_id), "moved": moved}
    record_event(customer_id=kept.pk, kind=CustomerEvent.Kind.MERGED, message=merged.email)
    audit.record("customer.merge", kept, changes)
    publish(CustomersMerged(customer_id=str(kept.public_id), merged_id=str(merged.public_id)))
    merged.delete()
    return kept


def move_new(
    rows: models.QuerySet[M], held: models.QuerySet[M], *key: str, customer: Customer
) -> None:
    """Give `customer` the `rows` of another one whose `key` none of the `held` has; the rest goes.

    For what is unique per customer, where the one who is kept is right.
    """
    known = set(held.values_list(*key))
    new = [row[0] for row in rows.values_list("pk", *key) if row[1:] not in known]
    rows.filter(pk__in=new).update(customer=customer)
    rows.delete()


@moves(Address)
def _move_addresses(kept: Customer, merged: Customer) -> None:
    """The default addresses are those of the one who is kept, if they have any."""
    for name in DEFAULTS:
        if kept.addresses.filter(**{name: True}).exists():
            merged.addresses.filter(**{name: True}).update(**{name: False})
    move_new(merged.addresses.all(), kept.addresses.all(), *FIELDS, customer=kept)


@moves(Customer.tags.through)
def _move_tags(kept: Customer, merged: Customer) -> None:
    kept.tags.add(*merged.tags.all())


@moves(CustomerFigures)
def _drop_figures(kept: Customer, merged: Customer) -> None:
    """They are counted anew from the orders that moved, and with them the segments."""
    merged.figures.all().delete()


@moves(SegmentMember)
def _leave_segments(kept: Customer, merged: Customer) -> None:
    SegmentMember.objects.filter(customer=merged).delete()


def _fill(kept: Customer, merged: Customer) -> None:
    for name in _FILLED:
        setattr(kept, name, getattr(kept, name) or getattr(merged, name))
    kept.group = kept.group or merged.group
    kept.note = "\n".join(filter(None, (kept.note, merged.note)))
    kept.metadata = {**merged.metadata, **kept.metadata}
    kept.save()
