"""The preview on a promotion's page: a sample basket, priced without it and with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.core.addresses import is_country
from apps.core.admin import money_text
from apps.core.admin_fields import ScopedChoiceField
from apps.core.admin_previews import Preview, extend_previews
from apps.customers.models import CustomerGroup
from apps.pricing.engines.quote import Quote
from apps.pricing.selectors import explain_quote
from apps.pricing.services import Sample, preview_promotion
from apps.promotions.models import Promotion
from apps.stores.models import Store

MOST_LINES = 50


class SampleForm(forms.Form):
    lines = forms.CharField(
        label=_("Basket"),
        max_length=5000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("A SKU and a number of pieces in each line: MUG 2"),
    )
    store = ScopedChoiceField(
        Store.objects.filter(is_active=True).order_by("-is_default", "pk"),
        label=_("Store"),
        widget=UnfoldAdminSelectWidget,
        required=False,
        empty_label=_("The default store"),
    )
    currency = forms.CharField(
        label=_("Currency"),
        max_length=3,
        required=False,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("Empty: the store's own."),
    )
    country = forms.CharField(
        label=_("Country"), max_length=2, required=False, widget=UnfoldAdminTextInputWidget
    )
    shipping_method = forms.CharField(
        label=_("Code of the shipping method"),
        max_length=60,
        required=False,
        widget=UnfoldAdminTextInputWidget,
    )
    group = forms.ModelChoiceField(
        CustomerGroup.objects.order_by("name"),
        label=_("Customer group"),
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    email = forms.EmailField(label=_("E-mail"), required=False, widget=UnfoldAdminEmailInputWidget)
    first_order = forms.BooleanField(
        label=_("Their first order"), required=False, widget=UnfoldBooleanSwitchWidget
    )

    def clean_lines(self) -> list[tuple[str, int]]:
        rows = [row.split() for row in self.cleaned_data["lines"].splitlines() if row.strip()]
        for row in rows:
            number = row[1] if len(row) == 2 else "1"
            if len(row) > 2 or not (number.isascii() and number.isdigit() and len(number) < 6):
                raise forms.ValidationError(_("A SKU and a number in each line."), "invalid")
        if len(rows) > MOST_LINES:
            raise forms.ValidationError(_("At most %d lines.") % MOST_LINES, "too_long")
        lines = [(row[0], int(row[1]) if len(row) == 2 else 1) for row in rows]
        if any(quantity < 1 for _sku, quantity in lines):
            raise forms.ValidationError(_("A SKU and a number in each line."), "invalid")
        return lines

    def clean_country(self) -> str:
        country = self.cleaned_data["country"].upper()
        if country and not is_country(country):
            raise forms.ValidationError(_("Unknown country."), "invalid_country")
        return country

    def clean_store(self) -> Store:
        chosen = self.cleaned_data["store"] or self.fields["store"].queryset.first()  # type: ignore[attr-defined]
        if chosen is None:
            raise forms.ValidationError(_("No store is set up."), "required")
        return chosen

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        store, currency = cleaned.get("store"), (cleaned.get("currency") or "").upper()
        if store and currency and currency not in store.all_currencies:
            self.add_error("currency", _("This store doesn't sell in that currency."))
        cleaned["currency"] = currency
        return cleaned


_PARTS: tuple[tuple[Any, Callable[[Quote], int]], ...] = (
    (_("Subtotal"), lambda quote: quote.subtotal),
    (_("Discount"), lambda quote: -quote.discount),
    (_("Shipping"), lambda quote: quote.shipping),
    (_("Tax"), lambda quote: quote.tax),
    (_("Total"), lambda quote: quote.total),
)


def _run(promotion: Promotion, data: Mapping[str, Any]) -> dict[str, Any]:
    found = preview_promotion(promotion=promotion, sample=Sample(**data))
    before, after = found.before, found.after
    rows = [
        (
            label,
            money_text(value(before), before.currency),
            money_text(value(after), after.currency),
        )
        for label, value in _PARTS
    ]
    return {
        "rows": rows,
        "saved": money_text(before.total - after.total, after.currency),
        "explanation": explain_quote(after),
    }


extend_previews(
    Promotion,
    Preview(
        name="basket",
        label=_("Try it on a basket"),
        intro=_(
            "The form as it stands above, saved or not. It counts as active and its code as typed;"
            " beside it, what else is active now."
        ),
        button=_("Preview"),
        permission="pricing.view_price",
        form=SampleForm,
        run=_run,
        template="admin/promotions/preview.html",
    ),
)
