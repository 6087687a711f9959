"""Tax classes and rates, settings of stores, exemptions of customers, checks of VAT numbers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from apps.core.admin import ModelAdmin, ReadOnlyAdmin
from apps.core.admin_actions import Action, extend_actions
from apps.core.admin_previews import Preview, PreviewsMixin, extend_previews
from apps.core.fields import AmountModelForm
from apps.taxes.engines.territories import normalised_postcode
from apps.taxes.models import TaxClass, TaxExemption, TaxRate, TaxSettings, VATCheck
from apps.taxes.selectors import TaxQuestion, decide
from apps.taxes.services import (
    InvalidExemption,
    InvalidTaxRate,
    InvalidTaxSettings,
    check_exemption,
    check_rate,
    check_settings,
    check_vat_number,
    class_in_use,
)


class TaxRateForm(AmountModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        for name in ("country", "region"):
            cleaned[name] = cleaned[name].upper()
        for name in ("postcode_from", "postcode_to"):
            cleaned[name] = normalised_postcode(cleaned[name])
        names = (
            "country",
            "region",
            "postcode_from",
            "postcode_to",
            "level",
            "applies",
            "valid_from",
            "valid_to",
        )
        try:
            check_rate(TaxRate(**{name: cleaned.get(name) for name in names}))
        except InvalidTaxRate as error:
            self.add_error(error.field, str(error))
        return cleaned


@admin.register(TaxClass)
class TaxClassAdmin(ModelAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        # Products name their class by its code.
        return [*super().get_readonly_fields(request, obj), *(["code"] if obj else [])]

    def has_delete_permission(self, request: HttpRequest, obj: TaxClass | None = None) -> bool:
        # Its products would be sold without tax.
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not class_in_use(obj))


@admin.register(TaxRate)
class TaxRateAdmin(ModelAdmin):
    form = TaxRateForm
    list_display = (
        "name",
        "tax_class",
        "country",
        "region",
        "postcode_from",
        "level",
        "percent",
        "valid_from",
        "valid_to",
    )
    list_filter = ("tax_class", "level", "country")
    list_select_related = ("tax_class",)
    search_fields = ("name", "country", "region")
    ordering = ("country", "region", "tax_class")
    autocomplete_fields = ("tax_class",)
    fieldsets = (
        (None, {"fields": (("name", "percent"), "tax_class")}),
        (_("Where"), {"fields": (("country", "region"), ("postcode_from", "postcode_to"))}),
        (_("How"), {"fields": (("level", "applies"),)}),
        (_("When"), {"fields": (("valid_from", "valid_to"), "source")}),
    )


class PlacesField(forms.CharField):
    """Codes of countries or regions, separated by commas."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs.setdefault("widget", UnfoldAdminTextInputWidget())
        super().__init__(required=False, max_length=1500, **kwargs)

    def prepare_value(self, value: Any) -> Any:
        return ", ".join(value) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)

    def clean(self, value: Any) -> list[str]:
        typed = str(super().clean(value)).upper().split(",")
        return [place.strip() for place in typed if place.strip()]


