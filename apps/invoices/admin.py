"""Invoices in the back office: found, downloaded, printed many at once; never changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.files.storage import storages
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from apps.core.admin import ModelAdmin, ReadOnlyAdmin, ReadOnlyTabularInline, extend
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.errors import DomainError
from apps.core.fields import AmountModelForm
from apps.core.files import PDF, private_file
from apps.core.scopes import scoped
from apps.invoices import services
from apps.invoices.engines.ubl import ubl
from apps.invoices.models import Invoice, InvoiceBatch, InvoiceSettings
from apps.invoices.selectors import seller_is_complete
from apps.orders import states
from apps.orders.models import Order

KIND_COLOURS = {Invoice.Kind.INVOICE: "info", Invoice.Kind.CREDIT_NOTE: "warning"}
# How often the page of a batch looks again.
REFRESH_SECONDS = 2


class ReissueForm(ActionForm):
    intro = _("The invoice is credited and issued anew, with the names and addresses of now.")
    reason = forms.CharField(
        label=_("Reason"), max_length=300, widget=UnfoldAdminTextareaWidget(attrs={"rows": 3})
    )


def _is_sold(order: Order) -> bool:
    return order.status not in (states.PENDING, states.CANCELLED)


def _issue_missing(known: InvoiceSettings, data: Mapping[str, Any]) -> None:
    _done, refused = services.issue_missing(store=known.store)
    if refused:
        raise DomainError("\n".join(refused[:10]))


extend_actions(
    Order,
    Action(
        name="invoice",
        label=_("Issue invoice"),
        done=_("The invoice is issued."),
        permission="invoices.add_invoice",
        run=lambda order, data: services.issue_invoice(order=order),
        offered=lambda order: _is_sold(order) and not order.invoices.exists(),
        icon="request_page",
        in_list=True,
    ),
    Action(
        name="reissue",
        label=_("Issue invoice anew"),
        done=_("The invoice is credited and issued anew."),
        permission="invoices.add_invoice",
        run=lambda order, data: services.reissue_invoice(order=order, reason=data["reason"]),
        offered=lambda order: _is_sold(order) and order.invoices.exists(),
        form=ReissueForm,
        icon="restart_alt",
    ),
)
extend_actions(
    InvoiceSettings,
    Action(
        name="missing",
        label=_("Issue what is missing"),
        done=_("What was missing is issued."),
        permission="invoices.add_invoice",
        run=_issue_missing,
        icon="playlist_add_check",
    ),
)


def _files(invoice: Invoice) -> str:
    name = "admin:invoices_invoice_file"
    return format_html(
        '<a href="{}" class="text-link">PDF</a> · <a href="{}" class="text-link">XML</a>',
        reverse(name, args=[invoice.pk, "pdf"]),
        reverse(name, args=[invoice.pk, "xml"]),
    )


class OrderInvoiceInline(ReadOnlyTabularInline):
    model = Invoice
    verbose_name_plural = _("invoices")
    fields = ("number", "kind", "issued_on", "total", "reason", "files")
    readonly_fields = ("files",)

    @admin.display(description=_("files"))
    def files(self, invoice: Invoice) -> str:
        return _files(invoice)


extend(Order, OrderInvoiceInline)


class YearFilter(admin.SimpleListFilter):
    title = _("year")
    parameter_name = "year"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        seen = model_admin.get_queryset(request).order_by("-year")
        years = seen.values_list("year", flat=True).distinct()
        return [(str(year), str(year)) for year in years]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        known = dict(self.lookup_choices)
        return queryset.filter(year=self.value()) if self.value() in known else queryset


@admin.register(Invoice)
class InvoiceAdmin(ReadOnlyAdmin):
    list_display = (
        *("number", "shown_kind", "issued_on", "order", "buyer"),
        *("net", "tax", "total", "files", "store"),
    )
    list_select_related = ("order", "store")
    list_filter = ("kind", YearFilter, "store")
    date_hierarchy = "issued_on"
    search_fields = ("number__startswith", "buyer__icontains", "=order__number")
    search_help_text = _("Number (or how it begins), buyer, the order's number")
    ordering = ("-pk",)
    actions = ("one_pdf",)
    fieldsets = (
        (None, {"fields": (("number", "kind"), ("issued_on", "order"), ("corrects", "refund"))}),
        (_("Amounts"), {"fields": (("net", "tax", "total"),)}),
        (_("More"), {"fields": (("buyer", "store"), "reason", "files", "public_id")}),
    )
    readonly_fields = ("files", "public_id")
    export_fields = (
        *("number", "kind", "issued_on", "store__code", "order__number", "corrects__number"),
        *("buyer", "currency", "net", "tax", "total", "reason"),
    )

    @display(description=_("kind"), ordering="kind", label=KIND_COLOURS)
    def shown_kind(self, invoice: Invoice) -> tuple[str, str]:
        return invoice.kind, invoice.get_kind_display()

    @admin.display(description=_("files"))
    def files(self, invoice: Invoice) -> str:
        return _files(invoice)

    def get_urls(self) -> list[URLPattern]:
        wrap, name = self.admin_site.admin_view, "invoices_invoice"
        return [
            path("<int:pk>/file/<slug:kind>/", wrap(self.file_view), name=f"{name}_file"),
            path("batches/<int:pk>/", wrap(self.batch_view), name=f"{name}_batch"),
            path(
                "batches/<int:pk>/file/",
                wrap(self.batch_file_view),
                name=f"{name}_batch_file",
            ),
            *super().get_urls(),
        ]

    def file_view(self, request: HttpRequest, pk: int, kind: str) -> HttpResponseBase:
        """One paper: `pdf` or `xml`."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if kind not in ("pdf", "xml"):
            raise Http404
        invoice = get_object_or_404(scoped(Invoice.objects.for_reading()), pk=pk)
        try:
            body = services.pdf_of(invoice=invoice) if kind == "pdf" else ubl(invoice).encode()
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:invoices_invoice_change", pk)
        return private_file(body, f"{invoice.number}.{kind}", f"application/{kind}", is_shown=True)

    @admin.action(description=_("One PDF of the selected"), permissions=["view"])
    def one_pdf(self, request: HttpRequest, queryset: QuerySet[Invoice]) -> HttpResponse | None:
        chosen = queryset.order_by("pk").values_list("pk", flat=True)
        try:
            batch = services.ask_batch(
                invoices=list(chosen[: services.MOST_IN_A_BATCH + 1]), user=request.user
            )
        except DomainError as error:
            self.message_user(request, str(error), messages.ERROR)
            return None
        return redirect("admin:invoices_invoice_batch", batch.pk)

    def batch_view(self, request: HttpRequest, pk: int) -> TemplateResponse:
        """How far a batch is; looks again until it is done."""
        batch = self._batch(request, pk)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("One PDF of many"),
            "batch": batch,
            "total": len(batch.invoices),
            "is_done": batch.status == InvoiceBatch.Status.DONE,
            "refresh": REFRESH_SECONDS,
        }
        return TemplateResponse(request, "admin/invoices/batch.html", context)

    def batch_file_view(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        batch = self._batch(request, pk)
        if batch.status != InvoiceBatch.Status.DONE:
            raise Http404
        file = storages["private"].open(batch.file_name)
        return private_file(file, "invoices.pdf", PDF, is_shown=True)

    def _batch(self, request: HttpRequest, pk: int) -> InvoiceBatch:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return get_object_or_404(scoped(InvoiceBatch.objects.all()), pk=pk)


class InvoiceSettingsForm(AmountModelForm):
    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or self.cleaned_data
        store = cleaned.get("store") or getattr(self.instance, "store", None)
        if store is not None and not seller_is_complete(store):
            raise ValidationError(str(services.SellerIncomplete.message))
        return cleaned


@admin.register(InvoiceSettings)
class InvoiceSettingsAdmin(ModelAdmin):
    form = InvoiceSettingsForm
    list_display = ("store", "issue_on", "due_days", "is_mailed")
    list_select_related = ("store",)
    fields = ("store", ("issue_on", "due_days"), "is_mailed", "logo", "footer")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return [*super().get_readonly_fields(request, obj), *(["store"] if obj else [])]
