"""Forms of the catalogue: what services would refuse, refused beside its field."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.utils.functional import cached_property
from django.utils.translation import gettext_lazy as _
from unfold.forms import ActionForm
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminSelectMultipleWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from apps.core.fields import AmountModelForm
from apps.core.pictures import InvalidImage, encode_renditions
from apps.products.models import Attribute, Option, OptionValue, Product, ProductImage, Variant
from apps.products.services.attributes import InvalidAttributes, clean_attributes
from apps.products.services.relations import RelatedToItself

ATTRIBUTE = "attribute_"
_Kind = Attribute.Kind


def attribute_fields(product: Product | None) -> dict[str, forms.Field]:
    """A typed form field for each attribute of the product's type."""
    if product is None or product.product_type is None:
        return {}
    return {
        f"{ATTRIBUTE}{attribute.code}": _field(attribute, product.attributes.get(attribute.code))
        for attribute in product.product_type.attributes.all()
    }


def _field(attribute: Attribute, initial: Any) -> forms.Field:
    label = f"{attribute.name} ({attribute.unit})" if attribute.unit else attribute.name
    common: dict[str, Any] = {"label": label, "required": False, "initial": initial}
    choices = [(choice, choice) for choice in attribute.choices]
    if attribute.kind == _Kind.NUMBER:
        return forms.FloatField(widget=UnfoldAdminDecimalFieldWidget, **common)
    if attribute.kind == _Kind.BOOLEAN:
        answers = [("", "—"), (True, _("Yes")), (False, _("No"))]
        return forms.TypedChoiceField(
            choices=answers,
            coerce=lambda value: value == "True",
            empty_value=None,
            widget=UnfoldAdminSelectWidget,
            **common,
        )
    if attribute.kind == _Kind.CHOICE:
        return forms.ChoiceField(
            choices=[("", "—"), *choices], widget=UnfoldAdminSelectWidget, **common
        )
    if attribute.kind == _Kind.CHOICES:
        return forms.MultipleChoiceField(
            choices=choices, widget=UnfoldAdminSelectMultipleWidget, **common
        )
    if attribute.kind == _Kind.DATE:
        return forms.DateField(widget=UnfoldAdminSingleDateWidget, **common)
    return forms.CharField(max_length=1000, widget=UnfoldAdminTextInputWidget, **common)


class ProductForm(AmountModelForm):
    """A product; its typed attributes are fields of their own, added by the page."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "slug" in self.fields:
            self.fields["slug"].required = False
            self.fields["slug"].help_text = _("Made from the name when it is empty.")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        given = {
            name.removeprefix(ATTRIBUTE): value
            for name, value in cleaned.items()
            if name.startswith(ATTRIBUTE)
        }
        product_type = cleaned.get("product_type")
        if product_type != self.instance.product_type:
            # Another type has other attributes: they are asked for on the next page.
            given = {}
        elif not given:
            return cleaned
        try:
            values = {code: _json(value) for code, value in given.items()}
            attributes = clean_attributes(product_type=product_type, values=values)
        except InvalidAttributes as error:
            for code, message in error.problems.items():
                self.add_error(f"{ATTRIBUTE}{code}", message)
        else:
            self.instance.attributes = attributes
        return cleaned


def _json(value: Any) -> Any:
    """What a form field gives, as the API would: nothing, or a JSON value."""
    if value in ("", None, []):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


class OptionForm(AmountModelForm):
    values = forms.CharField(
        label=_("Values"),
        widget=UnfoldAdminTextInputWidget,
        max_length=5000,
        help_text=_("Separated by commas, in their order."),
    )

    class Meta:
        model = Option
        fields = ("name", "values")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            self.initial["values"] = ", ".join(v.value for v in self.instance.values.all())

    def clean_values(self) -> list[str]:
        values = [value.strip() for value in self.cleaned_data["values"].split(",")]
        values = list(dict.fromkeys(value for value in values if value))
        if not values or any(len(value) > 200 for value in values):
            raise ValidationError(_("One or more values of at most 200 characters."))
        if self.instance.pk:
            used = Variant.objects.filter(option_values__option=self.instance)
            gone = used.exclude(option_values__value__in=values)
            if gone.exists():
                raise ValidationError(_("Variants still have this option."))
        return values


class VariantForm(AmountModelForm):
    """The options of a variant are chosen among those of its product."""

    option_values = forms.ModelMultipleChoiceField(
        label=_("Options"),
        queryset=OptionValue.objects.none(),
        required=False,
        widget=UnfoldAdminSelectMultipleWidget,
    )

    def offer(self, values: Iterable[OptionValue]) -> None:
        """Offer these values, read once for all variants of the page."""
        values = list(values)
        field = self.fields["option_values"]
        field.queryset = OptionValue.objects.filter(pk__in=[value.pk for value in values])
        field.choices = [(value.pk, f"{value.option.name}: {value.value}") for value in values]


def values_of(product: Product) -> list[OptionValue]:
    """The option values a product's variants may have, in their order."""
    if product.pk is None:
        return []
    values = OptionValue.objects.filter(option__product=product).select_related("option")
    return list(values.order_by("option__position", "option", "position", "pk"))


