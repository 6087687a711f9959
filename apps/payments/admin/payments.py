"""Payments in the back office: on the order's page and by themselves; the webhooks' inbox."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminTextareaWidget

from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, extend, money_text
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.money import MoneyError, exponent, to_decimal, to_minor
from apps.orders.models import Approval, Order
from apps.orders.services import WAITS
from apps.payments import services
from apps.payments.models import Capture, Dispute, Payment, PaymentEntry, ProviderEvent, Refund
from apps.payments.selectors import UNDECIDED, capturable, fee_of, refundable, to_capture

_Status = Payment.Status
STATUS_COLOURS = {
    _Status.CREATED: "warning",
    _Status.REQUIRES_ACTION: "warning",
    _Status.PROCESSING: "info",
    _Status.AUTHORIZED: "info",
    _Status.CAPTURED: "success",
    _Status.FAILED: "danger",
    _Status.VOIDED: "danger",
}
REFUND_COLOURS = {"pending": "warning", "succeeded": "success", "failed": "danger"}
EVENT_COLOURS = {"pending": "warning", "done": "success", "ignored": "info", "review": "danger"}


class AmountForm(ActionForm):
    """Starts with all that is left; the cleaned amount is in minor units."""

    amount = forms.DecimalField(
        label=_("Amount"), widget=UnfoldAdminDecimalFieldWidget(attrs={"step": "any"})
    )

    def begin_with(self, left: int) -> None:
        currency = self.obj.currency
        decimals = exponent(currency)
        self.fields["amount"].initial = f"{to_decimal(left, currency):.{decimals}f}"

    def clean_amount(self) -> int:
        value: Decimal = self.cleaned_data["amount"]
        if value <= 0:
            raise ValidationError(_("An amount above zero."))
        try:
            return to_minor(value, self.obj.currency)
        except MoneyError as error:
            raise ValidationError(str(error)) from error


class CaptureForm(AmountForm):
    """Says beforehand what becomes of the rest."""

    def __init__(self, payment: Payment, *args: Any, **kwargs: Any) -> None:
        super().__init__(payment, *args, **kwargs)
        left = capturable(payment)
        text = _("Up to %(left)s of %(authorized)s can be captured.") % {
            "left": money_text(left, payment.currency),
            "authorized": money_text(payment.authorized_amount, payment.currency),
        }
        rest = (
            _("What you leave stays authorized as long as the order needs it.")
            if payment.captures_several
            else _("This payment can be captured once: what you leave is let go.")
        )
        self.intro = f"{text} {rest}"
        self.begin_with(to_capture(payment))


class RefundForm(AmountForm):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
    )

    def __init__(self, payment: Payment, *args: Any, **kwargs: Any) -> None:
        super().__init__(payment, *args, **kwargs)
        left = refundable(payment)
        self.intro = _("Up to %(left)s of %(captured)s can be given back.") % {
            "left": money_text(left, payment.currency),
            "captured": money_text(payment.captured_amount, payment.currency),
        }
        self.begin_with(left)


def _refund(payment: Payment, data: Mapping[str, Any]) -> Refund | Approval:
    return services.refund_or_ask(payment=payment, amount=data["amount"], reason=data["reason"])


def _refunded(made: Refund | Approval) -> Any:
    if isinstance(made, Approval):
        return WAITS
    return _("The refund is on its way.")


def _is_authorized(payment: Payment) -> bool:
    return payment.status == _Status.AUTHORIZED


CAPTURE: dict[str, Any] = {
    "label": _("Capture"),
    "done": _("The payment is captured."),
    "permission": "payments.capture_payment",
    "icon": "price_check",
    "in_list": True,
}
extend_actions(
    Payment,
    Action(
        name="capture",
        run=lambda payment, data: services.capture(payment=payment),
        offered=_is_authorized,
        **CAPTURE,
    ),
    Action(
        name="capture-part",
        label=_("Capture a part"),
        done=_("The part is captured."),
        permission="payments.capture_payment",
        run=lambda payment, data: services.capture(payment=payment, amount=data["amount"]),
        offered=_is_authorized,
        form=CaptureForm,
        icon="price_change",
    ),
    Action(
        name="void",
        label=_("Void"),
        done=_("The payment is voided."),
        permission="payments.void_payment",
        run=lambda payment, data: services.void(payment=payment),
        offered=lambda payment: payment.status in (*UNDECIDED, _Status.AUTHORIZED),
        form=ActionForm,
        icon="money_off",
        is_danger=True,
    ),
    Action(
        name="refund",
        label=_("Refund"),
        done=_refunded,
        permission="payments.refund_payment",
        run=_refund,
        offered=lambda payment: payment.captured_amount > payment.refunded_amount,
        form=RefundForm,
        icon="undo",
        is_danger=True,
    ),
)
# A list of orders is where a merchant captures many; an order's page has its payments' buttons.
extend_actions(
    Order,
    Action(
        name="capture",
        run=lambda order, data: services.capture_order(order=order),
        on_page=False,
        **CAPTURE,
    ),
)
extend_actions(
    ProviderEvent,
    Action(
        name="process",
        label=_("Process again"),
        done=_("The event was processed."),
        permission="payments.change_providerevent",
        run=lambda event, data: services.process_again(event=event),
        offered=lambda event: event.status != ProviderEvent.Status.DONE,
        icon="refresh",
        in_list=True,
    ),
)


class PaymentInline(ReadOnlyTabularInline):
    model = Payment
    fields = (
        *("payment", "state", "amount", "still_authorized", "captured_amount", "refunded_amount"),
        *("refunds_text", "error", "buttons"),
    )
    readonly_fields = (
        *("payment", "state", "still_authorized"),
        *("refunds_text", "error", "buttons"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payment]:
        return super().get_queryset(request).prefetch_related("captures", "refunds").order_by("pk")

    @admin.display(description=_("payment"))
    def payment(self, payment: Payment) -> str:
        url = reverse("admin:payments_payment_change", args=[payment.pk])
        label = f"{payment.gateway} ({_('test')})" if payment.is_test else payment.gateway
        return format_html(
            '<a href="{}" class="text-link">{}</a><br>{}', url, label, payment.provider_id or ""
        )

    @admin.display(description=_("status"))
    def state(self, payment: Payment) -> str:
        return payment.get_status_display()

    @admin.display(description=_("still authorized"))
    def still_authorized(self, payment: Payment) -> str:
        left = capturable(payment)
        return money_text(left, payment.currency) if left else ""

    @admin.display(description=_("refunds"))
    def refunds_text(self, payment: Payment) -> str:
        return format_html_join(
            ", ",
            "{} {} {}",
            (
                (money_text(r.amount, payment.currency), r.get_status_display(), r.reason)
                for r in payment.refunds.all()
            ),
        )

    @admin.display(description=_("error"))
    def error(self, payment: Payment) -> str:
        return " ".join(filter(None, (payment.error_code, payment.error_message)))


extend(Order, PaymentInline)


class EntryInline(ReadOnlyTabularInline):
    model = PaymentEntry
    verbose_name_plural = _("ledger")
    fields = ("created_at", "kind", "amount", "reason", "actor")
    readonly_fields = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaymentEntry]:
        return super().get_queryset(request).select_related("payment")


class CaptureInline(ReadOnlyTabularInline):
    model = Capture
    fields = ("created_at", "amount", "status", "is_final", "error_message")
    readonly_fields = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Capture]:
        return super().get_queryset(request).select_related("payment").order_by("pk")


class RefundInline(ReadOnlyTabularInline):
    model = Refund
    fields = ("created_at", "amount", "status", "reason", "provider_id", "error_message")
    readonly_fields = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Refund]:
        return super().get_queryset(request).select_related("payment").order_by("pk")


class DisputeInline(ReadOnlyTabularInline):
    model = Dispute
    fields = (
        *("created_at", "provider_id", "amount", "fee"),
        *("reason", "status", "evidence_due_at"),
    )
    readonly_fields = ("created_at",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Dispute]:
        return super().get_queryset(request).select_related("payment").order_by("pk")


class GatewayFilter(admin.SimpleListFilter):
    """The gateways of the settings, not a DISTINCT over all payments."""

    title = _("gateway")
    parameter_name = "gateway"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, code) for code in settings.PAYMENT_GATEWAYS]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(gateway=self.value()) if self.value() else queryset


@admin.register(Payment)
class PaymentAdmin(ReadOnlyAdmin):
    list_display = (
        *("public_id", "created_at", "order", "gateway", "state"),
        *("amount", "captured_amount", "refunded_amount", "is_test"),
    )
    list_select_related = ("order",)
    list_filter = ("status", GatewayFilter, "is_test")
    search_fields = ("=provider_id", "=order__number")
    search_help_text = _("The provider's id, or the order's number")
    ordering = ("-pk",)
    fields = (
        ("order", "status"),
        ("gateway", "provider_id"),
        ("method", "is_off_session", "is_test"),
        ("amount", "authorized_amount"),
        ("captured_amount", "refunded_amount"),
        ("still_authorized", "captures_several"),
        "fee",
        ("error_code", "error_message"),
        "public_id",
        ("created_at", "updated_at"),
    )
    readonly_fields = ("public_id", "still_authorized", "fee", "created_at", "updated_at")
    inlines = (EntryInline, CaptureInline, RefundInline, DisputeInline)
    export_fields = (
        *("public_id", "created_at", "order__number", "gateway", "provider_id", "status"),
        *("currency", "amount", "captured_amount", "refunded_amount"),
    )

    @admin.display(description=_("still authorized"))
    def still_authorized(self, payment: Payment) -> str:
        return money_text(capturable(payment), payment.currency)

    @admin.display(description=_("provider's fee"))
    def fee(self, payment: Payment) -> str:
        fee = fee_of(payment)
        return "" if fee is None else money_text(fee, payment.currency)

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, payment: Payment) -> tuple[str, str]:
        return payment.status, payment.get_status_display()


@admin.register(Refund)
class RefundAdmin(ReadOnlyAdmin):
    list_display = ("public_id", "created_at", "order", "amount", "state", "reason")
    list_select_related = ("payment__order",)
    list_filter = ("status",)
    search_fields = ("=provider_id", "=payment__order__number")
    ordering = ("-pk",)
    fields = (
        ("payment", "amount"),
        ("status", "reason"),
        ("provider_id", "error_message"),
        ("public_id", "created_at"),
    )
    readonly_fields = ("public_id", "created_at")

    @admin.display(description=_("order"))
    def order(self, refund: Refund) -> str:
        return refund.payment.order.number

    @display(description=_("status"), ordering="status", label=REFUND_COLOURS)
    def state(self, refund: Refund) -> tuple[str, str]:
        return refund.status, refund.get_status_display()


@admin.register(Dispute)
class DisputeAdmin(ReadOnlyAdmin):
    list_display = (
        *("provider_id", "created_at", "order", "amount", "fee"),
        *("reason", "status", "evidence_due_at"),
    )
    list_select_related = ("payment__order",)
    list_filter = ("status",)
    search_fields = ("=provider_id", "=payment__order__number")
    ordering = ("-pk",)

    @admin.display(description=_("order"))
    def order(self, dispute: Dispute) -> str:
        return dispute.payment.order.number


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    list_display = ("event_id", "gateway", "type", "state", "attempts", "note", "created_at")
    list_filter = ("status", GatewayFilter)
    search_fields = ("=event_id", "=provider_id")
    ordering = ("-pk",)

    @display(description=_("status"), ordering="status", label=EVENT_COLOURS)
    def state(self, event: ProviderEvent) -> tuple[str, str]:
        return event.status, event.get_status_display()
