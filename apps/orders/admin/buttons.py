"""The buttons of an order: each calls one service."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.accounts.models import User
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.admin_fields import TagsForm
from apps.orders import services, states
from apps.orders.models import Order


class ReasonForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Shown to the customer on the order's timeline."),
    )


class NoteForm(ActionForm):
    message = forms.CharField(
        label=_("Note"), max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 5})
    )
    is_public = forms.BooleanField(
        label=_("Show to the customer"), required=False, widget=UnfoldBooleanSwitchWidget
    )


def assignee_field(help_text: Any = "") -> forms.ModelChoiceField:
    """Somebody of the staff, or nobody."""
    return forms.ModelChoiceField(
        User.objects.filter(is_staff=True, is_active=True).order_by("email"),
        label=_("Assigned to"),
        required=False,
        empty_label=_("Nobody"),
        widget=UnfoldAdminSelectWidget,
        help_text=help_text,
    )


class AssignForm(ActionForm):
    assignee = assignee_field()

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        if isinstance(obj, Order):
            self.fields["assignee"].initial = obj.assignee_id


def _mover(event: str) -> Callable[[Order, Mapping[str, Any]], Order]:
    def run(order: Order, data: Mapping[str, Any]) -> Order:
        # From a state that doesn't know the event the order stays where it is: the service says so.
        status = states.target(order.status, event) or order.status
        return services.move_by_staff(order=order, status=status, note=data.get("reason", ""))

    return run


def _allows(event: str) -> Callable[[Order], bool]:
    return lambda order: event in states.allowed_events(order.status)


# How the transition table's events look as buttons; one that isn't here is named as it is.
_LOOKS: dict[str, dict[str, Any]] = {
    "process": {
        "label": _("Mark as processing"),
        "done": _("The order is being processed."),
        "icon": "package_2",
        "in_list": True,
    },
    "deliver": {
        "label": _("Mark as delivered"),
        "done": _("The order is delivered."),
        "icon": "where_to_vote",
    },
    "complete": {
        "label": _("Complete"),
        "done": _("The order is completed."),
        "icon": "task_alt",
    },
    "cancel": {
        "label": _("Cancel order"),
        "done": _("The order is cancelled."),
        "icon": "cancel",
        "permission": "orders.cancel_order",
        "form": ReasonForm,
        "is_danger": True,
    },
}


def _transitions() -> list[Action]:
    """A button for every event of the table that people may cause."""
    events = dict.fromkeys(event for _state, event in states.TRANSITIONS if event in states.BY_HAND)
    return [
        Action(
            **{
                "name": event,
                "label": event,
                "permission": "orders.transition_order",
                "run": _mover(event),
                "offered": _allows(event),
                **_LOOKS.get(event, {}),
            }
        )
        for event in events
    ]


extend_actions(
    Order,
    *_transitions(),
    Action(
        name="note",
        label=_("Add note"),
        done=_("The note is on the timeline."),
        permission="orders.note_order",
        run=lambda order, data: services.add_note(order=order, **data),
        form=NoteForm,
        icon="edit_note",
    ),
    Action(
        name="tags",
        label=_("Tags"),
        done=_("The tags are set."),
        permission="orders.organize_order",
        run=lambda order, data: services.set_tags(order=order, **data),
        form=TagsForm,
        icon="sell",
    ),
    Action(
        name="assign",
        label=_("Assign"),
        done=_("The order is assigned."),
        permission="orders.organize_order",
        run=lambda order, data: services.assign(order=order, **data),
        form=AssignForm,
        icon="person_check",
    ),
)
