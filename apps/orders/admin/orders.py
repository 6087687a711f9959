"""Orders in the back office: looked at here, changed by the buttons, which call the services."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext_lazy as _
from unfold.decorators import display

from apps.accounts.models import User
from apps.core.addresses import address_lines
from apps.core.admin import ReadOnlyAdmin, ReadOnlyTabularInline, money_text
from apps.core.models import AuditEntry
from apps.orders import states
from apps.orders.admin.chosen import list_actions
from apps.orders.models import Order, OrderEvent, OrderLine
from apps.orders.selectors.search import search_orders
from apps.pricing.selectors import explain_stored
from apps.stores.selectors import active_stores

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
MOST_PEOPLE = 50


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
    fields = ("created_at", "what", "message", "changes", "actor", "is_public")
    readonly_fields = ("created_at", "what", "changes")

    @admin.display(description=_("event"))
    def what(self, entry: OrderEvent) -> str:
        return str(_KINDS.get(entry.kind) or entry.kind.replace("_", " ").capitalize())

    @admin.display(description=_("changes"))
    def changes(self, entry: OrderEvent) -> str:
        """From which state to which, and every [before, after] in the entry's data."""
        moved = (entry.from_status, entry.to_status) if entry.from_status else None
        names = dict(Order.Status.choices)
        found = [f"{names.get(moved[0])} → {names.get(moved[1])}"] if moved else []
        for name, value in entry.data.items():
            if isinstance(value, list) and len(value) == 2:
                found.append(f"{_KINDS.get(name, name)}: {_plain(value[0])} → {_plain(value[1])}")
        return format_html_join(mark_safe("<br>"), "{}", ((text,) for text in found))


def _plain(value: Any) -> str:
    """A value of a change as people read it."""
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "–"
    return "–" if value in (None, "") else str(value)


_KINDS = {
    "created": _("Created"),
    "confirm": _("Confirmed"),
    "process": _("Processing"),
    "ship": _("Shipped"),
    "partly_shipped": _("Partly shipped"),
    "packed_together": _("Packed together"),
    "deliver": _("Delivered"),
    "complete": _("Completed"),
    "cancel": _("Cancelled"),
    "edited": _("Changed"),
    "price_agreed": _("Price agreed"),
    "combined": _("Combined"),
    "split": _("Split"),
    "note": _("Note"),
    "tags": _("Tags"),
    "assignee": _("Assigned"),
    "held": _("Held"),
    "released": _("Released"),
    "invoice_issued": _("Invoice issued"),
    "credit_note_issued": _("Credit note issued"),
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
            ("held", _("Held")),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        known = dict(self.lookup_choices)
        return getattr(queryset, self.value())() if self.value() in known else queryset


class AssigneeFilter(admin.SimpleListFilter):
    title = _("assigned to")
    parameter_name = "assigned"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Any]]:
        people = User.objects.filter(is_staff=True, is_active=True).exclude(pk=request.user.pk)
        rows = people.order_by("email").values_list("pk", "email")[:MOST_PEOPLE]
        return [
            ("me", _("Me")),
            ("nobody", _("Nobody")),
            *((str(pk), email) for pk, email in rows),
        ]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Order]) -> QuerySet[Order]:
        chosen = self.value()
        if chosen == "nobody":
            return queryset.filter(assignee=None)
        if chosen == "me":
            return queryset.filter(assignee=request.user.pk)
        if chosen in dict(self.lookup_choices):
            return queryset.filter(assignee=int(str(chosen)))
        return queryset


@admin.register(Order)
class OrderAdmin(ReadOnlyAdmin):
    list_display = (
        *("number", "placed", "email", "total"),
        *("state", "payment_state", "fulfillment_state", "assignee", "tag_names", "store"),
    )
    list_select_related = ("store", "assignee")
    list_filter = (
        *(TodoFilter, "status", "payment_status", "fulfillment_status"),
        *(AssigneeFilter, "tags", "store"),
    )
    date_hierarchy = "created_at"
    ordering = ("-pk",)
    search_fields = ("number", "email")
    search_help_text = _(
        "Number, e-mail, name, SKU, tracking number, amount, words of notes (or how they begin)"
    )
    inlines = (OrderLineInline, TimelineInline)
    change_form_outer_before_template = "admin/orders/order_summary.html"
    change_form_outer_after_template = "admin/orders/order_history.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        related = ("store", "customer", "assignee", "split_from")
        orders = super().get_queryset(request).select_related(*related)
        return orders.prefetch_related("tags")

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        return {**super().get_actions(request), **list_actions(request)}

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        columns = super().get_list_display(request)
        return columns if len(active_stores()) > 1 else [c for c in columns if c != "store"]

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

        A condition over another table would be evaluated again by every query of the page.
        """
        if not search_term.strip():
            return queryset, False
        found = search_orders(queryset, search_term).order_by("-pk")
        newest = list(found.values_list("pk", flat=True)[:MOST_FOUND])
        return queryset.filter(pk__in=newest), False

    def object_context(self, request: HttpRequest, obj: Order) -> dict[str, Any]:
        context = {
            "title": _("Order %s") % obj.number,
            "subtitle": None,
            "summary": _summary(obj),
            "explanation": explain_stored(obj.quote),
        }
        if request.user.has_perm("core.view_auditentry"):
            context["history"] = _history(obj)
        return context

    @admin.display(description=_("tags"))
    def tag_names(self, order: Order) -> str:
        return ", ".join(tag.name for tag in order.tags.all())

    @display(description=_("status"), ordering="status", label=STATUS_COLOURS)
    def state(self, order: Order) -> tuple[str, str]:
        return order.status, order.get_status_display()

    @display(description=_("payment"), ordering="payment_status", label=PAYMENT_COLOURS)
    def payment_state(self, order: Order) -> tuple[str, str]:
        return order.payment_status, order.get_payment_status_display()

    @display(description=_("fulfillment"), ordering="fulfillment_status", label=FULFILLMENT_COLOURS)
    def fulfillment_state(self, order: Order) -> tuple[str, str]:
        return order.fulfillment_status, order.get_fulfillment_status_display()


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
    if (left := order.authorized_amount - order.captured_amount) > 0:
        paid.insert(0, (_("Still authorized"), left))
    held = [("danger", _("on hold"))] if order.on_hold else []
    return {
        "labels": [
            *held,
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
        "tags": [tag.name for tag in order.tags.all()],
        "shipping_address": address_lines(order.shipping_address),
        "billing_address": address_lines(order.billing_address),
    }


def _history(order: Order) -> list[AuditEntry]:
    entries = AuditEntry.objects.filter(
        object_type=order._meta.label_lower, object_id=str(order.pk)
    )
    return list(entries.order_by("-pk")[:50])
