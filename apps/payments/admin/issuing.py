"""The forms of gift cards and store credit: what a person types, what a service takes."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.admin_actions import ActionForm
from apps.core.admin_fields import ScopedChoiceField
from apps.core.money import CURRENCY_CHOICES, MoneyError, to_minor
from apps.payments import services
from apps.stores.models import Store


def _amount(label: Any, help_text: Any = "") -> forms.DecimalField:
    widget = UnfoldAdminDecimalFieldWidget(attrs={"step": "any"})
    return forms.DecimalField(label=label, help_text=help_text, max_digits=20, widget=widget)


def _minor(value: Decimal, currency: str) -> int:
    try:
        return to_minor(value, currency)
    except MoneyError as error:
        raise ValidationError(str(error)) from error


def _reason() -> forms.CharField:
    widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
    return forms.CharField(label=_("Reason"), max_length=300, widget=widget)


class AdjustForm(ActionForm):
    """The cleaned amount is in minor units of the balance's currency."""

    intro = _("Below zero it takes money off. The reason stays in the ledger.")
    amount = _amount(_("Change"))
    reason = _reason()

    def clean_amount(self) -> int:
        return _minor(self.cleaned_data["amount"], self.obj.currency)


class DisableForm(ActionForm):
    intro = _("Nobody can spend the card any more. What is on it stays owed until you adjust it.")
    reason = _reason()


class ResendForm(ActionForm):
    intro = _("The card gets a new code; the old one is dead from now on.")
    recipient_email = forms.EmailField(
        label=_("Recipient"), required=False, widget=UnfoldAdminEmailInputWidget
    )

    def __init__(self, card: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(card, *args, **kwargs)
        self.fields["recipient_email"].initial = card.recipient_email


class CreditForm(ActionForm):
    """For a customer; the cleaned amount is in minor units."""

    intro = _("Below zero it takes money off.")
    amount = _amount(_("Amount"))
    currency = forms.ChoiceField(
        label=_("Currency"), choices=CURRENCY_CHOICES, widget=UnfoldAdminSelectWidget
    )
    reason = _reason()

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if "amount" in data and "currency" in data:
            data["amount"] = _minor(data["amount"], data["currency"])
        return data


class IssueForm(forms.Form):
    """One card for somebody, or many to hand out."""

    once = forms.CharField(widget=forms.HiddenInput, max_length=60, initial=lambda: str(uuid4()))
    store = ScopedChoiceField(
        Store.objects.all(), label=_("Store"), widget=UnfoldAdminSelectWidget, empty_label=None
    )
    amount = _amount(_("Amount of each card"))
    currency = forms.ChoiceField(
        label=_("Currency"), choices=CURRENCY_CHOICES, widget=UnfoldAdminSelectWidget
    )
    number = forms.IntegerField(
        label=_("Number of cards"),
        initial=1,
        min_value=1,
        max_value=services.MOST_AT_ONCE,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    expires_on = forms.DateField(
        label=_("Last day"),
        required=False,
        widget=UnfoldAdminSingleDateWidget,
        help_text=_("Empty: never expires. Many countries forbid short lives."),
    )
    recipient_email = forms.EmailField(
        label=_("Recipient"),
        required=False,
        widget=UnfoldAdminEmailInputWidget,
        help_text=_("One card is mailed there. Without a recipient you get a file with the codes."),
    )
    sender_name = forms.CharField(
        label=_("From"), required=False, max_length=100, widget=UnfoldAdminTextInputWidget
    )
    message = forms.CharField(
        label=_("Message"), required=False, max_length=500, widget=UnfoldAdminTextareaWidget
    )

    def clean(self) -> dict[str, Any]:
        data = self.cleaned_data
        if data.get("recipient_email") and data.get("number", 1) > 1:
            self.add_error("recipient_email", _("Only one card can be mailed at a time."))
        if "amount" in data and "currency" in data:
            try:
                data["amount"] = _minor(data["amount"], data["currency"])
            except ValidationError as error:
                self.add_error("amount", error)
        return data

    def draft(self) -> services.GiftCardDraft:
        """The page's own key is the reference: sending the page twice issues once."""
        data = self.cleaned_data
        last = data["expires_on"]
        midnight = last and datetime.combine(last + timedelta(days=1), time())
        return services.GiftCardDraft(
            store=data["store"],
            currency=data["currency"],
            amount=data["amount"],
            expires_at=midnight and timezone.make_aware(midnight),
            recipient_email=data["recipient_email"],
            sender_name=data["sender_name"],
            message=data["message"],
            language=(data["store"].languages or ["en"])[0],
            reference=f"page:{data['once']}",
        )
