"""T40 and T41: texts that another program might obey: databases, templates, spreadsheets, XML,
addresses that lead inside, and pictures that are bombs.

Files to import are tests/integrations/test_hostile.py, pictures tests/products/test_images.py,
addresses as they may be written tests/core/test_http.py, bodies and parameters
tests/contract/test_hostile_input.py; `make attack` lets sqlmap and schemathesis loose.
"""

from __future__ import annotations

import csv
import io
import re
import socket
import struct
import zlib
from typing import Any

import pytest
from django.contrib import admin
from django.core import mail
from django.db import connection
from django.urls import reverse

from apps.core.http import FetchError, fetch
from apps.core.pictures import InvalidImage, encode_renditions
from apps.customers.models import Customer
from apps.notifications.services import notify, send_due
from apps.orders.models import Order
from apps.products.models import Product
from apps.stores.engines import ecb
from apps.taxes.engines import vies
from tests.architecture.house import ROOT, source_files
from tests.attacks.pages import browser
from tests.contract.shop import BASE
from tests.core.test_http import server

__all__ = ["server"]
pytestmark = pytest.mark.once

SQL = (
    "'",
    '"',
    "')) OR 1=1 --",
    "1; DROP TABLE orders_order --",
    "en' AND (SELECT 1 FROM pg_sleep(5)) IS NULL --",
    "CASE WHEN 1=1 THEN 'en' END",
    "\\",
    "%' OR '%'='",
    "name__regex",
    "-password",
    "customer__user__password",
)


@pytest.mark.parametrize("payload", SQL)
def test_headers_and_cookies_reach_no_statement(furnished, payload):
    """Vendure's CVE-2026-40887 was a language in a raw CASE."""
    headers = {"accept-language": payload, "x-store": payload, "x-request-id": payload}
    for path in ("/products/", "/categories/", "/collections/", "/search/suggest/?q=m"):
        for client in (furnished.ana.client, furnished.merchant):
            answer = client.get(f"{BASE}{path}", headers=headers)
            assert answer.status_code < 500, path
    visitor = browser()
    for name in ("cart", "currency", "seen", "django_language", "sessionid", "csrftoken"):
        visitor.cookies[name] = payload.replace(";", "")
    for path in ("/", "/search/?q=mug", "/cart/", "/account/"):
        assert visitor.get(path, headers=headers).status_code < 400
    assert Order.objects.exists()


LISTS = ("/products/", "/admin/orders/", "/admin/customers/", "/admin/products/", "/orders/")


@pytest.mark.parametrize("path", LISTS)
def test_order_of_a_list_is_one_that_is_offered(furnished, path):
    client = furnished.ana.client if path == "/orders/" else furnished.merchant
    for payload in SQL:
        for value in (payload, f"-{payload}", f"created_at,{payload}"):
            answer = client.get(f"{BASE}{path}", {"ordering": value})
            assert (value, answer.status_code) == (value, 400)
        filters = {f"{payload}__startswith": "a", "customer__user__password__startswith": "p"}
        assert client.get(f"{BASE}{path}", filters).status_code == 400


def test_names_of_json_reach_no_statement(furnished):
    """Members that become keys in the database: of options, attributes, addresses."""
    for payload in SQL:
        for body in ({"options": {payload: "x"}}, {"attributes": {payload: payload}}):
            url = f"{BASE}/admin/products/book/"
            assert furnished.merchant.patch(url, body).status_code in (200, 400)
        place = {"shipping_address": {payload: "x", "country": "ES"}}
        cart = f"{BASE}/carts/{furnished.ana.cart_id}/"
        assert furnished.ana.client.patch(cart, place).status_code == 400
        listed = furnished.ana.client.get(f"{BASE}/products/", {f"attr_{payload}": payload})
        assert listed.status_code in (200, 400)


def _lines(pattern: str) -> set[str]:
    found = re.compile(pattern)
    return {
        str(path.relative_to(ROOT)) for path in source_files() if found.search(path.read_text())
    }


def test_statements_are_not_put_together_of_texts():
    """No RawSQL, extra() or raw(), and no cursor is given anything but a constant and values."""
    assert _lines(r"\bRawSQL\(|\.extra\(|objects\.raw\(|\bexecute\(\s*f[\"']") == set()


TEMPLATES = (
    "{{ 7|add:7 }}{{ settings.SECRET_KEY }}{% debug %}",
    "{% load shop %}{% include 'admin/base.html' %}",
    "${7*7}#{7*7}<%= 7*7 %>{{7*7}}",
    "{0.__class__.__mro__}{number.__class__}%(SECRET_KEY)s%s",
)


