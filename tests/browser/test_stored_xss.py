"""T39: what strangers write meets the staff, other shoppers and mail programs, and never runs.

Every column of free text holds a payload, whatever form, file or header it came by; then the pages
are opened in Chromium. A payload that became an element is found even where the policy kept it
from running.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.db import DatabaseError, models, transaction
from django.test import Client
from django.urls import reverse

from apps.checkout.models import Cart
from apps.core import audit
from apps.core.context import Actor, acting
from apps.core.fields import SealedField
from apps.notifications.services import notify
from apps.orders.models import Order
from apps.products.models import Product
from apps.storefront.services.listing import rebuild
from tests.attacks.pages import addresses
from tests.contract.shop import Furnished, furnish
from tests.notifications.test_services import CONTEXTS

pytestmark = pytest.mark.browser

# By how long a column may be.
LONG = (
    "\"'><img src=/owned data-owned onerror=owned(1)><svg data-owned onload=owned(2)></svg>"
    "{{constructor.constructor('owned(3)')()}}</script></textarea></title>"
    "<script data-owned>owned(4)</script>"
)
PAYLOADS = (LONG, '"><img data-owned src=x onerror=owned(5)>', "<b data-owned>")
ADDRESS = "javascript:owned(6)//http://x"
# What isn't free: names that something else looks up, and the texts of our own machines.
FIXED = set(
    "account action amount_kind category_path code content_type country currency dedupe_key digest"
    " event_id family fingerprint format gateway hs_code ip key kind language languages last4"
    " method method_code name_key number open_key order_prefix password path prefix provider"
    " provider_id public_id refresh_token region scope secret shipping_method sku slug"
    " state status steps template text_hash time_zone token type unit url username value_kind"
    " domain original_domain tax_class exemption receiver queue verb".split()
)
# Every page counts what ran, what was refused to run, and what became an element.
WATCH = """
window.owned = window.alert = window.prompt = window.confirm = what => report("ran " + what);
addEventListener("securitypolicyviolation", event => report(
    "refused " + event.violatedDirective + " " + event.blockedURI + " " + event.sample));
