"""Rules for prices in further currencies, in the back office."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ModelAdmin
from apps.core.fields import AmountModelForm
from apps.pricing import services
from apps.pricing.models import CurrencyRule

_TERMS = ("mode", "base", "surcharge", "round_to", "minus")


class CurrencyRuleForm(AmountModelForm):
    """What the service would refuse, refused beside its field."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, unset in (("round_to", 1), ("minus", 0)):
            if name in self.fields:
                self.fields[name].required = False
                if getattr(self.instance, name) == unset:
                    self.initial[name] = None

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        for name, unset in (("round_to", 1), ("minus", 0)):
            if cleaned.get(name) is None and name not in self.errors:
                cleaned[name] = unset
        names = ("store", "currency", *_TERMS)
        known = {name: getattr(self.instance, name, None) for name in ("store", "currency")}
        values = {**known, **{name: cleaned[name] for name in names if name in cleaned}}
        if self.errors or values["store"] is None:
            return cleaned
        try:
            services.check_currency_rule(rule=CurrencyRule(**values))
        except services.InvalidCurrencyRule as error:
            self.add_error(error.field if error.field in self.fields else None, str(error))
        return cleaned


@admin.register(CurrencyRule)
class CurrencyRuleAdmin(ModelAdmin):
    form = CurrencyRuleForm
    list_display = ("store", "currency", "mode", "base", "surcharge", "round_to", "minus")
    list_display_links = ("store", "currency")
    list_filter = ("mode", "store", "currency")
    list_select_related = ("store",)
    ordering = ("store__code", "currency")
    fieldsets = (
        (
            None,
            {
                "fields": (("store", "currency"), ("mode", "base")),
                "description": _(
                    "A variant without a price in this currency gets the price of the other one,"
                    " by the latest exchange rate. Without a rate it isn't for sale in it."
                ),
            },
        ),
        (_("Conversion"), {"fields": ("surcharge", ("round_to", "minus"))}),
    )

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ["store", "currency"] if obj else []
        return [*super().get_readonly_fields(request, obj), *fixed]

    def save_model(self, request: HttpRequest, obj: CurrencyRule, form: Any, change: bool) -> None:
        services.save_currency_rule(rule=obj, changes={name: getattr(obj, name) for name in _TERMS})

    # The services keep the audit log.

    def log_addition(self, request: HttpRequest, obj: CurrencyRule, message: Any) -> Any:
        return super(ModelAdmin, self).log_addition(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: QuerySet[CurrencyRule]) -> Any:
        return super(ModelAdmin, self).log_deletions(request, queryset)

    def delete_model(self, request: HttpRequest, obj: CurrencyRule) -> None:
        services.delete_currency_rule(rule=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[CurrencyRule]) -> None:
        for rule in queryset.select_related("store"):
            services.delete_currency_rule(rule=rule)
