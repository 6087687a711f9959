"""What the buttons of returns ask the staff."""

from __future__ import annotations

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.core.admin import money_text
from apps.core.admin_actions import ActionForm, pieces_field
from apps.core.admin_fields import ScopedChoiceField
from apps.inventory.models import Location
from apps.orders.models import Order
from apps.returns import services
from apps.returns.models import Inspection, ReturnLine, ReturnRequest
from apps.shipping.carriers import label_carriers

_Outcome = Inspection.Outcome
# What isn't one of these goes back to stock.
APART = (_Outcome.DAMAGED, _Outcome.QUARANTINE, _Outcome.SCRAP, _Outcome.REFUSED)


class _LinesForm(ActionForm):
    """A number of pieces for each line, under the line's public id; the form's own fields below."""

    def rows(self) -> list[tuple[str, str, int, int]]:
        """Field, label, most, initial."""
        raise NotImplementedError

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        own, self.fields = self.fields, {}
        if isinstance(obj, (Order, ReturnRequest)):
            for name, label, most, initial in self.rows():
                self.fields[name] = pieces_field(
                    label, initial=initial, most=most, help_text=_("At most %d.") % most
                )
        self.names = [*self.fields]
        self.fields |= own

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        pieces = {name: cleaned.pop(name, 0) for name in self.names}
        return {**cleaned, "pieces": pieces}


class AskForm(_LinesForm):
    kind = forms.ChoiceField(
        label=_("Kind"), choices=ReturnRequest.Kind, widget=UnfoldAdminSelectWidget
    )
    reason = forms.ChoiceField(
        label=_("Reason"), choices=ReturnLine.Reason, widget=UnfoldAdminSelectWidget
    )
    exchange = forms.CharField(
        label=_("Exchange for"),
        required=False,
        max_length=100,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("The SKU that is sent instead, a piece for each. Empty: it is refunded."),
    )
    note = forms.CharField(
        label=_("Note"),
        required=False,
        max_length=2000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def rows(self) -> list[tuple[str, str, int, int]]:
        return [
            (str(line.public_id), f"{line.name} ({line.sku})", left, 0)
            for line in self.obj.lines.all()
            if (left := line.fulfilled_quantity - line.returned_quantity)
        ]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if not any(cleaned["pieces"].values()) and not self.errors:
            raise ValidationError(_("Choose at least one piece."))
        return cleaned


class ReceiveForm(_LinesForm):
    location = ScopedChoiceField(
        Location.objects.filter(is_active=True),
        label=_("Location"),
        widget=UnfoldAdminSelectWidget,
    )

    def rows(self) -> list[tuple[str, str, int, int]]:
        return [
            (str(line.public_id), str(line.order_line.sku), line.quantity, line.quantity)
            for line in self.obj.lines.select_related("order_line")
        ]


class InspectForm(_LinesForm):
    """What isn't named goes back to stock."""

    def rows(self) -> list[tuple[str, str, int, int]]:
        return [
            (
                f"{line.public_id}:{outcome}",
                f"{line.order_line.sku}: {outcome.label}",
                line.received_quantity,
                0,
            )
            for line in self.obj.lines.select_related("order_line")
            if line.received_quantity
            for outcome in APART
        ]


class LabelForm(ActionForm):
    carrier = forms.ChoiceField(label=_("Carrier"), widget=UnfoldAdminSelectWidget)
    service = forms.CharField(
        label=_("Service"),
        max_length=60,
        help_text=_("The carrier's code of its service."),
        widget=UnfoldAdminTextInputWidget,
    )
    location = ScopedChoiceField(
        Location.objects.filter(is_active=True),
        label=_("To"),
        required=False,
        widget=UnfoldAdminSelectWidget,
        help_text=_("Empty: where the store sends from first."),
    )

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        codes: Any = self.fields["carrier"]
        codes.choices = [(code, code) for code in label_carriers()]


class DeclineForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=500,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("The customer reads it."),
    )


class RefundForm(ActionForm):
    """Shows what would be given back now."""

    refund_to = forms.ChoiceField(
        label=_("Refund to"), choices=ReturnRequest.RefundTo, widget=UnfoldAdminSelectWidget
    )
    waive_fee = forms.BooleanField(
        label=_("Without the restocking fee"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        if not isinstance(obj, ReturnRequest):
            return
        self.fields["refund_to"].initial = obj.refund_to
        lines = services.lines_to_settle(obj)
        found, _quotation = services.propose(order=obj.order, lines=lines, is_claim=obj.is_claim)
        names = ("paid", "goods", "fee", "shipping", "refund", "credit", "to_pay")
        texts = {name: money_text(getattr(found, name), obj.order.currency) for name in names}
        self.fields["refund_to"].help_text = (
            _(
                "%(refund)s: goods %(goods)s (paid %(paid)s), fee %(fee)s, shipping %(shipping)s."
                " Goods are less than paid where what is kept breaks a promotion."
            )
            % texts
        )
        if found.replacement is not None:
            self.fields["refund_to"].help_text += " " + (
                _("Of it %(credit)s pay the replacement; the customer pays %(to_pay)s more.")
                % texts
            )
