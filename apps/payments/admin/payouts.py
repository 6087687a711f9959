"""Payouts and what they are made of."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline
from apps.payments.admin.payments import GatewayFilter
from apps.payments.models import Payout, PayoutLine

_COLOURS = {
    "pending": "warning",
    "in_transit": "info",
    "paid": "success",
    "failed": "danger",
    "cancelled": "danger",
}


class LineInline(ReadOnlyTabularInline):
    model = PayoutLine
    fields = ("booked_at", "kind", "payment_link", "gross", "fee", "net", "description")
    readonly_fields = ("payment_link",)
    per_page = 100

    def get_queryset(self, request: HttpRequest) -> QuerySet[PayoutLine]:
        return super().get_queryset(request).select_related("payout", "payment__order")

    @admin.display(description=_("payment"))
    def payment_link(self, line: PayoutLine) -> str:
        if line.payment is None:
            return line.reference
        url = reverse("admin:payments_payment_change", args=[line.payment_id])
        return format_html('<a href="{}" class="text-link">{}</a>', url, line.payment.order.number)


@admin.register(Payout)
class PayoutAdmin(ReadOnlyAdmin):
    list_display = (
        *("provider_id", "gateway", "arrives_on", "amount", "state"),
        *("is_complete", "is_test"),
    )
    list_filter = ("status", GatewayFilter, "currency", "arrives_on", "is_complete", "is_test")
    search_fields = ("=provider_id", "=lines__payment__order__number", "=lines__reference")
    search_help_text = _("The payout's id, an order's number, or a payment's id")
    ordering = ("-arrives_on", "-pk")
    fields = (
        ("provider_id", "gateway"),
        ("amount", "currency"),
        ("arrives_on", "status"),
        ("is_complete", "is_test"),
        ("public_id", "account"),
        ("created_at", "updated_at"),
    )
    readonly_fields = ("public_id", "created_at", "updated_at")
    inlines = (LineInline,)
    export_fields = (
        *("gateway", "provider_id", "arrives_on", "status", "currency", "amount"),
        *("is_complete", "is_test"),
    )

    @display(description=_("status"), ordering="status", label=_COLOURS)
    def state(self, payout: Payout) -> tuple[str, str]:
        return payout.status, payout.get_status_display()


@admin.register(PayoutLine)
class PayoutLineAdmin(ReadOnlyAdmin):
    """All lines, for the accountant's file."""

    list_display = ("booked_at", "payout", "kind", "order", "gross", "fee", "net")
    list_select_related = ("payout", "payment__order")
    list_filter = ("kind", ("booked_at", admin.DateFieldListFilter))
    search_fields = ("=payout__provider_id", "=payment__order__number", "=reference")
    ordering = ("-pk",)
    fields = (
        ("payout", "provider_id"),
        ("kind", "booked_at"),
        ("gross", "fee", "net"),
        ("payment", "refund"),
        ("reference", "description"),
    )
    export_fields = (
        *("payout__provider_id", "payout__arrives_on", "booked_at", "provider_id", "kind"),
        *("payment__order__number", "reference", "payout__currency", "gross", "fee", "net"),
        "description",
    )

    @admin.display(description=_("order"))
    def order(self, line: PayoutLine) -> Any:
        return line.payment.order.number if line.payment else ""
