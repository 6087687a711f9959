"""Model fields: amounts, integers in the database and decimals in forms; sealed secrets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.storage import Storage, storages
from django.db import models

from apps.core.money import MoneyError, exponent, to_decimal, to_minor
from apps.core.secrets import SHOWN, Sealed


def private_storage() -> Storage:
    """Where files lie that nobody may fetch by their address; a FileField's `storage`."""
    return storages["private"]


class AmountField(models.BigIntegerField):
    """Minor units. `currency` is the path from the row to its currency code ("order.currency")."""

    def __init__(self, *args: Any, currency: str = "currency", **kwargs: Any) -> None:
        self.currency_path = currency
        super().__init__(*args, **kwargs)

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.BigIntegerField", args, kwargs

    def currency_of(self, instance: models.Model) -> str:
        """The currency of `instance`'s amount, or "" while it isn't known yet."""
        value: Any = instance
        for part in self.currency_path.split("."):
            try:
                value = getattr(value, part)
            except (AttributeError, models.ObjectDoesNotExist):
                return ""
        return value or ""

    def formfield(self, **kwargs: Any) -> forms.Field | None:
        kwargs.pop("min_value", None)
        kwargs.pop("max_value", None)
        return super(models.BigIntegerField, self).formfield(
            **{"form_class": AmountFormField, **kwargs}
        )


class AmountFormField(forms.DecimalField):
    """What a person types: 12.50. `AmountModelForm` turns it into minor units."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(max_digits=20, **kwargs)
        self.widget.attrs.setdefault("step", "any")


class AmountModelForm(forms.ModelForm):
    """A model form that shows and takes the model's amounts as decimals of their currency."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, field in self._amounts():
            minor = self.initial.get(name)
            currency = field.currency_of(self.instance)
            if isinstance(minor, int) and currency:
                self.initial[name] = to_decimal(minor, currency)

    def _amounts(self) -> list[tuple[str, AmountField]]:
        model_fields = {f.name: f for f in self._meta.model._meta.fields}
        return [
            (name, model_fields[name])
            for name in self.fields
            if isinstance(model_fields.get(name), AmountField)
        ]

    def clean(self) -> dict[str, Any] | None:
        cleaned = super().clean()
        cleaned = self.cleaned_data if cleaned is None else cleaned
        for name, field in self._amounts():
            value = cleaned.get(name)
            if not isinstance(value, Decimal):
                continue
            currency = cleaned.get(field.currency_path) or field.currency_of(self.instance)
            # A foreign key just chosen in this very form: follow the path from its object.
            head, _, tail = field.currency_path.partition(".")
            if not currency and tail and cleaned.get(head) is not None:
                currency = getattr(cleaned[head], tail, "")
            try:
                exponent(str(currency))
                cleaned[name] = to_minor(value, str(currency))
            except MoneyError as error:
                self.add_error(name, ValidationError(str(error)))
        return cleaned


class SealedField(models.TextField):
    """Named secrets, encrypted (`core.secrets.seal`); no form and no export has them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "editable": False, "blank": True, "default": ""})

    # For type checkers, which take a text field's values for texts.
    _pyi_private_set_type: Sealed  # type: ignore[assignment]
    _pyi_private_get_type: Sealed  # type: ignore[assignment]

    def deconstruct(self) -> tuple[str, str, Any, Any]:
        name, _path, args, kwargs = super().deconstruct()
        return name, "django.db.models.TextField", args, kwargs

    def from_db_value(self, value: str | None, expression: Any, connection: Any) -> Sealed:
        return Sealed(value or "")

    def get_default(self) -> Sealed:
        return Sealed("")

    def to_python(self, value: Any) -> Any:
        return value

    def get_prep_value(self, value: Any) -> str:
        """Raises TypeError for anything that isn't sealed."""
        if not isinstance(value, Sealed):
            raise TypeError(f"{self.name} takes what `seal` made.")
        return value.stored

    def value_to_string(self, obj: models.Model) -> str:
        return SHOWN if self.value_from_object(obj) else ""
