"""Returns in the back office: what waits, a page of each, the policies, the withdrawals."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.urls import path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.core.admin import ModelAdmin, ReadOnlyAdmin, ReadOnlyTabularInline, extend, money_text
from apps.core.errors import NotFound
from apps.core.files import private_file
from apps.orders.models import Order
from apps.returns import states
from apps.returns.models import (
    Payout,
    ReturnEvent,
    ReturnLabel,
    ReturnLine,
    ReturnPhoto,
    ReturnPolicy,
    ReturnRequest,
    Withdrawal,
)
from apps.returns.selectors import PHOTO_TYPE, label_document, read_photo

STATUS_COLOURS = {
    states.REQUESTED: "warning",
    states.APPROVED: "info",
    states.RECEIVED: "warning",
    states.INSPECTED: "warning",
    states.CLOSED: "success",
    states.DECLINED: "danger",
    states.CANCELLED: "danger",
}


def _order_link(order: Order) -> str:
    url = reverse("admin:orders_order_change", args=[order.pk])
    return format_html('<a href="{}" class="text-link">{}</a>', url, order.number)


def _paper_link(request: ReturnRequest) -> str:
    url = reverse("admin:returns_returnrequest_label", args=[request.pk])
    return format_html('<a href="{}" class="text-link">PDF</a>', url)


class ReturnInline(ReadOnlyTabularInline):
    """On the order's page."""

    model = ReturnRequest
    fk_name = "order"
    fields = ("link", "kind", "state", "refund_amount", "created_at")
    readonly_fields = ("link", "state", "created_at")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnRequest]:
        return super().get_queryset(request).select_related("order").order_by("pk")

    @admin.display(description=_("return"))
    def link(self, request: ReturnRequest) -> str:
        url = reverse("admin:returns_returnrequest_change", args=[request.pk])
        return format_html('<a href="{}" class="text-link">{}</a>', url, request.number)

    @admin.display(description=_("status"))
    def state(self, request: ReturnRequest) -> str:
        return request.get_status_display()


extend(Order, ReturnInline)


class LineInline(ReadOnlyTabularInline):
    model = ReturnLine
    fields = (
        *("sku", "name", "quantity", "received_quantity", "accepted_quantity", "reason"),
        *("condition", "inspected", "exchange"),
    )
    readonly_fields = ("sku", "name", "inspected", "exchange")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnLine]:
        lines = super().get_queryset(request).select_related("order_line", "replacement")
        return lines.prefetch_related("inspections__location")

    @admin.display(description=_("SKU"))
    def sku(self, line: ReturnLine) -> str:
        return line.order_line.sku

    @admin.display(description=_("name"))
    def name(self, line: ReturnLine) -> str:
        return line.order_line.name

    @admin.display(description=_("exchanged for"))
    def exchange(self, line: ReturnLine) -> str:
        return line.replacement.sku if line.replacement else ""

    @admin.display(description=_("inspection"))
    def inspected(self, line: ReturnLine) -> str:
        return ", ".join(
            f"{found.quantity} × {found.get_outcome_display()} ({found.location})"
            for found in line.inspections.all()
        )


class PhotoInline(ReadOnlyTabularInline):
    model = ReturnPhoto
    fields = ("picture", "state", "error")
    readonly_fields = ("picture", "state", "error")

    @admin.display(description=_("photo"))
    def picture(self, photo: ReturnPhoto) -> str:
        if photo.status != ReturnPhoto.Status.READY:
            return "–"
        url = reverse("admin:returns_returnrequest_photo", args=[photo.request_id, photo.pk])
        return format_html(
            '<a href="{}"><img src="{}" alt="{}" width="160" loading="lazy"></a>',
            *(url, url, _("Photo")),
        )

    @admin.display(description=_("status"))
    def state(self, photo: ReturnPhoto) -> str:
        return photo.get_status_display()


class LabelInline(ReadOnlyTabularInline):
    model = ReturnLabel
    fields = (
        *("carrier", "service", "tracking_number", "state", "parcel_status", "price"),
        *("is_deducted", "error", "paper"),
    )
    readonly_fields = ("state", "price", "paper")

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnLabel]:
        return super().get_queryset(request).select_related("request").defer("document")

    @admin.display(description=_("status"))
    def state(self, label: ReturnLabel) -> str:
        return label.get_status_display()

    @admin.display(description=_("price"))
    def price(self, label: ReturnLabel) -> str:
        return money_text(label.amount, label.currency) if label.currency else "–"

    @admin.display(description=_("file"))
    def paper(self, label: ReturnLabel) -> str:
        is_printed = label.status == label.Status.BOUGHT
        if not is_printed or label.request.status != states.APPROVED:
            return "–"
        return _paper_link(label.request)


