"""Stock, as staff and their systems see and move it."""

from __future__ import annotations

import pytest

from apps.inventory.models import Location, StockLevel, StockMovement
from apps.inventory.services import Want, hold, set_threshold
from tests.factories.accounts import StaffFactory
from tests.factories.inventory import LocationFactory, StockLevelFactory
from tests.factories.products import ProductFactory, VariantFactory

URL = "/api/v1/admin/"
pytestmark = pytest.mark.usefixtures("invariants")


@pytest.fixture
def product(db):
    return ProductFactory(slug="shirt", variants=0)


@pytest.fixture
def variant(product):
    return VariantFactory(product=product, sku="SHIRT-S")


@pytest.fixture
def madrid(db):
    return LocationFactory(code="madrid", priority=1)


@pytest.fixture
def porto(db):
    return LocationFactory(code="porto", priority=2)


def _row(sku, location, **numbers):
    row = dict.fromkeys(
        (
            *("on_hand", "quarantined", "held", "committed", "available"),
            *("backorder_limit", "low_stock_threshold"),
        ),
        0,
    )
    return {"sku": sku, "location": location, **row, **numbers}


def test_inventory_lists_every_variant_at_every_location(
    as_merchant, variant, madrid, porto, product, store
):
    VariantFactory(product=product, sku="SHIRT-M")
    StockLevelFactory(variant=variant, location=madrid, on_hand=5, backorder_limit=2)
    hold(reference="order:1", store_id=store.pk, wants=[Want(variant.pk, 3)])
    body = as_merchant.get(f"{URL}products/shirt/inventory/").json()
    assert body == {
        "product": "shirt",
        "levels": [
            _row("SHIRT-S", "madrid", on_hand=5, held=3, available=4, backorder_limit=2),
            _row("SHIRT-S", "porto"),
            _row("SHIRT-M", "madrid"),
            _row("SHIRT-M", "porto"),
        ],
    }


def test_inventory_of_an_inactive_location_shows_only_what_lies_there(
    as_merchant, variant, madrid, porto
):
    StockLevelFactory(variant=variant, location=madrid, on_hand=1)
    Location.objects.update(is_active=False)
    levels = as_merchant.get(f"{URL}products/shirt/inventory/").json()["levels"]
    assert levels == [_row("SHIRT-S", "madrid", on_hand=1, available=1)]


def test_inventory_costs_the_same_for_any_number(
    as_merchant, product, madrid, django_assert_num_queries
):
    for variant in VariantFactory.create_batch(4, product=product):
        StockLevelFactory(variant=variant, location=madrid, on_hand=1)
    with django_assert_num_queries(7):
        as_merchant.get(f"{URL}products/shirt/inventory/")
    VariantFactory.create_batch(6, product=product)
    with django_assert_num_queries(7):
        body = as_merchant.get(f"{URL}products/shirt/inventory/").json()
    assert len(body["levels"]) == 10


def test_inventory_is_set_with_a_movement_of_the_difference(as_merchant, variant, madrid, porto):
    StockLevelFactory(variant=variant, location=madrid, on_hand=5)
    body = {
        "levels": [
            {"sku": "SHIRT-S", "location": "madrid", "on_hand": 3, "low_stock_threshold": 4},
            {"sku": "SHIRT-S", "location": "porto", "backorder_limit": 7},
        ],
        "note": "counted",
    }
    answer = as_merchant.put(f"{URL}products/shirt/inventory/", body)
    assert answer.status_code == 200
    assert answer.json()["levels"] == [
        _row("SHIRT-S", "madrid", on_hand=3, available=3, low_stock_threshold=4),
        _row("SHIRT-S", "porto", available=7, backorder_limit=7),
    ]
    movement = StockMovement.objects.latest("pk")
    assert (movement.delta, movement.reason, movement.note) == (-2, "adjust", "counted")
    assert movement.actor == "merchant@example.com"


