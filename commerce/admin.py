"""The back office as a whole: its sidebar and its dashboard. The pages are in the rooms."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncDate
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.text import capfirst
from django.utils.translation import gettext_lazy as _
from django_celery_beat.models import (
    ClockedSchedule,
    CrontabSchedule,
    IntervalSchedule,
    PeriodicTask,
    SolarSchedule,
)

from apps.core.admin import ReadOnlyAdmin, money_text
from apps.core.models import OutboxMessage
from apps.core.money import decimal_string
from apps.core.scopes import scoped
from apps.fraud.models import Assessment
from apps.integrations.models import ImportJob
from apps.inventory.models import StockLevel
from apps.inventory.selectors import low_levels
from apps.notifications.models import Notification
from apps.orders.admin import STATUS_COLOURS
from apps.orders.models import Order
from apps.payments.models import ProviderEvent, ReconciliationDifference
from apps.returns.models import ReturnRequest
from apps.reviews.models import Review

# The schedule is code (commerce/schedule.py); what is shown is whether it runs.
for _model in (ClockedSchedule, CrontabSchedule, IntervalSchedule, PeriodicTask, SolarSchedule):
    admin.site.unregister(_model)


@admin.register(PeriodicTask)
class PeriodicTaskAdmin(ReadOnlyAdmin):
    list_display = ("name", "task", "scheduler", "enabled", "last_run_at", "total_run_count")
    list_select_related = ("interval", "crontab", "solar", "clocked")
    search_fields = ("name", "task")
    fields = ("name", "task", "enabled", "last_run_at", "total_run_count", "description")


# Section → (model, icon of Material Symbols). A model without an admin page is left out.
SECTIONS: tuple[tuple[Any, tuple[tuple[str, str], ...]], ...] = (
    (
        _("Sales"),
        (
            ("orders.order", "receipt_long"),
            ("payments.payment", "payments"),
            ("payments.refund", "undo"),
            ("payments.paylink", "link"),
            ("invoices.invoice", "request_page"),
            ("payments.dispute", "gavel"),
            ("payments.reconciliationdifference", "balance"),
            ("payments.payout", "account_balance"),
            ("payments.payoutline", "list_alt"),
            ("payments.giftcard", "card_giftcard"),
            ("payments.storecredit", "account_balance_wallet"),
            ("fulfillment.fulfillment", "local_shipping"),
            ("returns.returnrequest", "assignment_return"),
            ("returns.withdrawal", "contract_delete"),
            ("fulfillment.picklist", "trolley"),
            ("fulfillment.printjob", "print"),
            ("checkout.cart", "shopping_cart"),
            ("orders.approval", "how_to_reg"),
            ("orders.bulkjob", "checklist"),
            ("orders.ordertag", "label"),
            ("orders.exportrun", "file_save"),
            ("orders.savedexport", "schedule_send"),
            ("fraud.assessment", "policy"),
            ("fraud.fraudrule", "rule"),
            ("fraud.fraudsettings", "tune"),
        ),
    ),
    (
        _("Catalogue"),
        (
            ("products.product", "inventory_2"),
            ("products.variant", "qr_code_2"),
            ("products.category", "account_tree"),
            ("products.collection", "collections_bookmark"),
            ("products.brand", "workspace_premium"),
            ("products.producttype", "category"),
            ("products.attribute", "tune"),
            ("products.tag", "sell"),
            ("reviews.review", "reviews"),
            ("storefront.searchquery", "manage_search"),
            ("storefront.searchsynonym", "compare_arrows"),
            ("storefront.searchredirect", "alt_route"),
        ),
    ),
    (
        _("Stock"),
        (
            ("inventory.stocklevel", "warehouse"),
            ("inventory.stockmovement", "swap_vert"),
            ("inventory.hold", "lock_clock"),
            ("inventory.location", "location_on"),
            ("inventory.allocationrule", "alt_route"),
            ("wishlists.wantedvariant", "favorite"),
            ("wishlists.alert", "notifications_active"),
        ),
    ),
    (
        _("Prices, taxes, shipping"),
        (
            ("pricing.price", "price_change"),
            ("pricing.pricelist", "request_quote"),
            ("pricing.pricepoint", "history"),
            ("promotions.promotion", "loyalty"),
            ("promotions.coupon", "confirmation_number"),
            ("promotions.redemption", "redeem"),
            ("pricing.currencyrule", "currency_exchange"),
            ("taxes.taxclass", "percent"),
            ("taxes.taxrate", "account_balance"),
            ("taxes.taxsettings", "assured_workload"),
            ("invoices.invoicesettings", "settings"),
            ("taxes.taxexemption", "verified"),
            ("taxes.vatcheck", "fact_check"),
            ("shipping.zone", "public"),
            ("shipping.shippingmethod", "package_2"),
            ("shipping.pickuppoint", "store"),
            ("shipping.holiday", "event_busy"),
            ("shipping.dutyrate", "account_balance"),
            ("shipping.dutythreshold", "money_off"),
        ),
    ),
    (
        _("Customers"),
        (
            ("customers.customer", "person"),
            ("customers.customergroup", "groups"),
            ("customers.segment", "filter_alt"),
            ("customers.customertag", "sell"),
            ("customers.customerevent", "timeline"),
            ("customers.erasurerequest", "person_off"),
        ),
    ),
    (
        _("Operations"),
        (
            ("integrations.importjob", "upload_file"),
            ("notifications.notification", "mail"),
            ("payments.providerevent", "webhook"),
            ("core.outboxmessage", "outbox"),
            ("core.auditentry", "policy"),
            ("django_celery_beat.periodictask", "schedule"),
        ),
    ),
    (
        _("Settings"),
        (
            ("stores.store", "storefront"),
            ("stores.seller", "handshake"),
            ("stores.exchangerate", "trending_up"),
            ("stores.sequence", "format_list_numbered"),
            ("orders.orderrule", "rule_settings"),
            ("payments.gatewayaccount", "credit_card"),
            ("reviews.reviewsettings", "rate_review"),
            ("returns.returnpolicy", "policy"),
            ("accounts.user", "manage_accounts"),
            ("auth.group", "admin_panel_settings"),
            ("accounts.apikey", "key"),
            ("accounts.apiplan", "speed"),
            ("accounts.apikeyusage", "monitoring"),
            ("accounts.apikeybill", "request_quote"),
            ("accounts.identityprovider", "login"),
            ("webhooks.webhookendpoint", "webhook"),
            ("webhooks.webhookdelivery", "outgoing_mail"),
        ),
    ),
)


def navigation(request: HttpRequest) -> list[dict[str, Any]]:
    """The sidebar: what the user may look at, and what plugins bring under "More"."""
    pages = {model._meta.label_lower: page for model, page in admin.site._registry.items()}
    known = {label for _title, items in SECTIONS for label, _icon in items}
    more = tuple((label, "extension") for label in sorted(pages.keys() - known))
    home = {"title": _("Dashboard"), "icon": "dashboard", "link": reverse("admin:index")}
    sections = [
        {
            "title": title,
            "items": [
                _item(pages[label], icon)
                for label, icon in items
                if label in pages and pages[label].has_view_permission(request)
            ],
        }
        for title, items in (*SECTIONS, (_("More"), more))
    ]
    return [{"items": [home]}, *(section for section in sections if section["items"])]


def _item(page: Any, icon: str) -> dict[str, Any]:
    name = f"admin:{page.opts.app_label}_{page.opts.model_name}_changelist"
    title = capfirst(page.opts.verbose_name_plural)
    return {"title": title, "icon": icon, "link": reverse(name)}


@dataclass(frozen=True, slots=True)
class Todo:
    """A tile: how many rows wait for somebody, and where they are listed."""

    label: Any
    icon: str
    model: type[models.Model]
    rows: Callable[[], QuerySet[Any]]
    query: str


TODOS = (
    Todo(_("To ship"), "local_shipping", Order, Order.objects.to_ship, "todo=to_ship"),
    Todo(_("Unpaid"), "hourglass_top", Order, Order.objects.unpaid, "todo=unpaid"),
    Todo(_("To capture"), "price_check", Order, Order.objects.to_capture, "todo=to_capture"),
    Todo(
        _("Payments to review"),
        "gavel",
        ProviderEvent,
        lambda: ProviderEvent.objects.filter(status=ProviderEvent.Status.REVIEW),
        "status__exact=review",
    ),
    Todo(
        _("Differences with providers"),
        "balance",
        ReconciliationDifference,
        lambda: ReconciliationDifference.objects.filter(is_open=True),
        "status__exact=open",
    ),
    Todo(_("Held orders"), "policy", Assessment, Assessment.objects.waiting, "todo=review"),
    Todo(
        _("Returns to decide"),
        "assignment_return",
        ReturnRequest,
        lambda: ReturnRequest.objects.filter(status=ReturnRequest.Status.REQUESTED),
        "status__exact=requested",
    ),
    Todo(_("Reviews to read"), "reviews", Review, Review.objects.waiting, "status__exact=pending"),
    Todo(_("Low stock"), "production_quantity_limits", StockLevel, low_levels, "stock=low"),
    Todo(
        _("Failed imports"),
        "upload_file",
        ImportJob,
        lambda: ImportJob.objects.filter(status=ImportJob.Status.FAILED),
        "status__exact=failed",
    ),
    Todo(
        _("Failed messages"),
        "mail",
        Notification,
        lambda: Notification.objects.filter(status=Notification.Status.FAILED),
        "status__exact=failed",
    ),
    Todo(
        _("Dead events"),
        "outbox",
        OutboxMessage,
        lambda: OutboxMessage.objects.filter(status=OutboxMessage.Status.DEAD),
        "status__exact=dead",
    ),
)
# Chart.js: amounts from zero, a legend that names the currencies.
CHART_OPTIONS = {
    "maintainAspectRatio": False,
    "plugins": {"legend": {"align": "end", "labels": {"boxWidth": 12}}},
    "scales": {
        "x": {"grid": {"display": False}},
        "y": {"beginAtZero": True, "ticks": {"maxTicksLimit": 6}, "border": {"display": False}},
    },
}
# A tile counts no further: the difference doesn't matter, its cost does.
MOST_COUNTED = 1000
PERIODS = (14, 30)


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the first page shows, in a constant number of queries, by the user's permissions."""
    context["title"] = _("Dashboard")
    context["todos"] = [tile for todo in TODOS if (tile := _tile(request, todo))]
    if request.user.has_perm("orders.view_order"):
        days = 30 if request.GET.get("days") == "30" else 14
        rows = _sales(days)
        today = timezone.localdate()
        context["sales"] = {
            "days": days,
            "periods": PERIODS,
            "chart": json.dumps(_chart(rows, days, today)),
            "options": json.dumps(CHART_OPTIONS),
            "rows": [
                (row["day"], row["number"], money_text(row["total"], row["currency"]))
                for row in reversed(rows)
            ],
        }
        context["today"] = {
            "orders": sum(row["number"] for row in rows if row["day"] == today),
            "sums": [
                money_text(row["total"], row["currency"]) for row in rows if row["day"] == today
            ],
        }
        context["latest"] = _latest()
    if _may_list(request, StockLevel):
        context["low_stock"] = scoped(low_levels())[:8]
    return context


