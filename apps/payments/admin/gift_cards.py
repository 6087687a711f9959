"""Gift cards and store credit in the back office: what is owed, to whom, and since when."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, money_text
from apps.core.admin_actions import Action, extend_actions
from apps.core.errors import DomainError
from apps.core.money import Money, decimal_string
from apps.core.spreadsheet import csv_response
from apps.customers.models import Customer
from apps.payments import services
from apps.payments.admin.issuing import AdjustForm, CreditForm, DisableForm, IssueForm, ResendForm
from apps.payments.models import GiftCard, StoreCredit, StoredValue, StoredValueEntry
from apps.payments.selectors import liabilities
from apps.stores.selectors import default_store

STATUS_COLOURS = {"active": "success", "disabled": "danger"}


def _adjust(row: StoredValue, data: Mapping[str, Any]) -> None:
    services.adjust(stored_value=row, delta=data["amount"], reason=data["reason"])


def _grant(customer: Customer, data: Mapping[str, Any]) -> None:
    money = Money(data["amount"], data["currency"])
    services.grant_store_credit(customer=customer, amount=money, reason=data["reason"])


def _adjust_action(permission: str) -> Action:
    return Action(
        name="adjust",
        label=_("Adjust"),
        done=_("The balance is corrected."),
        permission=permission,
        run=_adjust,
        form=AdjustForm,
        icon="balance",
    )


extend_actions(
    GiftCard,
    Action(
        name="resend",
        label=_("Mail again"),
        done=_("The card is on its way, with a new code."),
        permission="payments.change_giftcard",
        run=lambda card, data: services.resend(card=card, recipient_email=data["recipient_email"]),
        offered=lambda card: card.status == StoredValue.Status.ACTIVE,
        form=ResendForm,
        icon="forward_to_inbox",
    ),
    _adjust_action("payments.change_giftcard"),
    Action(
        name="disable",
        label=_("Disable"),
        done=_("The card is disabled."),
        permission="payments.change_giftcard",
        run=lambda card, data: services.disable(stored_value=card, reason=data["reason"]),
        offered=lambda card: card.status == StoredValue.Status.ACTIVE,
        form=DisableForm,
        icon="block",
        is_danger=True,
    ),
)
extend_actions(StoreCredit, _adjust_action("payments.change_storecredit"))
extend_actions(
    Customer,
    Action(
        name="store-credit",
        label=_("Store credit"),
        done=_("The store credit is booked."),
        permission="payments.change_storecredit",
        run=_grant,
        form=CreditForm,
        icon="account_balance_wallet",
    ),
)


class EntryInline(ReadOnlyTabularInline):
    model = StoredValueEntry
    verbose_name_plural = _("ledger")
    fields = (
        *("created_at", "kind", "delta", "balance_after"),
        *("reference", "reason", "actor"),
    )
    readonly_fields = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[StoredValueEntry]:
        return super().get_queryset(request).select_related("stored_value")


class CurrencyFilter(admin.SimpleListFilter):
    """The currencies that something is owed in."""

    title = _("currency")
    parameter_name = "currency"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(currency, currency) for currency, _sum, _cards in liabilities()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(currency=self.value()) if self.value() else queryset


class BalanceFilter(admin.SimpleListFilter):
    title = _("balance")
    parameter_name = "left"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [("yes", _("Something is left")), ("no", _("Empty"))]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() == "yes":
            return queryset.filter(balance__gt=0)
        return queryset.filter(balance=0) if self.value() == "no" else queryset


@admin.register(GiftCard)
class GiftCardAdmin(ReadOnlyAdmin):
    list_display = (
        *("shown_code", "created_at", "state", "initial_amount", "balance"),
        *("expires_at", "recipient_email", "customer"),
    )
    list_select_related = ("customer",)
    list_filter = ("status", BalanceFilter, CurrencyFilter, "expires_at")
    search_fields = ("=last4", "=recipient_email", "=reference", "=customer__email")
    search_help_text = _("The code's last four, the recipient, the customer or the reference")
    list_before_template = "admin/payments/liabilities.html"
    ordering = ("-pk",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("last4", "status"),
                    ("initial_amount", "balance"),
                    ("expires_at", "store"),
                )
            },
        ),
        (
            _("Recipient"),
            {"fields": (("recipient_email", "sender_name"), "message", "customer")},
        ),
        (_("More"), {"fields": ("reference", "public_id", ("created_at", "updated_at"))}),
    )
    readonly_fields = ("public_id", "created_at", "updated_at")
    inlines = (EntryInline,)
    export_fields = (
        *("public_id", "last4", "status", "currency", "initial_amount", "balance"),
        *("expires_at", "recipient_email", "created_at"),
    )

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return request.user.has_perm("payments.add_giftcard")

    @display(description=_("code"), ordering="last4")
    def shown_code(self, card: GiftCard) -> str:
        return str(card)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, card: GiftCard) -> tuple[str, str]:
        return card.status, card.get_status_display()

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        owed = [(money_text(total, currency), cards) for currency, total, cards in liabilities()]
        return super().changelist_view(request, {**(extra_context or {}), "liabilities": owed})

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: Any = None
    ) -> HttpResponseBase:
        if not self.has_add_permission(request):
            raise PermissionDenied
        store = default_store()
        initial = {"store": store, "currency": store.default_currency}
        form = IssueForm(request.POST or None, initial=initial)
        if form.is_valid():
            try:
                return self._issued(request, form)
            except DomainError as error:
                form.add_error(error.field if error.field in form.fields else None, str(error))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Issue gift cards"),
            "opts": self.opts,
            "form": form,
        }
        return TemplateResponse(request, "admin/payments/issue.html", context)

    def _issued(self, request: HttpRequest, form: IssueForm) -> HttpResponseBase:
        """A mailed card's page, or the codes: in this answer, and never again."""
        draft = form.draft()
        issued = services.issue_many(draft=draft, number=form.cleaned_data["number"])
        if draft.recipient_email:
            self.message_user(request, _("The card is on its way."), messages.SUCCESS)
            return redirect(reverse("admin:payments_giftcard_change", args=[issued[0].card.pk]))
        amount = decimal_string(draft.amount, draft.currency)
        expires = draft.expires_at.isoformat() if draft.expires_at else ""
        rows = [[one.code, amount, draft.currency, expires] for one in issued]
        header = ("code", "amount", "currency", "expires_at")
        return csv_response("gift-cards.csv", header, rows)


@admin.register(StoreCredit)
class StoreCreditAdmin(ReadOnlyAdmin):
    list_display = ("customer", "currency", "balance", "updated_at")
    list_select_related = ("customer",)
    list_filter = (BalanceFilter,)
    search_fields = ("=customer__email",)
    search_help_text = _("The customer's e-mail address")
    ordering = ("-pk",)
    fields = (("customer", "currency"), "balance", "public_id", ("created_at", "updated_at"))
    readonly_fields = ("public_id", "created_at", "updated_at")
    inlines = (EntryInline,)
    export_fields = ("public_id", "customer__email", "currency", "balance", "updated_at")
