"""Orders in the back office: looked at here, changed by the buttons, which call the services."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import reduce
from operator import or_
from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from apps.core.addresses import address_lines
from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, money_text
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.core.admin_previews import Preview, extend_previews
from apps.core.models import AuditEntry
from apps.orders import services, states
from apps.orders.models import Order, OrderEvent, OrderLine
from apps.orders.selectors.oss import (
    EURO,
    THRESHOLD,
    cross_border_sales,
    oss_report,
    quarter_of,
)
from apps.pricing.selectors import explain_stored
from apps.stores.selectors import active_stores
from apps.taxes.models import TaxSettings

# Colours of the theme's labels.
STATUS_COLOURS = {
    states.PENDING: "warning",
    states.CONFIRMED: "info",
    states.PROCESSING: "info",
    states.SHIPPED: "primary",
    states.DELIVERED: "success",
    states.COMPLETED: "success",
    states.CANCELLED: "danger",
}
PAYMENT_COLOURS = {
    "unpaid": "warning",
    "authorized": "info",
    "partially_paid": "warning",
    "paid": "success",
    "partially_refunded": "danger",
    "refunded": "danger",
}
FULFILLMENT_COLOURS = {
    "unfulfilled": "warning",
    "partially_fulfilled": "info",
    "fulfilled": "success",
}
# A search that finds more orders than this shows the newest.
MOST_FOUND = 500


class ReasonForm(ActionForm):
    reason = forms.CharField(
        label=_("Reason"),
        required=False,
        max_length=300,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 3}),
        help_text=_("Shown to the customer on the order's timeline."),
    )


class NoteForm(ActionForm):
    message = forms.CharField(
        label=_("Note"), max_length=2000, widget=UnfoldAdminTextareaWidget(attrs={"rows": 5})
    )
    is_public = forms.BooleanField(
        label=_("Show to the customer"), required=False, widget=UnfoldBooleanSwitchWidget
    )


def _mover(event: str) -> Callable[[Order, Mapping[str, Any]], Order]:
    def run(order: Order, data: Mapping[str, Any]) -> Order:
        # From a state that doesn't know the event the order stays where it is: the service says so.
        status = states.target(order.status, event) or order.status
        return services.move_by_staff(order=order, status=status, note=data.get("reason", ""))

    return run


def _allows(event: str) -> Callable[[Order], bool]:
    return lambda order: event in states.allowed_events(order.status)


# How the transition table's events look as buttons; one that isn't here is named as it is.
_LOOKS: dict[str, dict[str, Any]] = {
    "process": {
        "label": _("Mark as processing"),
        "done": _("The order is being processed."),
        "icon": "package_2",
        "in_list": True,
    },
    "deliver": {
        "label": _("Mark as delivered"),
        "done": _("The order is delivered."),
        "icon": "where_to_vote",
    },
    "complete": {
        "label": _("Complete"),
        "done": _("The order is completed."),
        "icon": "task_alt",
    },
    "cancel": {
        "label": _("Cancel order"),
        "done": _("The order is cancelled."),
        "icon": "cancel",
        "permission": "orders.cancel_order",
        "form": ReasonForm,
        "is_danger": True,
    },
}


def _transitions() -> list[Action]:
    """A button for every event of the table that people may cause."""
    events = dict.fromkeys(event for _state, event in states.TRANSITIONS if event in states.BY_HAND)
    return [
        Action(
            **{
                "name": event,
                "label": event,
                "permission": "orders.transition_order",
                "run": _mover(event),
                "offered": _allows(event),
                **_LOOKS.get(event, {}),
            }
        )
        for event in events
    ]


extend_actions(
    Order,
    *_transitions(),
    Action(
        name="note",
        label=_("Add note"),
        done=_("The note is on the timeline."),
        permission="orders.note_order",
        run=lambda order, data: services.add_note(order=order, **data),
        form=NoteForm,
        icon="edit_note",
    ),
)


class OrderLineInline(ReadOnlyTabularInline):
    model = OrderLine
    verbose_name_plural = _("lines")
    fields = (
        *("product", "sku", "quantity", "fulfilled_quantity"),
        *("unit_price", "discount", "tax", "total"),
    )
    readonly_fields = ("product",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[OrderLine]:
        return super().get_queryset(request).select_related("order", "variant")

    @admin.display(description=_("product"))
    def product(self, line: OrderLine) -> str:
        options = ", ".join(f"{name}: {value}" for name, value in line.options.items())
        text = f"{line.name} ({options})" if options else line.name
        if line.variant is None or not self.request.user.has_perm("products.view_product"):
            return text
        url = reverse("admin:products_product_change", args=[line.variant.product_id])
        return format_html('<a href="{}" class="text-link">{}</a>', url, text)


class TimelineInline(ReadOnlyTabularInline):
    model = OrderEvent
    fields = ("created_at", "what", "message", "actor", "is_public")
    readonly_fields = ("created_at", "what")

    @admin.display(description=_("event"))
    def what(self, entry: OrderEvent) -> str:
        return str(_KINDS.get(entry.kind) or entry.kind.replace("_", " ").capitalize())


_KINDS = {
    "created": _("Created"),
    "confirm": _("Confirmed"),
    "process": _("Processing"),
    "ship": _("Shipped"),
    "partly_shipped": _("Partly shipped"),
    "deliver": _("Delivered"),
    "complete": _("Completed"),
    "cancel": _("Cancelled"),
    "note": _("Note"),
    "stock_short": _("Stock is short"),
    "payment_created": _("Payment begun"),
    "payment_requires_action": _("Payment waits for the customer"),
    "payment_processing": _("Payment in process"),
    "payment_authorized": _("Payment authorized"),
    "payment_captured": _("Payment captured"),
    "payment_failed": _("Payment failed"),
    "payment_voided": _("Payment voided"),
}


class TodoFilter(admin.SimpleListFilter):
    title = _("to do")
    parameter_name = "todo"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        return [
            ("to_ship", _("To ship")),
            ("unpaid", _("Unpaid")),
            ("to_capture", _("To capture")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        known = dict(self.lookup_choices)
        return getattr(queryset, self.value())() if self.value() in known else queryset


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = (
        *("number", "placed", "email", "total"),
        *("state", "payment_state", "fulfillment_state", "store"),
    )
    list_select_related = ("store",)
    list_filter = (TodoFilter, "status", "payment_status", "fulfillment_status", "store")
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    search_fields = ("number", "email")
    search_help_text = _("Number or e-mail (or how they begin), SKU, tracking number")
    inlines = (OrderLineInline, TimelineInline)
    change_form_outer_before_template = "admin/orders/order_summary.html"
    change_form_outer_after_template = "admin/orders/order_history.html"
    export_fields = (
        *("number", "created_at", "store__code", "email", "status", "payment_status"),
        *("fulfillment_status", "currency", "subtotal", "discount", "shipping", "tax", "total"),
        *("captured_amount", "refunded_amount"),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        return super().get_queryset(request).select_related("store", "customer")

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = super().get_list_display(request)
        return columns if len(active_stores()) > 1 else columns[:-1]

    def get_fieldsets(self, request: HttpRequest, obj: Order | None = None) -> list[Any]:
        """None: the summary above shows the order's own row."""
        return []

    def get_inlines(self, request: HttpRequest, obj: Order | None) -> list[Any]:
        """What happened, last, after what upper rooms add."""
        inlines = super().get_inlines(request, obj)
        return [*(i for i in inlines if i is not TimelineInline), TimelineInline]

    @admin.display(description=_("placed"), ordering="created_at")
    def placed(self, order: Order) -> str:
        return date_format(timezone.localtime(order.created_at), "SHORT_DATETIME_FORMAT")

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Order], search_term: str
    ) -> tuple[QuerySet[Order], bool]:
        """What staff have in hand: the newest matches, looked up once.

        A condition over joined tables would be evaluated again by every query of the page.
        """
        term = search_term.strip()
        if not term:
            return queryset, False
        spellings = {term, term.upper(), term.lower()}
        conditions = (
            reduce(or_, (Q(number__startswith=text) for text in spellings)),
            reduce(or_, (Q(email__startswith=text) for text in spellings)),
            Q(pk__in=OrderLine.objects.filter(sku__in=spellings).values("order_id")),
            Q(fulfillments__tracking_number__in=spellings),
        )
        found = {
            pk
            for condition in conditions
            for pk in queryset.filter(condition)
            .order_by("-pk")
            .values_list("pk", flat=True)[:MOST_FOUND]
        }
        return queryset.filter(pk__in=found), False

    def changeform_view(
        self,
        request: HttpRequest,
        object_id: str | None = None,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> Any:
        response = super().changeform_view(request, object_id, form_url, extra_context)
        context = getattr(response, "context_data", None) or {}
        if isinstance(order := context.get("original"), Order):
            context["title"] = _("Order %s") % order.number
            context["subtitle"] = None
            context["summary"] = _summary(order)
            context["explanation"] = explain_stored(order.quote)
            if request.user.has_perm("core.view_auditentry"):
                context["history"] = _history(order)
        return response

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("payment"), ordering="payment_status", label=PAYMENT_COLOURS)
    def payment_state(self, order: Order) -> tuple[str, str]:
        return order.payment_status, order.get_payment_status_display()

    @display(description=_("fulfillment"), ordering="fulfillment_status", label=FULFILLMENT_COLOURS)
    def fulfillment_state(self, order: Order) -> tuple[str, str]:
        return order.fulfillment_status, order.get_fulfillment_status_display()


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


