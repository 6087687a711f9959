"""Staff who are limited to another store, or another location, at every route of the API."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from apps.inventory.models import Location, StockLevel
from apps.orders.models import ExportRun, Order
from apps.orders.services.export_runs import run_exports
from apps.pricing.models import Price
from apps.stores.models import Store, StoreLimit
from tests.architecture.house import ROOT
from tests.contract.shop import BASE, Furnished, values_for
from tests.factories.stores import StoreFactory
from tests.permissions.cast import ROLES, bearer, staff
from tests.permissions.limited import PERSONAS, Limited, limited
from tests.permissions.matrix import OPERATIONS
from tests.permissions.operations import NOWHERE, Operation

pytestmark = pytest.mark.once

# Where the body is read before the row: one that would do.
LINE = {"id": str(NOWHERE), "quantity": 1}
RETURN_LABEL = "POST /admin/returns/{id}/label/"
BODIES: dict[str, dict[str, Any]] = {
    RETURN_LABEL: {"carrier": "dhl", "service": "x"},
    "POST /admin/fulfillments/{fulfillment_id}/labels/": {"carrier": "dhl", "service": "x"},
    "POST /admin/fulfillments/{fulfillment_id}/outcome/": {"outcome": "delivered"},
    "PUT /admin/fulfillments/{fulfillment_id}/parcels/": {"parcels": [{"weight": 100}]},
    "PUT /admin/orders/{number}/assignee/": {"assignee": None},
    "POST /admin/orders/{number}/cancel-lines/": {"lines": [LINE]},
    "POST /admin/orders/{number}/combine/": {"number": "WEB-2"},
    "POST /admin/orders/{number}/invoices/reissue/": {"reason": "A wrong name"},
    "POST /admin/orders/{number}/notes/": {"message": "seen"},
    "POST /admin/orders/{number}/payments/": {"gateway": "manual"},
    "POST /admin/orders/{number}/split/": {"lines": [LINE]},
    "PUT /admin/orders/{number}/status/": {"status": "completed"},
    "PUT /admin/orders/{number}/tags/": {"tags": ["vip"]},
    "POST /admin/payment-differences/{id}/resolve/": {"note": "seen"},
}
# What is counted or added up, and asks for something.
ASKS = {
    "GET /admin/reports/oss/": {"store": "main", "quarter": "2026Q3"},
    "GET /admin/search-report/": {"store": "main"},
    "GET /admin/shipping-try/": {"store": "main", "currency": "EUR", "country": "ES"},
}
PRICE = {"amount": "9.00", "currency": "EUR"}
# Bodies that name a store or a location: the member, and what else is needed.
NAMING: tuple[tuple[str, str, str, dict[str, Any]], ...] = (
    ("store", "post", "prices/", {"sku": "BOOK", "price": PRICE}),
    ("store", "post", "currency-rules/", {"currency": "USD", "base": "EUR"}),
    ("store", "post", "fraud/rules/", {"kind": "amount"}),
    ("store", "post", "return-policies/", {"days": 30}),
    ("store", "post", "search-synonyms/", {"words": "cup, mug"}),
    ("store", "post", "search-redirects/", {"query": "cup", "target": "/products/mug/"}),
    ("store", "post", "shipping-methods/", {"code": "air", "name": "Air"}),
    ("store", "post", "gift-cards/", {"amount": PRICE}),
    ("location", "post", "inventory/receive/", {"sku": "BOOK", "quantity": 1}),
    ("location", "post", "inventory/adjust/", {"sku": "BOOK", "quantity": 1}),
    ("target", "post", "inventory/transfer/", {"sku": "BOOK", "quantity": 1, "source": "third"}),
    ("source", "post", "inventory/transfer/", {"sku": "BOOK", "quantity": 1, "target": "third"}),
    ("location", "post", "orders/{order}/fulfill/", {}),
    ("location", "post", "orders/{order}/shipments/", {}),
)
# As the documents say.
SAID = re.compile(r"more than ([\d,]+) combinations")


@pytest.fixture
def person(request: Any, furnished: Furnished) -> Limited:
    return limited(request.param)


people = pytest.mark.parametrize("person", PERSONAS[:2], indirect=True)
everybody = pytest.mark.parametrize("person", PERSONAS, indirect=True)
of_a_store = pytest.mark.parametrize("person", ["store"], indirect=True)
of_a_location = pytest.mark.parametrize("person", ["location"], indirect=True)


def call(person: Limited, operation: Operation, values: dict[str, Any]) -> Any:
    said = BODIES.get(operation.key, {})
    if operation.key == RETURN_LABEL and person.kind == "location":
        # Who sees one location names where it goes.
        said = {**said, "location": "third"}
    body = b"" if operation.method == "GET" else json.dumps(said).encode()
    url = operation.url(**values)
    return person.client.generic(operation.method, url, body, content_type="application/json")


def text(response: Any) -> str:
    body = b"".join(response.streaming_content) if response.streaming else response.content
    return body.decode(errors="replace")


@everybody
def test_what_isnt_theirs_is_a_404(person, furnished):
    wrong = {}
    for operation in person.tried():
        answer = call(person, operation, values_for(operation.path, furnished.hits))
        if answer.status_code != 404:
            wrong[operation.key] = f"{answer.status_code} {text(answer)[:200]}"
    assert wrong == {}


@people
def test_what_all_share_is_seen(person, furnished):
    """And the rows of the sweep above are there, for whoever isn't limited."""
    wrong = {}
    for operation in person.may_call():
        if operation.method != "GET" or "{" not in operation.path:
            continue
        values = values_for(operation.path, furnished.hits)
        url = operation.url(**values)
        client = furnished.merchant if person.hides(operation.path) else person.client
        code = client.get(url).status_code
        # What needs a query, or has no file yet.
        if code not in (200, 400) and not url.endswith(("/file/", "/errors/", "/xml/")):
            wrong[operation.key] = code
    assert wrong == {}