class PublicationForm(AmountModelForm):
    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        # Unsaid it would be everybody's, whatever groups are chosen.
        if data.get("groups") and not data.get("members_only"):
            self.add_error("members_only", _("Groups are chosen: is it only for them?"))
        return data


class RelationForm(AmountModelForm):
    """An inline's own check: Django leaves out constraints on the row that it stands in."""

    def clean_related(self) -> Product:
        related = self.cleaned_data["related"]
        if related.pk == self.instance.product_id:
            raise ValidationError(RelatedToItself.message, RelatedToItself.code)
        return related


class VariantFormSet(BaseInlineFormSet):
    @cached_property
    def _values(self) -> list[OptionValue]:
        return values_of(self.instance)

    def add_fields(self, form: Any, index: int | None) -> None:
        super().add_fields(form, index)
        if "option_values" in form.fields:
            form.offer(self._values)

    def clean(self) -> None:
        super().clean()
        seen: set[frozenset[int]] = set()
        for form in self.forms:
            row = getattr(form, "cleaned_data", {})
            chosen = frozenset(value.pk for value in row.get("option_values") or ())
            if not chosen or row.get("DELETE"):
                continue
            if chosen in seen:
                form.add_error("option_values", _("Another variant has the same options."))
            seen.add(chosen)


class ImageForm(AmountModelForm):
    """A new image is a file or an address; of an old one the text and the position change."""

    upload = forms.FileField(
        label=_("File"), required=False, widget=UnfoldAdminFileFieldWidget, max_length=200
    )

    class Meta:
        model = ProductImage
        fields = ("upload", "source_url", "alt", "position")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            for name in ("upload", "source_url"):
                if name in self.fields:
                    self.fields[name].disabled = True

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.instance.pk or self.errors:
            return cleaned
        upload, url = cleaned.get("upload"), cleaned.get("source_url", "")
        if bool(upload) == bool(url):
            raise ValidationError(_("Give a file or an address."))
        if url and not url.lower().startswith(("http://", "https://")):
            self.add_error("source_url", _("An http or https address is expected."))
        if upload:
            try:
                encode_renditions(upload.read())
            except InvalidImage as error:
                self.add_error("upload", str(error))
            upload.seek(0)
        return cleaned


class RuleWidget(UnfoldAdminTextareaWidget):
    """JSON, on a few lines."""

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        super().__init__({"rows": 4, **(attrs or {})})


class TagActionForm(ActionForm):
    """The bulk actions, with the tag that one of them adds."""

    tag = forms.CharField(
        required=False,
        max_length=100,
        label="",
        widget=UnfoldAdminTextInputWidget(
            {"placeholder": _("Tag"), "x-show": "action == 'add_tag'"}
        ),
    )
