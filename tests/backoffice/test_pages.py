"""The back office's pages: what they show, to whom, what they cost, and what they never run."""

from __future__ import annotations

import json

import pytest
from django.contrib import admin
from django.contrib.admin.utils import flatten_fieldsets
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.accounts.models import User
from apps.checkout.models import Cart
from apps.core.models import AuditEntry, OutboxMessage
from apps.fulfillment.models import Fulfillment
from apps.fulfillment.services import set_tracking
from apps.inventory.models import StockLevel
from apps.orders.models import Order
from apps.orders.services import index_order
from apps.payments.models import Payment, ProviderEvent
from apps.products.models import Product
from tests.backoffice.conftest import Staff, address, messages_of

pytestmark = pytest.mark.django_db

LISTS = [
    "/admin/orders/order/",
    "/admin/orders/order/?todo=to_capture",
    "/admin/orders/order/?q=MUG",
    "/admin/payments/payment/",
    "/admin/checkout/cart/",
]
PAYLOAD = "<img src=x onerror=\"document.title='owned'\"><script>alert(1)</script>"


def _queries(client: Staff, url: str) -> int:
    client.get(url)
    with CaptureQueriesContext(connection) as seen:
        assert client.get(url).status_code == 200
    return len(seen)


@pytest.mark.parametrize("url", LISTS)
def test_a_list_costs_the_same_for_100_rows_as_for_10(staff, many_orders, url):
    many_orders(10)
    few = _queries(staff, url)
    many_orders(100)
    assert _queries(staff, url) == few
    assert few <= 17


def test_an_order_page_costs_the_same_for_more_lines(staff, order):
    few = _queries(staff, address(order))
    line = order.lines.first()
    for i in range(20):
        line.pk, line.public_id, line.position = (
            None,
            f"01890000-0000-7000-8000-0000000000{i:02}",
            i,
        )
        line._state.adding = True
        line.save()
    assert _queries(staff, address(order)) == few
    assert few <= 23


def test_the_dashboard_costs_the_same_for_100_orders_as_for_10(staff, many_orders):
    many_orders(10)
    few = _queries(staff, "/admin/")
    many_orders(100)
    assert _queries(staff, "/admin/") == few
    assert few <= 20


def test_the_dashboard_shows_todays_sales_and_what_waits(staff, order, paid):
    OutboxMessage.objects.update(status=OutboxMessage.Status.DEAD)
    ProviderEvent.objects.create(
        gateway="stripe", event_id="evt_1", type="x", status=ProviderEvent.Status.REVIEW
    )
    StockLevel.objects.filter(variant__sku="MUG").update(low_stock_threshold=3)
    context = staff.get("/admin/").context
    tiles = {str(tile["label"]): tile["number"] for tile in context["todos"]}
    assert context["today"] == {"orders": 1, "sums": ["€48.95"]}
    assert (tiles["To ship"], tiles["Unpaid"], tiles["To capture"]) == (1, 0, 0)
    assert (tiles["Payments to review"], tiles["Low stock"]) == (1, 2)
    assert tiles["Dead events"] == OutboxMessage.objects.count() > 0
    assert [level.variant.sku for level in context["low_stock"]] == ["MUG", "MUG"]
    chart = json.loads(context["sales"]["chart"])
    assert len(chart["labels"]) == 14
    assert chart["datasets"][0]["data"] == ["0.00"] * 13 + ["48.95"]


def test_the_chart_shows_30_days_when_asked_and_each_currency(staff, order):
    Order.objects.filter(pk=order.pk).update(
        created_at=timezone.now() - timezone.timedelta(days=20), currency="JPY"
    )
    assert staff.get("/admin/").context["sales"]["rows"] == []
    chart = json.loads(staff.get("/admin/?days=30").context["sales"]["chart"])
    assert [dataset["label"] for dataset in chart["datasets"]] == ["JPY"]
    assert chart["datasets"][0]["data"][9] == "4895"


