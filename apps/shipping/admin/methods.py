"""Methods with their rates and surcharges, and a page that tries them."""

from __future__ import annotations

import json
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import PermissionDenied, ValidationError
from django.forms import BaseInlineFormSet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
)

from apps.core.admin import ModelAdmin, TabularInline, money_text
from apps.core.admin_fields import ScopedChoiceField
from apps.core.errors import DomainError
from apps.core.fields import AmountModelForm
from apps.core.money import CURRENCY_CHOICES, MoneyError, to_minor
from apps.shipping.admin.fields import PatternsField, PlaceForm, textarea
from apps.shipping.engines.tables import Parcel
from apps.shipping.models import ShippingMethod, ShippingRate, ShippingSurcharge
from apps.shipping.selectors import Tried, tried
from apps.shipping.services import (
    InvalidMethod,
    RateData,
    SurchargeData,
    check_method,
    check_rates,
    check_surcharges,
)
from apps.stores.models import Store

_BOUNDS = ("min_weight", "max_weight", "min_value", "max_value", "min_pieces", "max_pieces")
_RATE = ("currency", "price", "per_kg", "free_above", "free_max_weight", *_BOUNDS)
_SURCHARGE = ("name", "currency", "amount", "percent", "places", "over_weight")
_WEEKDAYS = (
    (1, _("Monday")),
    (2, _("Tuesday")),
    (3, _("Wednesday")),
    (4, _("Thursday")),
    (5, _("Friday")),
    (6, _("Saturday")),
    (7, _("Sunday")),
)
MAX_VOLUME = 10**15
_WHY = {
    "not_here": _("other places only, or a closer zone wins"),
    "no_rate": _("no rate for this parcel and currency"),
}


class _CheckedFormSet(BaseInlineFormSet):
    def rows(self) -> list[dict[str, Any]]:
        """What was typed, of the rows that stay."""
        rows = [form.cleaned_data for form in self.forms if form.cleaned_data]
        return [row for row in rows if not row.get("DELETE")]

    def check_rows(self) -> None:
        raise NotImplementedError

    def clean(self) -> None:
        super().clean()
        if any(self.errors):
            return
        try:
            self.check_rows()
        except DomainError as error:
            raise ValidationError(str(error), code=error.code) from error


class RateFormSet(_CheckedFormSet):
    def check_rows(self) -> None:
        check_rates([RateData(**{name: row[name] for name in _RATE}) for row in self.rows()])


class SurchargeFormSet(_CheckedFormSet):
    def check_rows(self) -> None:
        rows = [{name: row[name] for name in _SURCHARGE} for row in self.rows()]
        check_surcharges([SurchargeData(**{**r, "places": tuple(r["places"])}) for r in rows])


class SurchargeForm(AmountModelForm):
    places = PatternsField(
        label=_("Places"),
        widget=textarea(1),
        required=False,
        help_text=_("Due there alone: ES-GC, ES:07*. Empty: everywhere."),
    )


class RateInline(TabularInline):
    model = ShippingRate
    formset = RateFormSet
    fields = _RATE


class SurchargeInline(TabularInline):
    model = ShippingSurcharge
    formset = SurchargeFormSet
    form = SurchargeForm
    fields = _SURCHARGE


