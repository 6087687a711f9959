"""The One-Stop-Shop return on the page of a store's tax settings."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from apps.core.admin import money_text
from apps.core.admin_previews import Preview, extend_previews
from apps.orders.selectors.oss import (
    EURO,
    THRESHOLD,
    cross_border_sales,
    oss_report,
    quarter_of,
)
from apps.taxes.models import TaxSettings


class QuarterForm(forms.Form):
    quarter = forms.CharField(
        label=_("Quarter"),
        max_length=6,
        help_text="2026Q3",
        widget=UnfoldAdminTextInputWidget(),
    )

    def clean_quarter(self) -> tuple[date, date]:
        try:
            return quarter_of(self.cleaned_data["quarter"])
        except ValueError as error:
            raise forms.ValidationError(_("A quarter is written like 2026Q3.")) from error


def _one_stop_shop(known: TaxSettings, data: Mapping[str, Any]) -> dict[str, Any]:
    first, last = data["quarter"]
    return {
        "rows": [
            (row.country, row.percent, *(money_text(each, EURO) for each in (row.net, row.tax)))
            for row in oss_report(store=known.store, first=first, last=last)
        ],
        "sales": money_text(cross_border_sales(store=known.store, year=first.year), EURO),
        "threshold": money_text(THRESHOLD, EURO),
    }


extend_previews(
    TaxSettings,
    Preview(
        name="oss",
        label=_("The One-Stop-Shop return of a quarter"),
        intro=_("What was sold to consumers in other EU countries, in euro."),
        button=_("Show"),
        permission="orders.view_order",
        form=QuarterForm,
        run=_one_stop_shop,
        template="admin/orders/one_stop_shop.html",
    ),
)