def test_inventory_below_what_is_promised_sets_nothing(as_merchant, variant, madrid, porto, store):
    StockLevelFactory(variant=variant, location=madrid, on_hand=5)
    hold(reference="order:1", store_id=store.pk, wants=[Want(variant.pk, 3)])
    body = {
        "levels": [
            {"sku": "SHIRT-S", "location": "porto", "on_hand": 9},
            {"sku": "SHIRT-S", "location": "madrid", "on_hand": 2},
        ]
    }
    answer = as_merchant.put(f"{URL}products/shirt/inventory/", body)
    assert answer.status_code == 409
    problem = answer.json()
    assert problem["code"] == "stock_promised"
    assert (problem["sku"], problem["location"]) == ("SHIRT-S", "madrid")
    assert list(StockLevel.objects.values_list("on_hand", flat=True)) == [5]


def test_inventory_exchanges_stock_for_a_backorder_limit(as_merchant, variant, madrid, store):
    StockLevelFactory(variant=variant, location=madrid, on_hand=5)
    hold(reference="order:1", store_id=store.pk, wants=[Want(variant.pk, 5)])
    for on_hand, limit in ((0, 5), (5, 0)):
        row = {
            "sku": "SHIRT-S",
            "location": "madrid",
            "on_hand": on_hand,
            "backorder_limit": limit,
        }
        answer = as_merchant.put(f"{URL}products/shirt/inventory/", {"levels": [row]})
        assert answer.status_code == 200
        assert answer.json()["levels"][0]["on_hand"] == on_hand


@pytest.mark.parametrize(
    "row",
    [
        {"sku": "SHIRT-S", "location": "nowhere", "on_hand": 1},
        {"sku": "OTHER", "location": "madrid", "on_hand": 1},
        {"sku": "SHIRT-S", "location": "madrid", "on_hand": -1},
        {"sku": "SHIRT-S", "location": "madrid", "on_hand": "3"},
        {"sku": "SHIRT-S", "location": "madrid", "on_hand": 1.5},
        {"sku": "SHIRT-S", "location": "madrid", "on_hand": True},
        {"sku": "SHIRT-S", "location": "madrid", "on_hand": 2**63},
        {"sku": "SHIRT-S", "location": "madrid", "held": 1},
        {"sku": "SHIRT-S\x00", "location": "madrid", "on_hand": 1},
        {"location": "madrid", "on_hand": 1},
        "SHIRT-S",
    ],
)
def test_inventory_refuses_what_it_does_not_understand(as_merchant, variant, madrid, row):
    VariantFactory(sku="OTHER")
    answer = as_merchant.put(f"{URL}products/shirt/inventory/", {"levels": [row]})
    assert (answer.status_code, answer.json()["code"]) == (400, "validation_error")
    assert not StockLevel.objects.exists()


def test_inventory_refuses_a_place_named_twice(as_merchant, variant, madrid):
    row = {"sku": "SHIRT-S", "location": "madrid", "on_hand": 1}
    answer = as_merchant.put(f"{URL}products/shirt/inventory/", {"levels": [row, row]})
    assert answer.json()["errors"][0]["code"] == "duplicate"


def test_inventory_of_an_unknown_product_is_not_found(as_merchant):
    assert as_merchant.get(f"{URL}products/none/inventory/").status_code == 404
    assert as_merchant.put(f"{URL}products/none/inventory/", {}).status_code == 404


def test_receiving_adds_to_the_shelf(as_merchant, variant, madrid):
    body = {"sku": "SHIRT-S", "location": "madrid", "quantity": 4, "reference": "DN-1"}
    answer = as_merchant.post(f"{URL}inventory/receive/", body)
    assert answer.status_code == 201
    moved = answer.json()
    moved.pop("created_at")
    assert moved == {
        "sku": "SHIRT-S",
        "location": "madrid",
        "quantity": 4,
        "on_hand_after": 4,
        "quarantined_delta": 0,
        "reason": "receive",
        "reference": "DN-1",
        "note": "",
        "actor": "merchant@example.com",
    }