@pytest.mark.parametrize("text", TEMPLATES)
def test_texts_are_never_templates(furnished, settings, text):
    """Of products, stores and shoppers: on pages, in mails, in feeds and titles."""
    short = text[:60]
    Product.objects.update(name=text[:100], seo_title=short, seo_description=text)
    furnished.shop.store.name = short
    furnished.shop.store.save()
    seen = [browser().get(path).content.decode() for path in ("/", "/products/book/", "/search/")]
    context = {"store_name": short, "number": text, "first_name": text, "message": text}
    message = notify(
        kind="orders/cancelled",
        recipient="ana@example.com",
        language="en",
        context=context,
        dedupe_key=text[:60],
    )
    send_due()
    assert text in message.body_text
    seen += [message.body_text, message.subject, str(mail.outbox[-1].message())]
    for page in seen:
        assert settings.SECRET_KEY not in page
        assert "<class '" not in page
        assert "MIDDLEWARE" not in page


def test_cells_of_every_export_are_texts(furnished):
    """Of every list of the back office; orders have exports of their own (tests/orders)."""
    text = "=cmd|' /C calc'!A0"
    Product.objects.update(name=text)
    Customer.objects.update(first_name=text, last_name=text)
    client, tried = browser(furnished.owner), []
    for model, options in admin.site._registry.items():
        rows = model._default_manager.values_list("pk", flat=True)[:5]
        if not rows or not getattr(options, "export_fields", ()):
            continue
        path = reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        answer = client.post(path, {"action": "export_csv", "_selected_action": list(rows)})
        tried.append(path)
        told = b"".join(answer.streaming_content).decode()
        cells = [cell for row in csv.reader(io.StringIO(told)) for cell in row]
        assert [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))] == [], path
    assert "/admin/customers/customer/" in tried


def test_csv_is_written_in_one_place():
    """A writer beside `core.spreadsheet` would forget to neutralise; those here have no strangers'
    texts, or neutralise by themselves."""
    assert _lines(r"\bcsv\.(writer|DictWriter)\(") == {
        "apps/core/spreadsheet.py",
        "apps/checkout/management/commands/rehearse_promotion.py",
        "apps/orders/management/commands/oss_report.py",
        "apps/taxes/management/commands/import_tax_rates.py",
    }


ENTITIES = b"""<?xml version="1.0"?><!DOCTYPE x [
<!ENTITY a "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa">
%s
<!ENTITY file SYSTEM "file:///etc/passwd">
]><x>&file;&j;</x>""" % b"\n".join(
    b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9)
)


@pytest.mark.parametrize(
    ("read", "refusal"), [(ecb.read, ecb.RatesUnreadable), (vies.read, vies.AnswerUnreadable)]
)
def test_xml_with_entities_is_refused(read, refusal):
    with pytest.raises(refusal):
        read(ENTITIES)


def _png(width: int, height: int) -> bytes:
    """A picture that says it is so large, in a few bytes."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"\0" * 100_000, 9)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("size", [(50_000, 50_000), (2**31 - 1, 1), (1, 2**31 - 1), (0, 0)])
def test_picture_that_is_a_bomb_is_refused_by_its_header(size):
    with pytest.raises(InvalidImage):
        encode_renditions(_png(*size))


def test_name_that_changes_its_mind_leads_nowhere_inside(server, settings, monkeypatch):
    """DNS rebinding: public when it is looked at first, the loopback when it is asked."""
    settings.HTTP_ALLOW_PRIVATE_ADDRESSES = False
    real, looks = socket.getaddrinfo, []

    def rebinding(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
        looks.append(host)
        public = len(looks) == 1
        return real("192.0.2.1" if public else "127.0.0.1", port, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    for _n in range(3):
        with pytest.raises(FetchError):
            fetch(f"http://rebind.example:{server.server_port}/ok", max_bytes=100)
    assert server.hits == []
    assert looks


def test_proxies_of_the_environment_open_no_way_inside(server, settings, monkeypatch):
    settings.HTTP_ALLOW_PRIVATE_ADDRESSES = False
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    with pytest.raises(FetchError):
        fetch("http://169.254.169.254/latest/meta-data/", max_bytes=100)
    assert server.hits == []


@pytest.mark.django_db
def test_statement_timeout_is_set_where_there_is_one():
    """The last wall behind pg_sleep: thirty seconds."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SHOW statement_timeout")
            assert cursor.fetchone() == ("30s",)