def _may_list(request: HttpRequest, model: type[models.Model]) -> bool:
    page = admin.site._registry.get(model)
    return page is not None and page.has_view_permission(request)


def _tile(request: HttpRequest, todo: Todo) -> dict[str, Any] | None:
    if not _may_list(request, todo.model):
        return None
    number = scoped(todo.rows()).order_by().values("pk")[: MOST_COUNTED + 1].count()
    opts = todo.model._meta
    return {
        "label": todo.label,
        "icon": todo.icon,
        "number": number,
        "text": f"{MOST_COUNTED}+" if number > MOST_COUNTED else str(number),
        "url": reverse(f"admin:{opts.app_label}_{opts.model_name}_changelist") + f"?{todo.query}",
    }


def _sales(days: int) -> list[dict[str, Any]]:
    """Orders and their totals (minor units) by local day and currency, oldest first."""
    first = timezone.localdate() - timedelta(days=days - 1)
    since = timezone.make_aware(datetime.combine(first, time.min))
    return list(
        scoped(Order.objects.sold())
        .filter(created_at__gte=since)
        .annotate(day=TruncDate("created_at"))
        .values("day", "currency")
        .annotate(number=Count("pk"), total=Sum("total"))
        .order_by("day", "currency")
    )


def _chart(rows: list[dict[str, Any]], days: int, today: date) -> dict[str, Any]:
    """Chart.js data: a bar per day for each currency, amounts as decimal strings."""
    dates = [today - timedelta(days=days - 1 - i) for i in range(days)]
    sums = {(row["day"], row["currency"]): row["total"] for row in rows}
    colours = ("var(--color-primary-600)", "var(--color-base-400)", "var(--color-primary-300)")
    currencies = sorted({row["currency"] for row in rows})
    return {
        "labels": [date_format(day, "j M") for day in dates],
        "datasets": [
            {
                "label": currency,
                "data": [decimal_string(sums.get((day, currency), 0), currency) for day in dates],
                "backgroundColor": colours[i % len(colours)],
                "maxBarThickness": 32,
                "borderRadius": 3,
            }
            for i, currency in enumerate(currencies)
        ],
    }


def _latest() -> list[dict[str, Any]]:
    return [
        {
            "order": order,
            "total": money_text(order.total, order.currency),
            "colour": STATUS_COLOURS[order.status],
        }
        for order in scoped(Order.objects.order_by("-pk"))[:8]
    ]


def environment(request: HttpRequest) -> list[Any]:
    """The badge of the demo, so that nobody takes it for a real shop."""
    return [_("Demo"), "info"]