class PayoutInline(ReadOnlyTabularInline):
    model = Payout
    fields = ("amount", "by", "state")
    readonly_fields = ("by", "state")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Payout]:
        return super().get_queryset(request).select_related("refund__payment", "request__order")

    @admin.display(description=_("by"))
    def by(self, payout: Payout) -> str:
        if payout.refund is None and payout.is_credit:
            return str(_("set against the replacement"))
        if payout.refund is None:
            return payout.request.get_refund_to_display()
        return payout.refund.payment.gateway

    @admin.display(description=_("status"))
    def state(self, payout: Payout) -> str:
        return payout.refund.get_status_display() if payout.refund else ""


class EventInline(ReadOnlyTabularInline):
    model = ReturnEvent
    fields = ("created_at", "kind", "message", "actor")
    readonly_fields = ("created_at",)


@admin.register(ReturnRequest)
class ReturnRequestAdmin(ReadOnlyAdmin):
    list_display = (
        *("number", "order", "kind", "state", "pieces", "photos", "refund_amount", "created_at"),
    )
    list_select_related = ("order",)
    list_filter = ("status", "kind", "order__store")
    search_fields = ("=number", "=order__number", "order__email")
    search_help_text = _("The return's number, the order's, or the customer's e-mail")
    ordering = ("-pk",)
    fields = (
        ("number", "order_link", "kind"),
        ("status", "refund_to", "shipping_paid_by"),
        ("location", "reason"),
        "note",
        ("goods_amount", "fee_amount", "label_amount", "shipping_amount", "refund_amount"),
        ("replacement_link", "credit_amount"),
        ("settled_at", "refunded_at"),
        ("created_at", "public_id"),
    )
    readonly_fields = (
        *("order_link", "replacement_link", "status", "settled_at", "refunded_at", "created_at"),
    )
    inlines = (LineInline, LabelInline, PhotoInline, PayoutInline, EventInline)
    export_fields = (
        *("number", "created_at", "order__number", "kind", "status", "order__currency"),
        *("goods_amount", "fee_amount", "label_amount", "shipping_amount", "refund_amount"),
        "refunded_at",
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[ReturnRequest]:
        return super().get_queryset(request).prefetch_related("lines", "photos")

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view(self.photo_view)
        name = "returns_returnrequest_photo"
        label = self.admin_site.admin_view(self.label_view)
        return [
            path("<int:pk>/photos/<int:photo_pk>/", view, name=name),
            path("<int:pk>/label/", label, name="returns_returnrequest_label"),
            *super().get_urls(),
        ]

    def label_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        if not self.has_view_permission(request):
            raise PermissionDenied
        found = get_object_or_404(self.get_queryset(request).select_related("order__store"), pk=pk)
        try:
            body, content_type = label_document(found)
        except NotFound as error:
            raise Http404 from error
        return private_file(body, f"{found.number}.pdf", content_type, is_shown=True)

    def photo_view(self, request: HttpRequest, pk: int, photo_pk: int) -> HttpResponse:
        if not self.has_view_permission(request):
            raise PermissionDenied
        photo = get_object_or_404(
            ReturnPhoto, pk=photo_pk, request__in=self.get_queryset(request).filter(pk=pk)
        )
        try:
            body = read_photo(photo.request, photo.public_id)
        except NotFound as error:
            raise Http404 from error
        response = HttpResponse(body, content_type=PHOTO_TYPE)
        response["Cache-Control"] = "private, max-age=3600"
        return response

    @admin.display(description=_("photos"))
    def photos(self, request: ReturnRequest) -> str:
        return str(len(request.photos.all()) or "–")

    @admin.display(description=_("order"))
    def order_link(self, request: ReturnRequest) -> str:
        return _order_link(request.order)

    @admin.display(description=_("replacement"))
    def replacement_link(self, request: ReturnRequest) -> str:
        return _order_link(request.replacement_order) if request.replacement_order else ""

    @admin.display(description=_("pieces"))
    def pieces(self, request: ReturnRequest) -> int:
        return sum(line.quantity for line in request.lines.all())

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, request: ReturnRequest) -> tuple[str, str]:
        return request.status, request.get_status_display()


@admin.register(ReturnPolicy)
class ReturnPolicyAdmin(ModelAdmin):
    list_display = (
        *("store", "category", "days", "condition", "is_final_sale", "is_exempt"),
        *("fee_percent", "fee_fixed", "shipping_paid_by"),
    )
    list_select_related = ("store", "category")
    list_filter = ("store",)
    fields = (
        ("store", "category"),
        ("days", "condition"),
        ("is_final_sale", "is_exempt"),
        ("fee_percent", "fee_fixed"),
        ("shipping_paid_by", "charges_difference"),
        ("label_carrier", "label_service", "deducts_label"),
        "instructions",
    )


@admin.register(Withdrawal)
class WithdrawalAdmin(ReadOnlyAdmin):
    list_display = ("created_at", "order", "name", "email", "request")
    list_select_related = ("order", "request")
    search_fields = ("=order__number", "=email")
    ordering = ("-pk",)
    fields = (("order_link", "request"), ("name", "email"), ("created_at", "public_id"))
    readonly_fields = ("order_link", "created_at")

    @admin.display(description=_("order"))
    def order_link(self, statement: Withdrawal) -> str:
        return _order_link(statement.order)