@people
def test_lists_hold_nothing_that_isnt_theirs(person, furnished):
    """Nor do their filters, counts and sums."""
    own = {"store": ("/admin/stores/", "other"), "location": ("/admin/locations/", "third")}
    wrong = {}
    for operation in person.listed():
        if operation.key in ASKS:
            continue
        known = operation.parameters("query")
        asked = {"count": "true", "store": "main", "location": "near", "limit": "100"}
        plain, filtered = (
            person.client.get(operation.url(), {n: v for n, v in query.items() if n in known})
            for query in ({"count": "true"}, asked)
        )
        for answer in (plain, filtered):
            rows = [
                row for row in _rows(answer) if own[person.kind] != (operation.path, _code(row))
            ]
            if rows or _count(answer) not in (None, len(_rows(answer))):
                wrong[operation.key] = text(answer)[:200]
    assert wrong == {}


def _rows(answer: Any) -> list[Any]:
    if "json" not in answer["Content-Type"]:
        return text(answer).splitlines()[1:]
    return answer.json().get("results", []) if answer.status_code == 200 else []


def _code(row: Any) -> Any:
    return row.get("code") if isinstance(row, dict) else None


def _count(answer: Any) -> int | None:
    return answer.json().get("count") if "json" in answer["Content-Type"] else None


@of_a_store
def test_reports_are_of_ones_own_stores(person):
    for key, query in ASKS.items():
        path = key.partition(" ")[2]
        foreign = person.client.get(f"{BASE}{path}", query)
        unknown = person.client.get(f"{BASE}{path}", query | {"store": "nowhere"})
        assert foreign.status_code == unknown.status_code == 400
        assert foreign.json()["errors"][0]["field"] == "store"
        assert _without_name(foreign, "main") == _without_name(unknown, "nowhere")


def _without_name(answer: Any, name: str) -> Any:
    told = text(answer).replace(f"no {name}", "no X").replace(f'"{name}"', '"X"')
    return re.sub(r'"request_id": ?"[^"]*"', "", told)


@people
def test_bodies_name_only_what_is_theirs(person, furnished):
    """What isn't theirs is refused in the words of what doesn't exist."""
    order = Order.objects.order_by("pk")[0].number
    tried = 0
    for member, method, path, body in NAMING:
        if (member == "store") != (person.kind == "store"):
            continue
        tried += 1
        url = f"{BASE}/admin/{path.format(order=order)}"
        real = "main" if member == "store" else "near"
        send = getattr(person.client, method)
        foreign, unknown = (
            send(url, {**body, member: name}, format="json") for name in (real, "nowhere")
        )
        assert foreign.status_code == 400, (url, text(foreign))
        assert member in [error["field"] for error in foreign.json()["errors"]], text(foreign)
        assert _without_name(foreign, real) == _without_name(unknown, "nowhere")
    assert tried >= 6


@of_a_store
def test_naming_no_store_would_mean_all_of_them(person, furnished):
    prices = Price.objects.count()
    bare = {"sku": "BOOK", "price": PRICE}
    for body in (bare, {**bare, "store": None}):
        answer = person.client.post(f"{BASE}/admin/prices/", body, format="json")
        assert answer.status_code == 400
        assert [(e["field"], e["code"]) for e in answer.json()["errors"]] == [("store", "required")]
    url = f"{BASE}/admin/products/{furnished.shop.book.product.slug}/prices/"
    assert person.client.put(url, {"prices": [bare]}, format="json").status_code == 400
    assert Price.objects.count() == prices
    own = person.client.post(f"{BASE}/admin/prices/", {**bare, "store": "other"}, format="json")
    assert own.status_code == 201
    url = f"{BASE}/admin/prices/{own.json()['id']}/"
    moved = person.client.patch(url, {"price": {**PRICE, "amount": "8.00"}}, format="json")
    assert moved.status_code == 200


