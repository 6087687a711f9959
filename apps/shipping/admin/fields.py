"""Form fields that several pages share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from apps.core.errors import DomainError
from apps.shipping.services import clean_patterns


class PatternsField(forms.CharField):
    """Patterns of places, separated by commas."""

    def __init__(self, *, clean: Callable[[Any], list[str]] = clean_patterns, **kw: Any) -> None:
        self._clean = clean
        super().__init__(max_length=50_000, **kw)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> list[str]:
        typed = str(super().clean(value)).replace("\n", ",").split(",")
        try:
            return self._clean([place for place in typed if place.strip()])
        except DomainError as error:
            raise ValidationError(str(error), code=error.code) from error


def textarea(rows: int = 3) -> forms.Widget:
    return UnfoldAdminTextareaWidget(attrs={"rows": rows})


class PlaceForm(forms.Form):
    """Where something goes."""

    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        min_length=2,
        widget=UnfoldAdminTextInputWidget(attrs={"size": 4}),
        help_text=_("Two letters: ES."),
    )
    region = forms.CharField(
        label=_("Region"), max_length=6, required=False, widget=UnfoldAdminTextInputWidget()
    )
    postal_code = forms.CharField(
        label=_("Postcode"), max_length=20, required=False, widget=UnfoldAdminTextInputWidget()
    )
