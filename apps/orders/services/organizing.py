"""How staff share the work: notes, tags, and who looks after an order."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import DomainError
from apps.core.locks import locked
from apps.core.tags import clean_tags, tag_key, tag_named
from apps.orders.models import Order, OrderEvent, OrderTag
from apps.orders.services.search import index_note


class NotStaff(DomainError):
    code = "not_staff"
    message = _("Orders are assigned to active staff.")


@transaction.atomic
def add_note(*, order: Order, message: str, is_public: bool = False) -> OrderEvent:
    """Write on the timeline; public notes are shown to the customer. Staff find the order by it."""
    note = OrderEvent.objects.create(
        order=order,
        kind="note",
        message=message,
        is_public=is_public,
        actor=current_actor().label,
    )
    index_note(order=order, note=note)
    return note


def set_tags(*, order: Order, tags: Iterable[str]) -> bool:
    """Make these an order's tags, by name; unknown ones are made. Whether anything changed.

    Raises WrongTag.
    """
    wanted = list(tags)
    return _change(order, lambda before: wanted)


def add_tags(*, order: Order, tags: Iterable[str]) -> bool:
    """Add tags to those an order has; whether it lacked any. Raises WrongTag."""
    wanted = list(tags)
    return _change(order, lambda before: [*before, *wanted])


def remove_tags(*, order: Order, tags: Iterable[str]) -> bool:
    """Take tags off an order; whether it had any."""
    gone = {tag_key(name) for name in tags}
    return _change(order, lambda before: [name for name in before if tag_key(name) not in gone])


@transaction.atomic
def _change(order: Order, choose: Callable[[list[str]], list[str]]) -> bool:
    # Two who tag at once: each sees what the other left.
    locked(Order.objects.filter(pk=order.pk)).get()
    before = {tag.key: tag.name for tag in order.tags.all()}
    wanted = clean_tags(choose(list(before.values())))
    if wanted.keys() == before.keys():
        return False
    tags = [tag_named(OrderTag, name) for name in wanted.values()]
    order.tags.set(tags)
    _note_change(order, "tags", sorted(before.values()), sorted(tag.name for tag in tags))
    return True


@transaction.atomic
def assign(*, order: Order, assignee: User | None) -> bool:
    """Say who looks after an order; None: nobody. Whether that is news. Raises NotStaff."""
    if assignee is not None and not (assignee.is_staff and assignee.is_active):
        raise NotStaff(field="assignee")
    current = locked(Order.objects.filter(pk=order.pk)).get()
    if current.assignee_id == (assignee.pk if assignee else None):
        return False
    before = current.assignee
    current.assignee = assignee
    current.save(update_fields=["assignee", "updated_at"])
    order.assignee = assignee
    _note_change(order, "assignee", *(who and who.email for who in (before, assignee)))
    return True


def _note_change(order: Order, name: str, before: Any, after: Any) -> None:
    changes = {name: [before, after]}
    OrderEvent.objects.create(order=order, kind=name, data=changes, actor=current_actor().label)
    audit.record(f"order.{name}", order, changes)
