"""The back office's pages of stock."""

from __future__ import annotations

import pytest
from django.urls import reverse

from apps.core.models import AuditEntry
from apps.inventory.models import Location, StockLevel, StockMovement
from apps.inventory.services import Want, hold
from tests.factories.accounts import StaffFactory
from tests.factories.inventory import LocationFactory, StockLevelFactory
from tests.factories.products import ProductFactory, VariantFactory

pytestmark = pytest.mark.usefixtures("invariants")


@pytest.fixture
def as_owner(client, merchant):
    client.force_login(merchant)
    return client


@pytest.fixture
def level(db):
    return StockLevelFactory(location=LocationFactory(name="Madrid"), on_hand=5)


def _do(level, name):
    return reverse(
        f"admin:{level._meta.app_label}_{level._meta.model_name}_do", args=[level.pk, name]
    )


@pytest.mark.parametrize("name", ["location", "stocklevel", "stockmovement", "hold"])
def test_lists_open_and_cost_the_same(as_owner, store, name, django_assert_max_num_queries):
    for number in range(6):
        level = StockLevelFactory(on_hand=5)
        wants = [Want(level.variant_id, 1)]
        hold(reference=f"order:{number}", store_id=store.pk, wants=wants)
    with django_assert_max_num_queries(12):
        page = as_owner.get(reverse(f"admin:inventory_{name}_changelist"))
    assert page.status_code == 200


def test_levels_are_found_and_filtered(as_owner, level):
    StockLevelFactory(variant=level.variant, on_hand=0)
    url = reverse("admin:inventory_stocklevel_changelist")
    for query, count in (
        (f"q={level.variant.sku}", 2),
        ("q=nothing", 0),
        ("stock=out", 1),
        ("stock=low", 0),
    ):
        page = as_owner.get(f"{url}?{query}")
        assert page.context["cl"].result_count == count


@pytest.mark.parametrize(
    ("name", "form", "on_hand", "reason"),
    [
        ("receive", {"quantity": "4", "reference": "DN-1"}, 9, "receive"),
        ("count", {"quantity": "2", "note": "counted"}, 2, "adjust"),
        ("adjust", {"delta": "-1", "note": "broken"}, 4, "adjust"),
    ],
)
def test_buttons_move_stock(as_owner, level, name, form, on_hand, reason):
    page = as_owner.get(_do(level, name))
    assert page.status_code == 200
    once = page.context["form"]["once"].value()
    for _turn in range(2):
        assert as_owner.post(_do(level, name), {**form, "once": once}).status_code == 302
    level.refresh_from_db()
    assert level.on_hand == on_hand
    movement = StockMovement.objects.latest("pk")
    assert (movement.reason, movement.actor) == (reason, "merchant@example.com")


def test_the_transfer_button_moves_to_another_location(as_owner, level):
    target = LocationFactory()
    form = {"quantity": "2", "target": target.pk, "once": "a"}
    assert as_owner.post(_do(level, "transfer"), form).status_code == 302
    levels = StockLevel.objects.filter(variant=level.variant).order_by("on_hand")
    assert list(levels.values_list("location", "on_hand")) == [
        (target.pk, 2),
        (level.location_id, 3),
    ]


def test_a_refused_move_is_told_on_the_form(as_owner, level):
    page = as_owner.post(_do(level, "adjust"), {"delta": "-6", "once": "a"})
    assert page.status_code == 200
    assert "There are fewer pieces here." in page.content.decode()
    level.refresh_from_db()
    assert level.on_hand == 5


def test_numbers_of_a_level_are_not_typed(as_owner, level):
    url = reverse("admin:inventory_stocklevel_change", args=[level.pk])
    assert as_owner.get(url).status_code == 200
    form = {"on_hand": "99", "held": "3", "backorder_limit": "4", "low_stock_threshold": "6"}
    assert as_owner.post(url, form).status_code == 302
    level.refresh_from_db()
    assert (level.on_hand, level.held) == (5, 0)
    assert (level.backorder_limit, level.low_stock_threshold) == (4, 6)
    entry = AuditEntry.objects.get(object_type="inventory.stocklevel")
    assert entry.changes == {"backorder_limit": [0, 4], "low_stock_threshold": [0, 6]}


