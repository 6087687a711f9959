"""The shop's forms. They read and label; what is right, the services and `core.addresses` say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from django import forms
from django.apps import apps
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core.addresses import (
    FIELDS,
    InvalidAddress,
    clean_address,
    country_form,
    country_names,
    is_country,
)
from apps.core.errors import DomainError
from apps.core.networks import NetworksField
from apps.core.photos import CONTENT_TYPES, MAX_BYTES, MAX_PHOTOS
from apps.returns.models import Condition, ReturnLine, ReturnRequest
from apps.returns.selectors import Choice, Terms
from apps.returns.services import Wish
from apps.reviews.models import STARS, ReviewReport
from apps.wishlists.models import Alert

MOST = 1_000_000
_REGIONS = {
    "county": _("County"),
    "department": _("Department"),
    "district": _("District"),
    "emirate": _("Emirate"),
    "island": _("Island"),
    "oblast": _("Oblast"),
    "parish": _("Parish"),
    "prefecture": _("Prefecture"),
    "province": _("Province"),
    "state": _("State"),
}
_POSTAL_CODES = {
    "eircode": _("Eircode"),
    "pin": _("PIN code"),
    "postal": _("Postal code"),
    "zip": _("ZIP code"),
}


def _text(label: Any, autocomplete: str, max_length: int = 120, **more: Any) -> forms.CharField:
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(
        label=label, max_length=max_length, widget=widget, **{"required": False, **more}
    )


def _email() -> forms.EmailField:
    widget = forms.EmailInput(attrs={"autocomplete": "email"})
    return forms.EmailField(label=_("E-mail"), max_length=254, widget=widget)


def _password() -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


def _new_password() -> forms.CharField:
    return forms.CharField(
        label=_("Password"),
        max_length=256,
        strip=False,
        help_text=_("At least eight characters, not only digits, and not one that many use."),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )


def add_problem(form: forms.Form, error: DomainError) -> None:
    """Tell a refusal at the field it is about; a password's rules one by one."""
    rules = [rule["message"] for rule in error.extra.get("errors", [])]
    for message in rules or [str(error)]:
        form.add_error(error.field if error.field in form.fields else None, message)


class ApiKeyForm(forms.Form):
    name = _text(_("Name"), "off", 100, required=True)
    scopes = forms.MultipleChoiceField(
        label=_("What it may do"), widget=forms.SelectMultiple(attrs={"size": 12})
    )
    allowed_networks = NetworksField(
        label=_("Allowed networks"),
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_("Addresses and networks (CIDR) it is taken from; empty: from anywhere."),
    )
    days = forms.TypedChoiceField(
        label=_("Lives"),
        coerce=int,
        initial=365,
        choices=[(30, _("30 days")), (90, _("90 days")), (365, _("a year")), (0, _("for ever"))],
    )

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = groupby(sorted(user.get_all_permissions()), lambda name: name.partition(".")[0])
        self.fields["scopes"].choices = [
            (apps.get_app_config(label).verbose_name, [(name, name) for name in names])
            for label, names in mine
        ]


class RotationForm(forms.Form):
    overlap_hours = forms.TypedChoiceField(
        label=_("The former one works on for"),
        coerce=int,
        initial=24,
        choices=[(0, _("no time")), (1, _("an hour")), (24, _("a day")), (168, _("a week"))],
    )


class LineForm(forms.Form):
    sku = forms.CharField(max_length=100)
    quantity = forms.IntegerField(min_value=1, max_value=MOST)


class QuantityForm(forms.Form):
    quantity = forms.IntegerField(min_value=0, max_value=MOST)


class WishForm(forms.Form):
    slug = forms.CharField(max_length=200)
    sku = forms.CharField(max_length=100, required=False)


class WishlistForm(forms.Form):
    name = _text(_("Name"), "off", 100, required=True)