def _summary(order: Order) -> dict[str, Any]:
    """What the top of the order's page shows, ready to print."""

    def money(amount: int) -> str:
        return money_text(amount, order.currency)

    totals = [(_("Subtotal"), order.subtotal)]
    if order.discount:
        totals.append((_("Discount"), -order.discount))
    totals.append((order.shipping_method_name or _("Shipping"), order.shipping))
    taxes = [(f"{row['name']}", money(row["amount"])) for row in order.quote.get("taxes", ())] or (
        [(_("Tax"), money(order.tax))] if order.tax else []
    )
    paid = [(_("Captured"), order.captured_amount), (_("Refunded"), order.refunded_amount)]
    return {
        "labels": [
            (STATUS_COLOURS[order.status], order.get_status_display()),
            (PAYMENT_COLOURS[order.payment_status], order.get_payment_status_display()),
            (
                FULFILLMENT_COLOURS[order.fulfillment_status],
                order.get_fulfillment_status_display(),
            ),
        ],
        "totals": [(label, money(amount)) for label, amount in totals],
        "taxes": taxes,
        "total": money(order.total),
        "paid": [(label, money(amount)) for label, amount in paid],
        "outstanding": money(order.outstanding) if order.outstanding else "",
        "shipping_address": address_lines(order.shipping_address),
        "billing_address": address_lines(order.billing_address),
    }


def _history(order: Order) -> list[AuditEntry]:
    entries = AuditEntry.objects.filter(
        object_type=order._meta.label_lower, object_id=str(order.pk)
    )
    return list(entries.order_by("-pk")[:50])