@of_a_store
def test_rows_in_bodies_are_unknown(person, furnished):
    order, paper = Order.objects.order_by("pk")[0], furnished.hits
    shipment = paper["/admin/fulfillments/{fulfillment_id}/"]["fulfillment_id"]
    cases = {
        "orders/bulk/": ({"action": "note", "orders": [order.number]}, "unknown_orders"),
        "fulfillments/together/": ({"orders": [order.number, "WEB-2"]}, "unknown_orders"),
        "print-jobs/": ({"shipments": [shipment]}, "unknown_shipments"),
    }
    for path, (body, code) in cases.items():
        answer = person.client.post(f"{BASE}/admin/{path}", body, format="json")
        assert (answer.status_code, answer.json()["code"]) == (400, code)


@of_a_store
def test_requests_for_another_store_find_none(person):
    for headers in ({}, {"X-Store": "main"}):
        answer = person.client.get(f"{BASE}/admin/products/export/", headers=headers)
        assert answer.status_code == 404
    own = person.client.get(f"{BASE}/admin/products/export/", headers={"X-Store": "other"})
    assert own.status_code == 200


@of_a_location
def test_stock_of_other_locations_is_left_out(person, furnished):
    url = f"{BASE}/admin/products/{furnished.shop.book.product.slug}/inventory/"
    told = person.client.get(url).json()["levels"]
    assert {level["location"] for level in told} == {"third"}
    before = list(StockLevel.objects.order_by("pk").values())
    body = {"levels": [{"sku": "BOOK", "location": "near", "on_hand": 1}]}
    assert person.client.put(url, body, format="json").status_code == 400
    assert list(StockLevel.objects.order_by("pk").values()) == before


@people
def test_nobody_who_is_limited_opens_a_location_of_their_own(person):
    body = {"code": "fourth", "name": "Fourth", "country": "ES"}
    answer = person.client.post(f"{BASE}/admin/locations/", body, format="json")
    assert answer.status_code == (403 if person.kind == "location" else 201)


@of_a_store
def test_exports_hold_what_their_maker_sees(person, furnished):
    """In the background too, where nobody is signed in; and the files are the maker's."""
    made = {"rows": "orders", "format": "csv", "created_by": person.user}
    none = ExportRun.objects.create(**made)
    assert run_exports() == 1
    StoreLimit.objects.create(user=person.user, store=Store.objects.get(code="main"))
    whole = ExportRun.objects.create(**made)
    assert run_exports() == 1
    counts = [ExportRun.objects.get(pk=run.pk).count for run in (none, whole)]
    assert counts == [0, Order.objects.count()]
    assert counts[1] > 0
    theirs = furnished.hits["/admin/orders/export-runs/{id}/"]["id"]
    codes = {
        run: person.client.get(f"{BASE}/admin/orders/export-runs/{run}/file/").status_code
        for run in (str(whole.public_id), theirs)
    }
    assert codes == {str(whole.public_id): 200, theirs: 404}


def test_only_the_limited_pay_for_limits(furnished):
    """Two statements: a look at each kind of limits."""
    free, bound = staff("support"), staff("manager")
    StoreLimit.objects.create(user=bound, store=furnished.shop.store)
    counts = []
    for user in (free, bound):
        client = bearer(user)
        with CaptureQueriesContext(
            connection,
        ) as told:
            assert client.get(f"{BASE}/admin/orders/").status_code == 200
        counts.append(len(told))
        limits = [q for q in told if "storelimit" in q["sql"] or "locationlimit" in q["sql"]]
        assert len(limits) == (0 if user is free else 2)
    assert counts[1] == counts[0] + 2


def test_shoppers_are_never_limited(furnished):
    """Who is staff shops like anybody else, in every store."""
    user = staff("support")
    StoreLimit.objects.create(user=user, store=StoreFactory(code="other"))
    assert bearer(user).post(f"{BASE}/carts/", {}, format="json").status_code == 201


def test_locations_that_somebody_is_limited_to_stay(furnished):
    person = limited("location")
    answer = furnished.merchant.delete(f"{BASE}/admin/locations/third/")
    assert (answer.status_code, answer.json()["code"]) == (409, "location_in_use")
    assert Location.objects.filter(code="third").exists()
    assert person.user.locationlimits.count() == 1


def test_documents_say_how_many_combinations_are_tried():
    """Everybody of the matrix at every operation, the limited at what is hidden from them."""
    tried = len(OPERATIONS) * len(["anonymous", "shopper", "no role", "superuser", *ROLES])
    for kind, is_machine in (("store", False), ("location", False), ("store", True)):
        person = Limited(kind, None, None, is_machine)  # type: ignore[arg-type]
        tried += len(person.tried()) + 2 * len(person.listed())
    [said] = SAID.findall((ROOT / "docs" / "staff.md").read_text())
    assert 0 <= tried - int(said.replace(",", "")) < 500, tried