class AlertForm(forms.Form):
    kind = forms.ChoiceField(choices=Alert.Kind.choices)
    sku = forms.CharField(max_length=100)
    email = forms.EmailField(max_length=254, required=False)
    target = forms.CharField(max_length=20, required=False)

    def __init__(self, *args: Any, needs_email: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["email"].required = needs_email


class RecipientForm(forms.Form):
    """Who gets a gift card; without an address, the buyer."""

    recipient_email = forms.EmailField(max_length=254, required=False)
    sender_name = forms.CharField(max_length=100, required=False)
    message = forms.CharField(max_length=500, required=False)


class AddressForm(forms.Form):
    """Contact and address, in the form of the country that `data` or `initial` names."""

    email = _email()
    country = forms.ChoiceField(
        label=_("Country"), widget=forms.Select(attrs={"autocomplete": "country"})
    )
    first_name = _text(_("First name"), "given-name")
    last_name = _text(_("Last name"), "family-name")
    company = _text(_("Company (optional)"), "organization")
    line1 = _text(_("Street and number"), "address-line1")
    line2 = _text(_("Flat, floor, … (optional)"), "address-line2")
    postal_code = _text(_("Postal code"), "postal-code", 20)
    city = _text(_("Town"), "address-level2")
    region = _text(_("Region"), "address-level1")
    phone = _text(_("Phone (optional)"), "tel", 40)
    vat_number = _text(_("VAT number (optional)"), "off", 40)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["country"].choices = country_names()
        country = str(self["country"].value() or "")
        if not is_country(country):
            return
        form = country_form(country)
        region, code = self.fields["region"], self.fields["postal_code"]
        region.label = _REGIONS.get(form.kinds["region"], region.label)
        code.label = _POSTAL_CODES.get(form.kinds["postal_code"], code.label)
        if form.regions:
            attrs = {"autocomplete": "address-level1"}
            region.widget = forms.Select(attrs, choices=[("", "–"), *form.regions])
        for name in form.required:
            self.fields[name].required = True

    def clean(self) -> dict[str, Any]:
        values = self.cleaned_data
        try:
            self.address = clean_address({name: values.get(name, "") for name in FIELDS})
        except InvalidAddress as error:
            for problem in error.extra["errors"]:
                if problem["field"] not in self.errors:
                    self.add_error(problem["field"], problem["message"])
        return values


class SignInForm(forms.Form):
    email = _email()
    password = _password()


class CodeForm(forms.Form):
    code = forms.CharField(
        label=_("Code"),
        max_length=30,
        help_text=_("Of your authenticator app, or one of your backup codes."),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "autofocus": True}),
    )


class PasswordForm(forms.Form):
    """The password once more. A `user` who has none isn't asked for it."""

    password = _password()

    def __init__(self, *args: Any, user: Any = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if user is not None and not user.has_usable_password():
            del self.fields["password"]


class SwitchOffForm(PasswordForm):
    code = CodeForm.base_fields["code"]


class CredentialForm(forms.Form):
    """What a device answered: filled in by the script."""

    credential = forms.JSONField(widget=forms.HiddenInput)

    def clean_credential(self) -> Any:
        credential = self.cleaned_data["credential"]
        return credential if isinstance(credential, dict) else {}


class PasskeyForm(CredentialForm, PasswordForm):
    name = _text(_("What do you call it?"), "off", 100, required=True)
    field_order = ("name", "password")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "password" in self.fields:
            # Asked for before the device is; the form that brings its answer needn't have it.
            self.fields["password"].required = False


class EmailChangeForm(PasswordForm):
    email = _email()
    field_order = ("email", "password")


class ForgottenForm(forms.Form):
    email = _email()


class PrivacyForm(forms.Form):
    email = _email()
    wish = forms.ChoiceField(
        label=_("What shall we do?"),
        choices=[
            ("export", _("Send me a copy of what you know of me")),
            ("erase", _("Erase what you know of me")),
        ],
    )


class EraseForm(PasswordForm):
    code = forms.CharField(
        label=_("Code of your second factor, if you have one"),
        max_length=20,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "inputmode": "numeric"}),
    )


class NewPasswordForm(forms.Form):
    password = _new_password()


class RegisterForm(forms.Form):
    first_name = _text(_("First name"), "given-name", required=True)
    last_name = _text(_("Last name"), "family-name", required=True)
    email = _email()
    password = _new_password()


class _Photos(forms.ClearableFileInput):
    allow_multiple_selected = True


class _PhotosField(forms.FileField):
    """Several files, or none."""

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        files = data if isinstance(data, list) else [data] if data else []
        return [super(_PhotosField, self).clean(file) for file in files]


