"""Stores, sellers, exchange rates and number sequences."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectMultipleWidget

from apps.accounts.models import User
from apps.core.admin import LimitInline, ModelAdmin, ReadOnlyAdmin, extend
from apps.core.money import CURRENCY_CHOICES
from apps.stores.models import ExchangeRate, Seller, Sequence, Store, StoreLimit
from apps.stores.selectors import STALE_DAYS, rates_age
from apps.stores.services import keep_one_default, remove_rate, save_rate

# Lists of codes, chosen instead of typed as JSON.
_CHOICES = {"currencies": (CURRENCY_CHOICES, False), "languages": (settings.LANGUAGES, True)}


class StoreLimitInline(LimitInline):
    model = StoreLimit
    autocomplete_fields = ("store",)


extend(User, StoreLimitInline)


@admin.register(Store)
class StoreAdmin(ModelAdmin):
    list_display = ("name", "code", "domain", "default_currency", "is_default", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "code", "domain")
    fields = (
        ("name", "code"),
        ("domain", "email"),
        ("is_active", "is_default"),
        ("default_currency", "country", "time_zone"),
        ("currencies", "languages"),
        ("prices_include_tax", "tax_rounding"),
        ("shipping_tax_class", "order_prefix"),
        ("legal_name", "street"),
        ("postal_code", "city"),
    )

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name not in _CHOICES:
            return super().formfield_for_dbfield(db_field, request, **kwargs)
        choices, required = _CHOICES[db_field.name]
        return forms.MultipleChoiceField(
            label=capfirst(db_field.verbose_name),
            choices=choices,
            required=required,
            widget=UnfoldAdminSelectMultipleWidget,
            help_text=db_field.help_text,
        )

    def save_model(self, request: HttpRequest, obj: Store, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        keep_one_default(store=obj)

    def has_delete_permission(self, request: HttpRequest, obj: Store | None = None) -> bool:
        """A store is closed (not active), not deleted: its orders and prices refer to it."""
        return False


@admin.register(Seller)
class SellerAdmin(ModelAdmin):
    list_display = ("name", "slug", "is_active")
    list_filter = ("is_active",)
    search_fields = ("name", "slug")
    prepopulated_fields = {"slug": ("name",)}


@admin.register(ExchangeRate)
class ExchangeRateAdmin(ModelAdmin):
    list_display = ("date", "base", "currency", "rate")
    list_filter = ("base", "currency")
    date_hierarchy = "date"
    ordering = ("-date", "base", "currency")
    export_fields = ("date", "base", "currency", "rate")
    fields = (("base", "currency"), ("rate", "date"))

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> Any:
        if request.method == "GET" and (days := rates_age()) > STALE_DAYS:
            text = _("The newest euro rates are %d days old. Is the shop cut off from the bank?")
            self.message_user(request, text % days, messages.WARNING)
        return super().changelist_view(request, extra_context)

    def save_model(self, request: HttpRequest, obj: ExchangeRate, form: Any, change: bool) -> None:
        save_rate(rate=obj)
        if change:
            self.audit_change(obj, form)

    def delete_model(self, request: HttpRequest, obj: ExchangeRate) -> None:
        remove_rate(rate=obj)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ExchangeRate]) -> None:
        for rate in queryset:
            remove_rate(rate=rate)


@admin.register(Sequence)
class SequenceAdmin(ReadOnlyAdmin):
    list_display = ("store", "kind", "last")
    list_select_related = ("store",)