class TaxSettingsForm(AmountModelForm):
    registrations = PlacesField(
        label=_("Registered in"),
        help_text=_("Further countries with a tax number of the seller's: GB, CH."),
    )
    nexus = PlacesField(
        label=_("Nexus"),
        help_text=_("US states where tax must be collected: CA, NY. Empty: all."),
    )
    engine = forms.ChoiceField(
        label=_("Tax engine"),
        required=False,
        widget=UnfoldAdminSelectWidget(),
        help_text=_("Who says the rates instead of the table, which stands in for it."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields.get("engine")
        if field is not None:
            codes = dict.fromkeys(["", *settings.TAX_ENGINES, self.instance.engine])
            field.choices = [(code, code or _("none")) for code in codes]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        cleaned["region"] = cleaned["region"].upper()
        names = ("region", "vat_number", "registrations", "nexus", "engine")
        try:
            check_settings(known=TaxSettings(**{name: cleaned[name] for name in names}))
        except InvalidTaxSettings as error:
            self.add_error(error.field, str(error))
        return cleaned


@admin.register(TaxSettings)
class TaxSettingsAdmin(PreviewsMixin, ModelAdmin):
    form = TaxSettingsForm
    list_display = ("store", "vat_number", "oss_from", "keeps_gross")
    list_select_related = ("store",)
    search_fields = ("store__name", "store__code", "vat_number")
    ordering = ("store__code",)
    autocomplete_fields = ("store",)
    fieldsets = (
        (None, {"fields": ("store", "vat_number", "keeps_gross", "engine")}),
        (_("European Union"), {"fields": ("oss_from", "registrations")}),
        (_("United States and India"), {"fields": ("nexus", "region")}),
    )


class PlaceForm(forms.Form):
    """Where a sale goes, and to whom."""

    country = forms.CharField(
        label=_("Country"),
        max_length=2,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("Two letters: ES. Empty: the store's."),
    )
    region = forms.CharField(
        label=_("Region"), max_length=10, required=False, widget=UnfoldAdminTextInputWidget()
    )
    postal_code = forms.CharField(
        label=_("Postcode"), max_length=20, required=False, widget=UnfoldAdminTextInputWidget()
    )
    vat_number = forms.CharField(
        label=_("VAT number"),
        max_length=20,
        required=False,
        widget=UnfoldAdminTextInputWidget(),
        help_text=_("VIES isn't asked: what it said within 30 days counts."),
    )


def _due(draft: TaxSettings, data: Mapping[str, Any]) -> dict[str, Any]:
    """What is due at a place under settings that aren't saved."""
    address = {name: value.strip() for name, value in data.items()}
    for name in ("country", "region"):
        address[name] = address[name].upper()
    answer = decide(TaxQuestion(draft.store, address, timezone.localdate()))
    rates = sorted(answer.rates.items())
    return {
        "answer": answer,
        "rates": [(code, rate) for code, found in rates for rate in found],
        "facts": [
            (name, str(fact)) for _step, facts in answer.steps for name, fact in facts.items()
        ],
    }


extend_previews(
    TaxSettings,
    Preview(
        name="place",
        label=_("What is due at an address"),
        intro=_(
            "By the settings above, saved or not, and today's rates. Nothing is changed, and a tax"
            " engine isn't asked: what it said lately counts."
        ),
        button=_("Try"),
        permission="taxes.view_taxrate",
        form=PlaceForm,
        run=_due,
        template="admin/taxes/due.html",
    ),
)


class TaxExemptionForm(AmountModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if self.errors:
            return cleaned
        for name in ("country", "region"):
            cleaned[name] = cleaned[name].upper()
        names = ("country", "region", "valid_from", "valid_to")
        try:
            check_exemption(exemption=TaxExemption(**{name: cleaned[name] for name in names}))
        except InvalidExemption as error:
            self.add_error(error.field, str(error))
        return cleaned


@admin.register(TaxExemption)
class TaxExemptionAdmin(ModelAdmin):
    form = TaxExemptionForm
    list_display = ("certificate", "customer", "country", "region", "valid_to", "is_active")
    list_filter = ("is_active", "country")
    list_select_related = ("customer",)
    search_fields = ("certificate", "customer__email")
    ordering = ("-pk",)
    autocomplete_fields = ("customer",)
    fieldsets = (
        (None, {"fields": ("customer", ("certificate", "reason"), "is_active")}),
        (_("Where"), {"fields": (("country", "region"),)}),
        (_("When"), {"fields": (("valid_from", "valid_to"),)}),
    )


@admin.register(VATCheck)
class VATCheckAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "country", "number", "verdict", "name", "fault", "consultation")
    list_filter = ("verdict", "country")
    search_fields = ("number", "name", "consultation")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    fieldsets = (
        (None, {"fields": (("country", "number"), "verdict", "created_at")}),
        (_("Registered as"), {"fields": ("name", "address")}),
        (_("Evidence"), {"fields": ("requester", "consultation", "fault", "answer")}),
    )


extend_actions(
    VATCheck,
    Action(
        name="again",
        label=_("Check again"),
        done=_("The newest check stands first in the list; a valid one isn't asked for 30 days."),
        permission="taxes.add_vatcheck",
        run=lambda check, data: check_vat_number(number=check.country + check.number),
        icon="refresh",
    ),
)