class MethodForm(AmountModelForm):
    weekdays = forms.TypedMultipleChoiceField(
        label=_("Working days"),
        choices=_WEEKDAYS,
        coerce=int,
        widget=UnfoldAdminCheckboxSelectMultipleWidget(),
        help_text=_("On which parcels leave and arrive."),
    )
    carrier = forms.ChoiceField(
        label=_("Carrier"),
        widget=UnfoldAdminSelectWidget(),
        help_text=_("Who sets the price. “table” is the rates below; others fall back to them."),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field: Any = self.fields.get("carrier")
        if field is not None:
            codes = dict.fromkeys([*settings.SHIPPING_CARRIERS, self.instance.carrier])
            field.choices = [(code, code) for code in codes]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            names = ("min_days", "max_days", "weekdays", "carrier")
            try:
                check_method(method=ShippingMethod(**{name: cleaned[name] for name in names}))
            except InvalidMethod as error:
                self.add_error(error.field, str(error))
        return cleaned


class TryForm(PlaceForm):
    """A parcel and where it goes."""

    store = ScopedChoiceField(
        label=_("Store"), queryset=Store.objects.all(), widget=UnfoldAdminSelectWidget()
    )
    currency = forms.ChoiceField(
        label=_("Currency"),
        choices=CURRENCY_CHOICES,
        initial="EUR",
        widget=UnfoldAdminSelectWidget(),
    )
    value = forms.DecimalField(
        label=_("Goods"), min_value=0, max_digits=14, widget=UnfoldAdminDecimalFieldWidget()
    )
    weight = forms.IntegerField(
        label=_("Grams"), min_value=0, max_value=10**9, widget=UnfoldAdminIntegerFieldWidget()
    )
    pieces = forms.IntegerField(
        label=_("Pieces"),
        min_value=1,
        max_value=10**6,
        initial=1,
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    volume = forms.IntegerField(
        label=_("Cubic millimetres"),
        min_value=0,
        max_value=MAX_VOLUME,
        required=False,
        widget=UnfoldAdminIntegerFieldWidget(),
        help_text=_("Length × width × height in mm, of all pieces together."),
    )
    field_order = ("store", "currency", "country", "region", "postal_code")

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        if not self.errors:
            try:
                cleaned["goods"] = to_minor(cleaned["value"], cleaned["currency"])
            except MoneyError as error:
                self.add_error("value", str(error))
        return cleaned

    def answer(self) -> list[Tried]:
        """Every method of the store, with its price for what was typed."""
        data = self.cleaned_data
        parcel = Parcel(data["weight"], data["goods"], data["pieces"], data["volume"] or 0)
        return tried(
            store=data["store"],
            currency=data["currency"],
            address={name: data[name] for name in ("country", "region", "postal_code")},
            parcel=parcel,
            at=timezone.now(),
        )


@admin.register(ShippingMethod)
class ShippingMethodAdmin(ModelAdmin):
    form = MethodForm
    inlines = (RateInline, SurchargeInline)
    change_list_template = "admin/shipping/method_list.html"
    list_display = ("name", "code", "kind", "store", "zone", "min_days", "max_days", "is_active")
    list_filter = ("store", "zone", "kind", "carrier", "is_active")
    list_select_related = ("store", "zone")
    search_fields = ("name", "code")
    autocomplete_fields = ("store", "zone")
    fieldsets = (
        (
            None,
            {"fields": (("name", "code"), ("store", "zone"), "kind", ("position", "is_active"))},
        ),
        (
            _("When it arrives"),
            {
                "fields": (
                    ("min_days", "max_days"),
                    ("cutoff_time", "processing_days"),
                    "weekdays",
                )
            },
        ),
        (
            _("How it is priced"),
            {
                "fields": (
                    ("volume_divisor", "weight_step"),
                    ("carrier", "service"),
                    ("per_location", "duties_paid"),
                )
            },
        ),
    )

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_view)
        return [path("try/", view, name="shipping_shippingmethod_try"), *super().get_urls()]

    def try_view(self, request: HttpRequest) -> HttpResponse:
        """What shipping would cost to an address, method by method, and why."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = TryForm(request.GET or None)
        rows = form.answer() if form.is_valid() else []
        context = {
            **self.admin_site.each_context(request),
            "title": _("What would shipping cost?"),
            "opts": self.opts,
            "form": form,
            "asked": form.is_bound and form.is_valid(),
            "rows": [_row(one, form.cleaned_data["currency"]) for one in rows],
        }
        return TemplateResponse(request, "admin/shipping/try.html", context)


def _row(one: Tried, currency: str) -> dict[str, Any]:
    return {
        "method": one.method,
        "price": money_text(one.price, currency),
        "why": _WHY.get(one.reason, ""),
        "estimate": one.estimate,
        "steps": [
            (step["step"], money_text(step["amount"], currency), _facts(step)) for step in one.steps
        ],
    }


def _facts(step: dict[str, Any]) -> str:
    facts = {name: value for name, value in step.items() if name not in ("step", "amount")}
    return ", ".join(
        f"{name.replace('_', ' ')} {value if isinstance(value, str) else json.dumps(value)}"
        for name, value in facts.items()
    )
