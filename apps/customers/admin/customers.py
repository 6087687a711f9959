"""Customers: who they are, what they are worth, what happened."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget

from apps.core import impersonation
from apps.core.addresses import InvalidAddress, clean_address
from apps.core.admin import ModelAdmin, ReadOnlyAdmin, StackedInline, money_text
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.fields import AmountModelForm
from apps.customers.models import Address, Customer, CustomerEvent, CustomerGroup
from apps.customers.services.addresses import DEFAULTS
from apps.customers.services.consents import set_marketing
from apps.customers.services.profile import InvalidPhone, clean_phone, tell_group

# Of the timeline; all of it is a list of its own.
SHOWN_EVENTS = 20


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


class ImpersonateForm(ActionForm):
    intro = _(
        "For half an hour you see the shop as this customer, and may fill their cart and order for"
        " them. Passwords, second factors and saved cards stay theirs."
    )
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2})
    )


def _impersonable(customer: Customer, data: Mapping[str, Any]) -> tuple[Any, str]:
    impersonation.check(customer.user)
    return customer.user, data["reason"]


def _impersonate(request: HttpRequest, chosen: tuple[Any, str]) -> str:
    impersonation.begin(request, *chosen)
    return reverse(settings.IMPERSONATION_PAGE)


extend_actions(
    Customer,
    Action(
        name="impersonate",
        label=_("Sign in as this customer"),
        permission=impersonation.PERMISSION,
        run=_impersonable,
        then=_impersonate,
        offered=lambda customer: customer.user is not None and not customer.user.is_staff,
        form=ImpersonateForm,
        icon="supervisor_account",
    ),
)


@admin.register(Customer)
class CustomerAdmin(ModelAdmin):
    form = CustomerForm
    inlines = (AddressInline,)
    change_form_outer_before_template = "admin/customers/customer_summary.html"
    change_form_outer_after_template = "admin/customers/customer_timeline.html"
    list_display = (
        "email",
        "first_name",
        "last_name",
        "group",
        "worth",
        "registered",
        "created_at",
    )
    list_filter = ("group", "tags", "accepts_marketing", ("user", admin.EmptyFieldListFilter))
    list_select_related = ("group",)
    search_fields = ("email", "first_name", "last_name", "phone")
    ordering = ("-pk",)
    readonly_fields = ("user", "tag_names", "segment_names", "public_id", "created_at")
    fields = (
        ("email", "phone"),
        ("first_name", "last_name"),
        ("language", "accepts_marketing"),
        ("group", "tag_names", "segment_names"),
        "note",
        "user",
        ("public_id", "created_at"),
    )
    export_fields = ("email", "first_name", "last_name", "phone", "group__code", "created_at")

    @admin.display(description=_("account"), boolean=True)
    def registered(self, customer: Customer) -> bool:
        return customer.user_id is not None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        here = super().get_queryset(request).filter(erased_at=None)
        return here.prefetch_related("figures")

    @admin.display(description=_("spent"))
    def worth(self, customer: Customer) -> str:
        return ", ".join(money_text(row.spent, row.currency) for row in customer.figures.all())

    @admin.display(description=_("tags"))
    def tag_names(self, customer: Customer) -> str:
        return ", ".join(tag.name for tag in customer.tags.all())

    @admin.display(description=_("segments"))
    def segment_names(self, customer: Customer) -> str:
        return ", ".join(segment.name for segment in customer.segments.all())

    def object_context(self, request: HttpRequest, obj: Customer) -> dict[str, Any]:
        figures = [
            {
                "orders": row.orders,
                "spent": money_text(row.spent, row.currency),
                "average": money_text(row.average, row.currency),
                "first": row.first_order_at,
                "last": row.last_order_at,
            }
            for row in obj.figures.all()
        ]
        timeline = [(event, told(event)) for event in obj.timeline.all()[:SHOWN_EVENTS]]
        return {"figures": figures, "timeline": timeline}

    def save_model(self, request: HttpRequest, obj: Customer, form: Any, change: bool) -> None:
        given = obj.accepts_marketing
        if "accepts_marketing" in form.changed_data:
            # The service notes it as evidence.
            obj.accepts_marketing = not given
        super().save_model(request, obj, form, change)
        set_marketing(customer=obj, given=given, page="staff")
        if "group" in form.changed_data and change:
            before = CustomerGroup.objects.filter(pk=form.initial["group"]).first()
            tell_group(customer=obj, before=before)


def told(event: CustomerEvent) -> str:
    """What an entry of the timeline tells besides its words: "VIP → VIP, Late payer"."""
    return "; ".join(_told(name, value) for name, value in event.data.items())


def _told(name: str, value: Any) -> str:
    if isinstance(value, dict):
        return f"{value.get('amount')} {value.get('currency')}"
    if not isinstance(value, list):
        return f"{name}: {value}"
    before, after = (", ".join(v) if isinstance(v, list) else v or "–" for v in value)
    return f"{before or '–'} → {after or '–'}"


@admin.register(CustomerEvent)
class CustomerEventAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "customer", "kind", "message", "details", "actor")
    list_filter = ("kind",)
    list_select_related = ("customer",)
    search_fields = ("=customer__email", "message")
    search_help_text = _("E-mail address of the customer, words of the entry")
    ordering = ("-pk",)

    @admin.display(description=_("details"))
    def details(self, event: CustomerEvent) -> str:
        return told(event)