"""
FOUND = """() => [
    ...document.querySelectorAll('[data-owned], [href^="javascript:"], [src^="javascript:"]'),
].map(found => found.outerHTML.slice(0, 200))"""


def _payload(field: models.Field[Any, Any]) -> str | None:
    """What the column is filled with; None for one that is no free text."""
    if not isinstance(field, models.CharField | models.TextField) or field.choices:
        return None
    free = not field.primary_key and not field.unique and field.name not in FIXED
    if not free or isinstance(field, models.SlugField | models.FilePathField | SealedField):
        return None
    if isinstance(field, models.URLField) or field.name.endswith("_url"):
        return ADDRESS
    longest = field.max_length or 10_000
    return next((payload for payload in PAYLOADS if len(payload) <= longest), None)


def _poison() -> set[str]:
    """Fill every column of free text of every row; which these are."""
    filled = set()
    for model in apps.get_models():
        if not model.__module__.startswith("apps.") or model._meta.proxy:
            continue
        for field in model._meta.concrete_fields:
            payload = _payload(field)
            if payload is None or not model._default_manager.exists():
                continue
            try:
                # Past the managers that refuse to change what is append-only.
                with transaction.atomic():
                    models.QuerySet(model).update(**{field.name: payload})
                filled.add(f"{model._meta.label_lower}.{field.name}")
            except DatabaseError:
                # Unique together with something else, or held by a trigger.
                continue
    place = dict.fromkeys(("first_name", "last_name", "company", "line1", "city"), LONG)
    address = {**place, "country": "ES", "region": "M", "postal_code": "28013"}
    for model in (Order, Cart):
        models.QuerySet(model).update(shipping_address=address)
    return filled


@pytest.fixture
def poisoned(store) -> tuple[Furnished, set[str]]:
    """A shop with at least one of everything, and the columns that hold a payload."""
    built = furnish(store)
    filled = _poison()
    assert {
        *("reviews.review.title", "reviews.review.text", "reviews.review.author_name"),
        *("customers.customer.first_name", "customers.address.company", "checkout.cart.note"),
        *("orders.order.customer_note", "orders.orderevent.message", "orders.orderline.name"),
        *("returns.returnrequest.note", "payments.storedvalue.message"),
        *("accounts.refreshtoken.agent", "integrations.importjob.original_name"),
        *("products.product.description", "products.product.seo_title", "products.category.name"),
        *("promotions.promotion.name", "stores.store.legal_name"),
    } - filled == set()
    # The audit log takes no changes: an entry that is made so.
    with acting(Actor(PAYLOADS[0])):
        audit.record("change", Product.objects.earliest("pk"), {"name": [PAYLOADS[0], LONG]})
    rebuild(product_ids=list(Product.objects.values_list("pk", flat=True)))
    return built, filled


@pytest.fixture
def watched(browser: Any, live_server: Any) -> Iterator[tuple[Any, list[str]]]:
    context = browser.new_context(base_url=live_server.url)
    context.set_default_timeout(60_000)
    seen: list[str] = []
    context.expose_function("report", lambda what: seen.append(what))  # noqa: PLW0108
    context.add_init_script(WATCH)
    # Styles, pictures and fonts take time and run nothing.
    context.route("**/*.{css,png,webp,woff2}", lambda route: route.abort())
    page = context.new_page()
    page.on("dialog", lambda dialog: (seen.append("ran a dialog"), dialog.dismiss()))
    yield page, seen
    context.close()


def _visit(watched: tuple[Any, list[str]], user: Any, url: str, paths: list[str]) -> Any:
    """Address → what ran or would have, of every page that `user` is shown."""
    page, seen = watched
    client = Client(headers={"accept": "text/html"})
    client.force_login(user)
    wrong = {}
    for path in paths:
        answer = client.get(path)
        if "text/html" not in answer.headers.get("Content-Type", "") or not answer.content:
            # A file, or an address that only takes forms: no page.
            continue
        del seen[:]
        # The page as it was answered, its policy with it; its scripts come from the server.
        page.route(url + "/*", _given(answer), times=1)
        page.goto("/", wait_until="domcontentloaded")
        found = [*seen, *page.evaluate(FOUND)]
        if answer.status_code >= 500:
            found.append(str(answer.status_code))
        if found:
            wrong[path] = found
    return wrong


def _given(answer: Any) -> Any:
    headers = {name: value for name, value in answer.headers.items() if name != "Content-Length"}
    body = answer.content
    return lambda route: route.fulfill(status=200, headers=headers, body=body)


def _back_office(filled: set[str]) -> list[str]:
    """Each list whose rows hold a payload, and the first row's page; and what is no model's."""
    found = ["/admin/", "/admin/search/?s=owned"]
    held = {label.rpartition(".")[0] for label in filled}
    for model in admin.site._registry:
        if model._meta.concrete_model._meta.label_lower not in held:
            continue
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if row := model._default_manager.first():
            found += [reverse(f"{name}_changelist"), reverse(f"{name}_change", args=[row.pk])]
    return found


def _shop(furnished: Furnished) -> list[str]:
    """Every page, and what is typed into addresses."""
    others = ("admin/", "health", "metrics", "sitemap", "robots", "feeds")
    shown = [
        path
        for route, path in addresses(furnished).items()
        # An invoice is a PDF.
        if not route.startswith(others) and "invoices/" not in route
    ]
    return [*shown, f"/search/?q={LONG}", f"/orders/{LONG}/", f"/account/sign-in/?next={LONG}"]


def test_nothing_runs_on_any_page(poisoned, watched, live_server):
    built, filled = poisoned
    wrong = _visit(watched, built.ana.user, live_server.url, _shop(built))
    paths = _back_office(filled)
    assert len(paths) > 60
    assert wrong | _visit(watched, built.owner, live_server.url, paths) == {}


def _poisoned(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _poisoned(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_poisoned(inner) for inner in value]
    return value if str(value).startswith("https:") else LONG


def test_nothing_runs_in_a_mail(store, watched):
    """Mail programs have no policy of ours: here nothing but the escaping stands in between."""
    page, seen = watched
    wrong = {}
    for kind, context in CONTEXTS.items():
        message = notify(
            kind=kind,
            recipient="ana@example.com",
            language="en",
            context=_poisoned(context),
            dedupe_key=kind,
        )
        page.set_content(message.body_html)
        if found := [*seen, *page.evaluate(FOUND)]:
            wrong[kind] = found
        del seen[:]
    assert wrong == {}
    # The watch itself: what isn't escaped is seen.
    page.set_content(f"<p>{LONG}</p>")
    page.wait_for_function("document.querySelectorAll('[data-owned]').length === 3")
    assert {json.dumps(line) for line in seen} >= {'"ran 1"', '"ran 2"', '"ran 4"'}
