"""The buttons of a customer: each calls one service."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.admin_fields import TagsForm
from apps.core.errors import DomainError
from apps.customers.models import Customer
from apps.customers.selectors import duplicates_of
from apps.customers.services.merging import check_mergeable, merge_customers, what_would_move
from apps.customers.services.profile import set_tags
from apps.customers.services.timeline import add_note


class NoteForm(ActionForm):
    message = forms.CharField(
        label=_("Note"),
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 5}),
        help_text=_("On the timeline, for staff alone."),
    )


class MergeForm(ActionForm):
    """Sent once it shows what would move; sent again for the same customer it merges."""

    other = forms.CharField(
        label=_("Customer who goes"),
        max_length=254,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The e-mail address or the id."),
    )
    seen = forms.CharField(widget=forms.HiddenInput, required=False, max_length=36)

    def __init__(self, obj: Customer, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        found = [f"{row} ({row.public_id}): {', '.join(why)}" for row, why in _found(obj)]
        self.intro = " · ".join(found) or _("Nobody looks like the same person.")

    def clean(self) -> dict[str, Any]:
        data = super().clean() or self.cleaned_data
        if self.errors:
            return data
        merged = _other(self.obj, data["other"])
        try:
            check_mergeable(kept=self.obj, merged=merged)
        except DomainError as error:
            raise ValidationError({"other": str(error)}) from error
        if data["seen"] != str(merged.public_id):
            self.data = {**self.data, "seen": str(merged.public_id)}
            raise ValidationError(_outlook(merged))
        return {"once": data["once"], "merged": merged}


def _found(customer: Customer) -> list[tuple[Customer, list[str]]]:
    labels = {"email": _("mailbox"), "phone": _("phone"), "address": _("address")}
    found = duplicates_of(customer).items()
    return [(row, [str(labels[reason]) for reason in reasons]) for row, reasons in found]


def _other(customer: Customer, named: str) -> Customer:
    rows = Customer.objects.exclude(pk=customer.pk)
    try:
        found = list(rows.filter(public_id=UUID(named)))
    except ValueError:
        found = list(rows.filter(email__iexact=named)[:2])
    if len(found) == 1:
        return found[0]
    several = _("There are several customers with this address; name one by the id.")
    raise ValidationError({"other": several if found else _("There is no such customer.")})


def _outlook(merged: Customer) -> str:
    counts = what_would_move(merged=merged)
    told = (f"{count} {model._meta.verbose_name_plural}" for model, count in counts.items())
    return _("%(customer)s would be gone, and this would move: %(rows)s. Send again to merge.") % {
        "customer": f"{merged} ({merged.first_name} {merged.last_name})",
        "rows": ", ".join(told) or "–",
    }


extend_actions(
    Customer,
    Action(
        name="note",
        label=_("Add a note"),
        done=_("The note is on the timeline."),
        permission="customers.change_customer",
        run=lambda customer, data: add_note(customer=customer, **data),
        form=NoteForm,
        icon="note_add",
    ),
    Action(
        name="tags",
        label=_("Tags"),
        done=_("The tags are set."),
        permission="customers.change_customer",
        run=lambda customer, data: set_tags(customer=customer, **data),
        form=TagsForm,
        icon="sell",
    ),
    Action(
        name="merge",
        label=_("Merge another customer into this one"),
        done=_("The two are one."),
        permission="customers.merge_customer",
        run=lambda customer, data: merge_customers(kept=customer, **data),
        form=MergeForm,
        icon="merge",
        is_danger=True,
    ),
)
