"""What this room lets staff do with many orders at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.tags import LONGEST_TAG, MOST_TAGS
from apps.orders import states
from apps.orders.models import Order
from apps.orders.services.bulk import Verb, WrongData, register_verb
from apps.orders.services.lifecycle import move_by_staff
from apps.orders.services.organizing import (
    NotStaff,
    add_note,
    add_tags,
    assign,
    remove_tags,
)


def only(data: Mapping[str, Any], *names: str) -> None:
    """Raises WrongData for what a verb doesn't take."""
    if unknown := sorted(set(map(str, data)) - set(names)):
        raise WrongData(_("Unknown: %s") % ", ".join(unknown)[:200], field="data")


def text(data: Mapping[str, Any], name: str, longest: int, *, required: bool = False) -> str:
    """What a verb takes as `name`, without spaces around it. Raises WrongData."""
    given = data.get(name, "")
    if not isinstance(given, str) or len(given) > longest or "\x00" in given:
        raise WrongData(
            _("%(name)s: a text of at most %(longest)d characters.")
            % {"name": name, "longest": longest},
            field="data",
        )
    if required and not given.strip():
        raise WrongData(_("%s is required.") % name, field="data")
    return given.strip()


def _clean_reason(data: Mapping[str, Any]) -> dict[str, Any]:
    only(data, "reason")
    return {"reason": text(data, "reason", 500)}


def _clean_tags(data: Mapping[str, Any]) -> dict[str, Any]:
    only(data, "tags")
    tags = data.get("tags")
    right = isinstance(tags, list) and 0 < len(tags) <= MOST_TAGS
    if not right or not all(isinstance(t, str) and 0 < len(t.strip()) <= LONGEST_TAG for t in tags):
        raise WrongData(_("tags: 1 to %d names.") % MOST_TAGS, field="data")
    return {"tags": tags}


def _clean_assignee(data: Mapping[str, Any]) -> dict[str, Any]:
    only(data, "assignee")
    email = data.get("assignee")
    if email is not None and not (isinstance(email, str) and _staff(email)):
        raise WrongData(NotStaff.message, field="data")
    return {"assignee": email and email.lower()}


def _clean_note(data: Mapping[str, Any]) -> dict[str, Any]:
    only(data, "message", "is_public")
    is_public = data.get("is_public", False)
    if not isinstance(is_public, bool):
        raise WrongData(_("is_public: true or false."), field="data")
    return {"message": text(data, "message", 5000, required=True), "is_public": is_public}


def _staff(email: str) -> User | None:
    return User.objects.filter(email=email.lower(), is_staff=True, is_active=True).first()


def _mover(event: str) -> Callable[[Order, Mapping[str, Any]], Order]:
    def run(order: Order, data: Mapping[str, Any]) -> Order:
        status = states.target(order.status, event) or order.status
        return move_by_staff(order=order, status=status, note=data.get("reason", ""))

    return run


def _assign(order: Order, data: Mapping[str, Any]) -> None:
    email = data["assignee"]
    who = _staff(email) if email else None
    if email and who is None:
        raise NotStaff(field="assignee")
    assign(order=order, assignee=who)


_MOVE, _ORGANIZE = "orders.transition_order", "orders.organize_order"

register_verb(
    Verb(name="process", label=_("Mark as processing"), permission=_MOVE, run=_mover("process")),
    Verb(name="deliver", label=_("Mark as delivered"), permission=_MOVE, run=_mover("deliver")),
    Verb(name="complete", label=_("Complete"), permission=_MOVE, run=_mover("complete")),
    Verb(
        name="cancel",
        label=_("Cancel order"),
        permission="orders.cancel_order",
        run=_mover("cancel"),
        clean=_clean_reason,
    ),
    Verb(
        name="tag",
        label=_("Add tags"),
        permission=_ORGANIZE,
        run=lambda order, data: add_tags(order=order, tags=data["tags"]),
        clean=_clean_tags,
    ),
    Verb(
        name="untag",
        label=_("Remove tags"),
        permission=_ORGANIZE,
        run=lambda order, data: remove_tags(order=order, tags=data["tags"]),
        clean=_clean_tags,
    ),
    Verb(
        name="assign",
        label=_("Assign"),
        permission=_ORGANIZE,
        run=_assign,
        clean=_clean_assignee,
    ),
    Verb(
        name="note",
        label=_("Add note"),
        permission="orders.note_order",
        run=lambda order, data: add_note(order=order, **data),
        clean=_clean_note,
    ),
)