def test_cancelled_and_unpaid_orders_are_no_sales(staff, order):
    for status in ("cancelled", "pending"):
        Order.objects.filter(pk=order.pk).update(status=status)
        assert staff.get("/admin/").context["today"]["orders"] == 0


def test_every_tile_leads_to_its_list(staff, order):
    for tile in staff.get("/admin/").context["todos"]:
        assert staff.get(tile["url"]).status_code == 200, tile["url"]


def test_nobody_sees_figures_without_the_permission(staff_without_permissions, order):
    client = Staff()
    client.force_login(staff_without_permissions)
    response = client.get("/admin/")
    assert response.status_code == 200
    assert order.number not in response.content.decode()
    assert response.context["todos"] == []


def _sidebar(user: User) -> dict[str, list[str]]:
    client = Staff()
    client.force_login(user)
    groups = client.get("/admin/").context["sidebar_navigation"]
    return {str(g.get("title", "")): [str(i["title"]) for i in g["items"]] for g in groups}


def test_the_sidebar_holds_what_each_role_may_see(merchant, readonly_staff):
    owner = _sidebar(merchant)
    assert owner["Sales"][:2] == ["Orders", "Payments"]
    assert "Api keys" in [title.capitalize() for title in owner["Settings"]]
    shown = {title for titles in _sidebar(readonly_staff).values() for title in titles}
    assert "Orders" in shown
    assert not [title for title in shown if "key" in title.lower()]


def test_every_item_of_the_sidebar_opens(staff, order):
    for group in staff.get("/admin/").context["sidebar_navigation"]:
        for item in group["items"]:
            assert staff.get(item["link"]).status_code == 200, item["link"]


def test_no_page_shows_what_colours_a_column():
    """A column that is a coloured label gives a pair, which only lists know to show."""
    shown = {}
    for page in admin.site._registry.values():
        for part in (page, *page.inlines):
            names = flatten_fieldsets(part.fieldsets or [(None, {"fields": part.fields or ()})])
            pairs = [name for name in names if hasattr(getattr(part, name, None), "label")]
            if pairs:
                shown[str(part)] = pairs
    assert shown == {}


def test_the_order_page_shows_money_address_taxes_and_history(staff, order, paid):
    page = staff.page(order)
    for text in ("€48.95", "€12.00", "Calle Mayor 1", "28013 Madrid", "Spain", "IVA 21 %"):
        assert text in page
    assert "Ring twice" in page
    actions = set(AuditEntry.objects.filter(object_id=order.pk).values_list("action", flat=True))
    assert "order.confirm" in actions
    assert "order.confirm" in page


def test_amounts_of_read_only_pages_are_money(viewer, order, payment):
    assert "€48.95" in viewer.page(payment)
    assert "4895" not in viewer.get("/admin/payments/payment/").content.decode()


@pytest.mark.parametrize(
    "term",
    ["WEB-1", "web-1", "ana@", "ANA@example.com", "MUG", "mug", "PQ77", "pq77", "garcia 48,95"],
)
def test_orders_are_found_by_number_email_sku_and_tracking_number(staff, order, many_orders, term):
    many_orders(2)
    other = Order.objects.exclude(pk=order.pk).get()
    other.lines.update(sku="OTHER")
    other.email, other.shipping_address, other.billing_address = "b@example.com", {}, {}
    other.save()
    index_order(order=other)
    parcel = Fulfillment.objects.create(order=order)
    set_tracking(shipment=parcel, carrier="", tracking_number="PQ77", tracking_url="")
    found = staff.get("/admin/orders/order/", {"q": term}).context["cl"].result_list
    assert [row.number for row in found] == [order.number]


def test_a_search_keeps_the_filters(staff, order):
    found = staff.get("/admin/orders/order/", {"q": "WEB-1", "status__exact": "shipped"})
    assert found.context["cl"].result_count == 0