def _photos_field() -> _PhotosField:
    return _PhotosField(
        label=_("Photos (optional)"),
        required=False,
        help_text=format_lazy(
            _("At most {count}, each up to {size} MB. We remove where they were taken."),
            count=MAX_PHOTOS,
            size=MAX_BYTES // 1024**2,
        ),
        widget=_Photos(attrs={"accept": ",".join(CONTENT_TYPES)}),
    )


class ReviewForm(forms.Form):
    rating = forms.TypedChoiceField(
        label=_("Stars"), coerce=int, choices=[(stars, stars) for stars in reversed(STARS)]
    )
    title = _text(_("Title (optional)"), "off")
    text = forms.CharField(
        label=_("Your review (optional)"),
        max_length=5000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 6}),
    )
    author_name = _text(_("Name that is shown"), "nickname", 80)
    photos = _photos_field()

    def words(self) -> dict[str, Any]:
        """What the services want to know."""
        return dict(self.cleaned_data)


class ReportForm(forms.Form):
    reason = forms.ChoiceField(label=_("What is wrong with it?"), choices=ReviewReport.Reason)
    text = forms.CharField(
        label=_("More about it (optional)"),
        max_length=1000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 4}),
    )


class ReturnForm(forms.Form):
    """Which pieces of an order come back, and why; a row of fields for each line."""

    kind = forms.ChoiceField(
        label=_("What is it about?"),
        choices=[
            (ReturnRequest.Kind.RETURN, _("I send it back")),
            (ReturnRequest.Kind.DAMAGED, _("It arrived damaged")),
            (ReturnRequest.Kind.LOST, _("It never arrived")),
        ],
    )
    refund_to = forms.ChoiceField(label=_("Refund"), choices=ReturnRequest.RefundTo)
    note = forms.CharField(
        label=_("Note (optional)"),
        max_length=2000,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    photos = _photos_field()

    def __init__(
        self,
        *args: Any,
        terms: Sequence[Terms],
        exchanges: Mapping[int, Sequence[Choice]],
        has_account: bool,
        **kwargs: Any,
    ) -> None:
        super().__init__(*args, **kwargs)
        self.terms = [one for one in terms if one.pieces]
        if not has_account:
            self.fields["refund_to"].choices = [
                choice
                for choice in ReturnRequest.RefundTo.choices
                if choice[0] != ReturnRequest.RefundTo.STORE_CREDIT
            ]
        for one in self.terms:
            name = str(one.line.public_id)
            self.fields[f"pieces-{name}"] = forms.TypedChoiceField(
                label=_("Pieces"), coerce=int, choices=[(n, n) for n in range(one.pieces + 1)]
            )
            self.fields[f"reason-{name}"] = forms.ChoiceField(
                label=_("Reason"), choices=ReturnLine.Reason
            )
            self.fields[f"condition-{name}"] = forms.ChoiceField(
                label=_("Condition"), choices=Condition, initial=Condition.UNUSED
            )
            choices = [(x.sku, x.label) for x in exchanges.get(one.line.pk, ())]
            self.fields[f"exchange-{name}"] = forms.ChoiceField(
                label=_("In exchange for"),
                choices=[("", _("Nothing: I want my money back")), *choices],
                required=False,
            )

    def rows(self) -> list[tuple[Terms, list[Any]]]:
        """Each line's terms and fields."""
        names = ("pieces", "reason", "condition", "exchange")
        return [
            (one, [self[f"{name}-{one.line.public_id}"] for name in names]) for one in self.terms
        ]

    def wishes(self) -> list[Wish]:
        """What is to come back."""
        data = self.cleaned_data
        return [
            Wish(
                *(key, pieces, data[f"reason-{key}"], data[f"condition-{key}"]),
                exchange_for=data[f"exchange-{key}"],
            )
            for key in (one.line.public_id for one in self.terms)
            if (pieces := data[f"pieces-{key}"])
        ]


class WithdrawForm(forms.Form):
    """A consumer's statement: who withdraws from which contract, and where to acknowledge it."""

    name = _text(_("Your name"), "name", 200, required=True)
    number = _text(_("Number of the order"), "off", 30, required=True)
    email = _email()