def test_receiving_again_with_the_same_key_moves_nothing(as_merchant, variant, madrid):
    body = {"sku": "SHIRT-S", "location": "madrid", "quantity": 4}
    first, again = (
        as_merchant.post(f"{URL}inventory/receive/", body, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    )
    assert first.content == again.content
    assert again.headers["Idempotent-Replayed"] == "true"
    other = as_merchant.post(
        f"{URL}inventory/receive/", {**body, "quantity": 5}, headers={"Idempotency-Key": "k"}
    )
    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert StockLevel.objects.get().on_hand == 4


@pytest.mark.parametrize("quantity", [0, -1, 0.5, "1", "1e3", True, [], None, 2**63, 1_000_001])
def test_receiving_refuses_impossible_quantities(as_merchant, variant, madrid, quantity):
    body = {"sku": "SHIRT-S", "location": "madrid", "quantity": quantity}
    assert as_merchant.post(f"{URL}inventory/receive/", body).status_code == 400
    assert not StockMovement.objects.exists()


def test_adjusting_takes_away_and_refuses_more_than_is_there(as_merchant, variant, madrid):
    StockLevelFactory(variant=variant, location=madrid, on_hand=5)
    body = {"sku": "SHIRT-S", "location": "madrid", "quantity": -2, "note": "broken"}
    answer = as_merchant.post(f"{URL}inventory/adjust/", body)
    assert (answer.status_code, answer.json()["on_hand_after"]) == (201, 3)
    answer = as_merchant.post(f"{URL}inventory/adjust/", {**body, "quantity": -4})
    assert (answer.status_code, answer.json()["code"]) == (409, "not_on_hand")
    answer = as_merchant.post(f"{URL}inventory/adjust/", {**body, "quantity": 0})
    assert answer.status_code == 400


def test_transferring_moves_between_locations(as_merchant, variant, madrid, porto):
    StockLevelFactory(variant=variant, location=madrid, on_hand=5)
    body = {"sku": "SHIRT-S", "source": "madrid", "target": "porto", "quantity": 2}
    answer = as_merchant.post(f"{URL}inventory/transfer/", body, headers={"Idempotency-Key": "k"})
    assert answer.status_code == 201
    moved = [(m["location"], m["quantity"], m["on_hand_after"]) for m in answer.json()["movements"]]
    assert moved == [("madrid", -2, 3), ("porto", 2, 2)]
    answer = as_merchant.post(f"{URL}inventory/transfer/", {**body, "target": "madrid"})
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")


def test_alerts_list_low_levels_the_emptiest_first(as_merchant, variant, madrid, porto):
    for location, on_hand in ((madrid, 5), (porto, 2)):
        StockLevelFactory(variant=variant, location=location, on_hand=on_hand)
        set_threshold(variant=variant, location=location, pieces=5)
    other = StockLevelFactory(location=madrid, on_hand=6)
    set_threshold(variant=other.variant, location=madrid, pieces=5)
    results = as_merchant.get(f"{URL}inventory/alerts/").json()["results"]
    assert [(r["product"], r["location"], r["on_hand"]) for r in results] == [
        ("shirt", "porto", 2),
        ("shirt", "madrid", 5),
    ]
    results = as_merchant.get(f"{URL}inventory/alerts/?location=madrid").json()["results"]
    assert [r["location"] for r in results] == ["madrid"]


def test_movements_are_filtered(as_merchant, variant, madrid, porto):
    StockLevelFactory(variant=variant, location=madrid, on_hand=5)
    StockLevelFactory(location=porto, on_hand=6)
    as_merchant.post(
        f"{URL}inventory/adjust/", {"sku": "SHIRT-S", "location": "madrid", "quantity": -1}
    )

    def found(query):
        results = as_merchant.get(f"{URL}inventory/movements/?{query}").json()["results"]
        return [r["quantity"] for r in results]

    assert found("") == [-1, 6, 5]
    assert found("sku=SHIRT-S") == [-1, 5]
    assert found("location=porto") == [6]
    assert found("reason=adjust") == [-1]
    assert found("product=shirt&reason=receive") == [5]
    assert as_merchant.get(f"{URL}inventory/movements/?reason=magic").status_code == 400
    assert as_merchant.get(f"{URL}inventory/movements/?colour=red").status_code == 400


def test_movements_cost_the_same_for_any_number(as_merchant, madrid, django_assert_num_queries):
    for _ in range(5):
        StockLevelFactory(location=madrid, on_hand=1)
    with django_assert_num_queries(4):
        as_merchant.get(f"{URL}inventory/movements/")


def test_locations_are_made_changed_and_deleted(as_merchant, store):
    body = {
        "code": "lisbon",
        "name": "Lisbon",
        "country": "PT",
        "address": {"line1": "Rua 1", "city": "Lisboa"},
        "priority": 3,
        "stores": ["main"],
    }
    answer = as_merchant.post(f"{URL}locations/", body)
    assert answer.status_code == 201
    assert answer.json() == {**body, "is_active": True}
    assert as_merchant.get(f"{URL}locations/lisbon/").json() == answer.json()
    again = as_merchant.post(f"{URL}locations/", body)
    assert (again.status_code, again.json()["code"]) == (409, "location_taken")
    changed = as_merchant.patch(f"{URL}locations/lisbon/", {"name": "Lisboa", "stores": []})
    assert changed.json() == {**body, "name": "Lisboa", "stores": [], "is_active": True}
    assert as_merchant.patch(f"{URL}locations/lisbon/", {"code": "x"}).status_code == 400
    bad = as_merchant.patch(f"{URL}locations/lisbon/", {"country": "XX"})
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid_country")
    assert as_merchant.delete(f"{URL}locations/lisbon/").status_code == 204
    assert as_merchant.get(f"{URL}locations/lisbon/").status_code == 404


def test_a_location_with_stock_is_not_deleted(as_merchant, variant, madrid):
    StockLevelFactory(variant=variant, location=madrid, on_hand=1)
    answer = as_merchant.delete(f"{URL}locations/madrid/")
    assert (answer.status_code, answer.json()["code"]) == (409, "location_in_use")
    assert Location.objects.filter(code="madrid").exists()


def test_locations_are_listed_by_priority(as_merchant, porto, madrid, django_assert_num_queries):
    with django_assert_num_queries(5):
        results = as_merchant.get(f"{URL}locations/").json()["results"]
    assert [r["code"] for r in results] == ["madrid", "porto"]


READS = ("products/shirt/inventory/", "inventory/alerts/", "inventory/movements/", "locations/")
WRITES = (
    ("put", "products/shirt/inventory/"),
    ("post", "inventory/receive/"),
    ("post", "inventory/adjust/"),
    ("post", "inventory/transfer/"),
    ("post", "locations/"),
    ("patch", "locations/madrid/"),
    ("delete", "locations/madrid/"),
)


@pytest.mark.parametrize("path", READS)
def test_reads_need_permission(
    api, as_shopper, as_readonly, client_for, staff_without_permissions, variant, path
):
    assert api.get(URL + path).status_code == 401
    assert as_shopper.get(URL + path).status_code == 403
    assert client_for(staff_without_permissions).get(URL + path).status_code == 403
    assert as_readonly.get(URL + path).status_code == 200


@pytest.mark.parametrize(("method", "path"), WRITES)
def test_writes_need_permission(api, as_shopper, as_readonly, variant, madrid, method, path):
    assert getattr(api, method)(URL + path, {}).status_code == 401
    for client in (as_shopper, as_readonly):
        assert getattr(client, method)(URL + path, {}).status_code == 403


def test_moving_stock_needs_only_its_own_permission(client_for, variant, madrid):
    clerk = client_for(StaffFactory(permissions=["inventory.change_stocklevel"]))
    body = {"sku": "SHIRT-S", "location": "madrid", "quantity": 1}
    assert clerk.post(f"{URL}inventory/receive/", body).status_code == 201
    assert clerk.get(f"{URL}inventory/movements/").status_code == 403
