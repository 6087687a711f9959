"""Fields that several rooms' buttons ask with: items to add, an address."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.core.admin_actions import ActionForm
from apps.core.scopes import narrow
from apps.core.tags import LONGEST_TAG, MOST_TAGS

ADDRESS_LABELS = {
    "first_name": _("First name"),
    "last_name": _("Last name"),
    "company": _("Company"),
    "line1": _("Address"),
    "line2": _("Address, second line"),
    "postal_code": _("Postal code"),
    "city": _("City"),
    "region": _("Region (code)"),
    "country": _("Country (code)"),
    "phone": _("Phone"),
    "vat_number": _("VAT number"),
}


class ItemsField(forms.CharField):
    """A SKU and a quantity on each line; cleaned to a dict of pieces by SKU."""

    def __init__(self, **kwargs: Any) -> None:
        known = {
            "label": _("Items to add"),
            "max_length": 5000,
            "widget": UnfoldAdminTextareaWidget(attrs={"rows": 3}),
            "help_text": _("One on each line: SKU and quantity, like MUG-RED 2."),
        }
        super().__init__(**{**known, **kwargs})

    def clean(self, value: Any) -> dict[str, int]:
        pieces: dict[str, int] = {}
        for row in filter(None, map(str.strip, super().clean(value).splitlines())):
            sku, _space, quantity = row.rpartition(" ")
            is_number = quantity.isascii() and quantity.isdigit() and len(quantity) < 8
            if not sku or not is_number or not int(quantity):
                raise ValidationError(_("%(row)s isn't a SKU and a quantity.") % {"row": row[:100]})
            pieces[sku.strip()] = pieces.get(sku.strip(), 0) + int(quantity)
        return pieces


def address_fields(known: Mapping[str, Any]) -> dict[str, forms.Field]:
    """A field for each part of an address, with what is known of it."""
    return {
        name: forms.CharField(
            label=label,
            required=False,
            max_length=200,
            initial=known.get(name, ""),
            widget=UnfoldAdminTextInputWidget,
        )
        for name, label in ADDRESS_LABELS.items()
    }


class ScopedChoiceField(forms.ModelChoiceField):
    """A row that the acting staff may see (`scopes.narrow`)."""

    def __deepcopy__(self, memo: Any) -> Any:
        # Each form has its own copy.
        copy: Any = super().__deepcopy__(memo)
        narrow(copy)
        return copy


class TagsForm(ActionForm):
    """All tags of one thing (which has `tags`), or those that a choice of many is to get."""

    tags = forms.CharField(
        label=_("Tags"),
        required=False,
        max_length=(LONGEST_TAG + 2) * MOST_TAGS,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Separated by commas."),
    )

    def __init__(self, obj: Any, *args: Any, **kwargs: Any) -> None:
        super().__init__(obj, *args, **kwargs)
        if hasattr(obj, "tags"):
            self.fields["tags"].initial = ", ".join(tag.name for tag in obj.tags.all())

    def clean_tags(self) -> list[str]:
        return [name.strip() for name in self.cleaned_data["tags"].split(",") if name.strip()]