def test_texts_of_strangers_are_escaped(staff, order):
    evil = dict.fromkeys(("first_name", "last_name", "line1", "city", "region"), PAYLOAD)
    Order.objects.filter(pk=order.pk).update(
        customer_note=PAYLOAD, shipping_address={**evil, "country": PAYLOAD}, email=PAYLOAD
    )
    order.lines.update(name=PAYLOAD, sku=PAYLOAD[:90], options={PAYLOAD: PAYLOAD})
    Payment.objects.update(error_message=PAYLOAD, provider_id=PAYLOAD[:90])
    Product.objects.update(name=PAYLOAD)
    Cart.objects.update(note=PAYLOAD, email=PAYLOAD, shipping_address=evil)
    StockLevel.objects.update(low_stock_threshold=500)
    staff.do(order, "note", message=PAYLOAD)
    pages = [
        *("/admin/", "/admin/orders/order/", "/admin/checkout/cart/", address(order)),
        *(address(order, "ship"), address(order, "note"), address(Payment.objects.get())),
        address(Cart.objects.get()),
    ]
    for url in pages:
        text = staff.get(url).content.decode()
        assert "<img src=x" not in text, url
        assert "<script>alert" not in text, url


def test_exported_cells_are_no_formulas(staff, order):
    Order.objects.filter(pk=order.pk).update(email="=cmd|' /C calc'!A0")
    response = staff.list_action([order], "export_csv")
    text = b"".join(response.streaming_content).decode()
    assert "'=cmd|" in text
    assert ",=cmd" not in text


def test_a_stored_event_is_processed_again(staff, viewer, order, payment):
    event = ProviderEvent.objects.create(
        gateway="manual",
        event_id="evt_1",
        type="payment",
        provider_id=payment.provider_id,
        status=ProviderEvent.Status.REVIEW,
    )
    assert viewer.do(event, "process").status_code == 403
    staff.do(event, "process")
    event.refresh_from_db()
    assert event.status == "done"


def test_an_event_that_still_doesnt_fit_says_so(staff, order, simulator):
    event = ProviderEvent.objects.create(
        gateway="stripe",
        event_id="evt_2",
        type="payment",
        provider_id="unknown",
        status=ProviderEvent.Status.REVIEW,
    )
    response = staff.do(event, "process")
    assert messages_of(response) == ["gateway: resource_missing"]
    event.refresh_from_db()
    assert event.status == "pending"


def test_dead_events_are_delivered_again_by_whoever_may(staff, viewer, order):
    OutboxMessage.objects.update(status=OutboxMessage.Status.DEAD)
    message = OutboxMessage.objects.first()
    assert viewer.do(message, "replay").status_code == 403
    viewer.list_action([message], "replay")
    message.refresh_from_db()
    assert message.status == "dead"
    staff.list_action([message], "replay")
    message.refresh_from_db()
    assert message.status == "pending"


def test_only_the_back_office_may_evaluate_scripts(staff, api):
    policy = staff.get("/admin/")["Content-Security-Policy"]
    assert "script-src 'self' 'unsafe-eval';" in f"{policy};"
    elsewhere = api.get("/api/v1/products/")["Content-Security-Policy"]
    assert "unsafe" not in elsewhere


def test_log_in_opens_the_dashboard_also_without_next(client, merchant):
    from tests.factories.accounts import PASSWORD

    data = {"username": merchant.email, "password": PASSWORD}
    assert client.post("/admin/login/", data).url == "/admin/"


def test_every_page_of_the_back_office_has_an_icon_of_its_own(db):
    """A model that is new gets its place in the sidebar; "More" is for plugins."""
    from commerce.admin import SECTIONS

    known = {label for _title, items in SECTIONS for label, _icon in items}
    ours = {
        model._meta.label_lower
        for model in admin.site._registry
        if model.__module__.startswith("apps.")
    }
    assert ours - known == set()