def test_a_backorder_limit_that_orders_rely_on_stays(as_owner, level, store):
    StockLevel.objects.update(backorder_limit=2)
    hold(reference="order:1", store_id=store.pk, wants=[Want(level.variant_id, 7)])
    url = reverse("admin:inventory_stocklevel_change", args=[level.pk])
    page = as_owner.post(url, {"backorder_limit": "1", "low_stock_threshold": "0"})
    assert page.status_code == 200
    assert "promised to orders" in page.content.decode()


def test_a_shelf_is_made_for_a_variant(as_owner):
    variant, location = VariantFactory(), LocationFactory()
    form = {
        "variant": variant.pk,
        "location": location.pk,
        "backorder_limit": "0",
        "low_stock_threshold": "3",
    }
    url = reverse("admin:inventory_stocklevel_add")
    assert as_owner.get(url).status_code == 200
    assert as_owner.post(url, form).status_code == 302
    level = StockLevel.objects.get()
    assert (level.variant, level.on_hand, level.low_stock_threshold) == (variant, 0, 3)
    assert as_owner.post(url, form).status_code == 200
    assert StockLevel.objects.count() == 1


def test_the_stock_of_a_product_is_set_on_one_page(as_owner, store):
    product = ProductFactory(variants=2)
    small, large = product.variants.all()
    places = [LocationFactory(), LocationFactory()]
    StockLevelFactory(variant=small, location=places[0], on_hand=5)
    url = _do(product, "stock")
    page = as_owner.get(url)
    assert page.status_code == 200
    names = [name for name in page.context["form"].fields if name.startswith("level_")]
    assert names == [f"level_{v.pk}_{p.pk}" for v in (small, large) for p in places]
    # Sold while the page was open: what nobody typed isn't written back.
    hold(reference="order:1", store_id=store.pk, wants=[Want(small.pk, 2)])
    form = {names[0]: "5", names[1]: "", names[2]: "0", names[3]: "8", "once": "a"}
    assert as_owner.post(url, form).status_code == 302
    levels = StockLevel.objects.order_by("pk").values_list("variant", "location", "on_hand")
    assert list(levels) == [(small.pk, places[0].pk, 5), (large.pk, places[1].pk, 8)]
    page = as_owner.post(url, {**form, names[0]: "1", "once": "b"})
    assert "promised to orders" in page.content.decode()


def test_a_variant_shows_its_stock_and_its_buttons(as_owner, level):
    url = reverse("admin:products_variant_change", args=[level.variant_id])
    page = as_owner.get(url).content.decode()
    assert "Madrid" in page
    assert _do(level, "receive") in page


def test_moving_stock_needs_its_permission(client, level):
    client.force_login(StaffFactory(permissions=["inventory.view_stocklevel"]))
    page = client.get(reverse("admin:inventory_stocklevel_change", args=[level.pk]))
    assert page.status_code == 200
    assert _do(level, "receive") not in page.content.decode()
    assert client.post(_do(level, "receive"), {"quantity": "1", "once": "a"}).status_code == 403
    level.refresh_from_db()
    assert level.on_hand == 5


@pytest.mark.parametrize("name", ["stocklevel", "stockmovement", "hold"])
def test_what_has_a_ledger_is_not_deleted(as_owner, level, store, name):
    hold(reference="order:1", store_id=store.pk, wants=[Want(level.variant_id, 1)])
    rows = {"stocklevel": level, "stockmovement": level.movements.get(), "hold": level.holds.get()}
    url = reverse(f"admin:inventory_{name}_delete", args=[rows[name].pk])
    assert as_owner.post(url, {"post": "yes"}).status_code == 403


def test_locations_are_kept(as_owner, level):
    form = {"name": "Porto", "code": "porto", "country": "pt", "priority": "1", "is_active": "on"}
    url = reverse("admin:inventory_location_add")
    assert as_owner.get(url).status_code == 200
    assert as_owner.post(url, {**form, "country": "XX"}).status_code == 200
    assert as_owner.post(url, form).status_code == 302
    made = Location.objects.get(code="porto")
    assert made.country == "PT"
    delete = "admin:inventory_location_delete"
    used = reverse(delete, args=[level.location_id])
    assert as_owner.post(used, {"post": "yes"}).status_code == 403
    empty = reverse(delete, args=[made.pk])
    assert as_owner.post(empty, {"post": "yes"}).status_code == 302
