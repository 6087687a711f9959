"""Customers with their address book, and their groups."""

from __future__ import annotations

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget

from apps.core.addresses import InvalidAddress, clean_address
from apps.core.admin import ModelAdmin, StackedInline
from apps.core.fields import AmountModelForm
from apps.customers.models import Address, Customer, CustomerGroup
from apps.customers.services.addresses import DEFAULTS
from apps.customers.services.profile import InvalidPhone, clean_phone


class AddressForm(AmountModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        try:
            cleaned |= clean_address(cleaned)
        except InvalidAddress as error:
            for problem in error.extra["errors"]:
                # What the field itself refused already needs no second complaint.
                if problem["field"] not in self.errors:
                    self.add_error(problem["field"], problem["message"])
        return cleaned


class AddressFormSet(BaseInlineFormSet):
    def clean(self) -> None:
        super().clean()
        kept = [f.cleaned_data for f in self.forms if hasattr(f, "cleaned_data")]
        for name in DEFAULTS:
            if sum(bool(row.get(name)) for row in kept if not row.get("DELETE")) > 1:
                raise ValidationError(_("Only one address can be the default."))


class AddressInline(StackedInline):
    model = Address
    form = AddressForm
    formset = AddressFormSet
    collapsible = True


class CustomerForm(AmountModelForm):
    language = forms.ChoiceField(
        label=_("Language"),
        choices=[("", "—"), *settings.LANGUAGES],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )

    def clean_phone(self) -> str:
        phone = self.cleaned_data["phone"]
        try:
            return clean_phone(phone) if phone else ""
        except InvalidPhone as error:
            raise ValidationError(str(error), code=error.code) from error


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    form = CustomerForm
    inlines = (AddressInline,)
    list_display = ("email", "first_name", "last_name", "group", "registered", "created_at")
    list_filter = ("group", "accepts_marketing", ("user", admin.EmptyFieldListFilter))
    list_select_related = ("group",)
    search_fields = ("email", "first_name", "last_name", "phone")
    ordering = ("-pk",)
    readonly_fields = ("user", "public_id", "created_at")
    fields = (
        ("email", "phone"),
        ("first_name", "last_name"),
        ("language", "accepts_marketing"),
        "group",
        "note",
        "user",
        ("public_id", "created_at"),
    )
    export_fields = ("email", "first_name", "last_name", "phone", "group__code", "created_at")

    @admin.display(description=_("account"), boolean=True)
    def registered(self, customer: Customer) -> bool:
        return customer.user_id is not None


@admin.register(CustomerGroup)
class CustomerGroupAdmin(ModelAdmin):
    list_display = ("name", "code")
    search_fields = ("name", "code")

    def get_readonly_fields(
        self, request: HttpRequest, obj: CustomerGroup | None = None
    ) -> tuple[str, ...]:
        # Other systems know the group by its code.
        return ("code",) if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: CustomerGroup | None = None) -> bool:
        # Its customers would silently lose their prices.
        allowed = super().has_delete_permission(request, obj)
        return allowed and (obj is None or not obj.customers.exists())
