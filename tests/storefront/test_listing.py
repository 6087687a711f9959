from datetime import timedelta
from io import StringIO
from threading import Event

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from apps.inventory.services.stock import adjust, receive
from apps.orders.models import Order, OrderLine
from apps.pricing.services.prices import set_price
from apps.products.models import Category, Product
from apps.products.services.categories import delete_category, move_category, update_category
from apps.products.services.labels import save_brand
from apps.products.services.product import set_status, update_product
from apps.storefront.models import Listing
from apps.storefront.services.listing import (
    BATCH,
    rebuild,
    rebuild_all,
    refresh_popularity,
    refresh_scheduled,
)
from tests.factories.products import (
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    VariantFactory,
)
from tests.factories.stores import StoreFactory


def _price(product):
    return list(Listing.objects.filter(product=product).values_list("price", flat=True))


def test_price_change_reaches_the_listing(sell, drain):
    product = sell(100)
    set_price(variant=product.variants.get(), currency="EUR", amount=250)
    assert _price(product) == [100]
    drain()
    assert _price(product) == [250]


def test_stock_change_reaches_the_listing(api, sell, drain, location):
    product = sell(100, slug="one")
    receive(variant=product.variants.get(), location=location, quantity=2)
    drain()
    (variant,) = api.get("/api/v1/products/one/").json()["variants"]
    assert (variant["in_stock"], variant["available_quantity"]) == (True, 2)
    adjust(variant=product.variants.get(), location=location, delta=-2)
    drain()
    (item,) = api.get("/api/v1/products/").json()["results"]
    assert item["in_stock"] is False


def test_product_change_reaches_the_listing(api, sell, drain, slugs):
    product = sell(100, slug="one")
    update_product(product=product, fields={"name": "Renamed"})
    drain()
    assert api.get("/api/v1/products/one/").json()["name"] == "Renamed"
    set_status(products=[product], status="archived")
    drain()
    assert slugs() == []
    set_status(products=[product], status="active")
    drain()
    assert slugs() == ["one"]


def test_brand_rename_reaches_all_its_products(sell, drain, slugs):
    brand = BrandFactory(name="Old")
    for number in range(3):
        sell(100, slug=f"p{number}", brand=brand)
    brand.name = "New"
    save_brand(brand=brand)
    drain()
    assert slugs(search="new") == ["p2", "p1", "p0"]
    assert slugs(search="old") == []


def test_hiding_a_category_takes_it_off_the_page(api, sell, drain):
    root = CategoryFactory(name="Root")
    sell(100, slug="one", categories=[CategoryFactory(slug="leaf", name="Leaf", parent=root)])
    update_category(category=root, fields={"is_active": False})
    drain()
    assert api.get("/api/v1/products/one/").json()["categories"] == []


def test_rebuild_removes_what_is_no_longer_sold(sell, store):
    other = StoreFactory(code="other")
    product = sell(100, stores=[store, other])
    assert Listing.objects.count() == 2
    product.publications.filter(store=other).delete()
    rebuild(product_ids=[product.pk])
    assert [row.store for row in Listing.objects.all()] == [store]
    product.variants.update(is_active=False)
    rebuild(product_ids=[product.pk])
    assert Listing.objects.count() == 0


def test_deleted_product_leaves_no_listing(sell):
    product = sell(100)
    Product.objects.filter(pk=product.pk).delete()
    assert rebuild(product_ids=[product.pk]) == 0
    assert Listing.objects.count() == 0


def test_rebuild_twice_keeps_the_row_and_its_popularity(sell):
    product = sell(100)
    Listing.objects.update(popularity=7)
    before = Listing.objects.get()
    rebuild(product_ids=[product.pk])
    after = Listing.objects.get()
    assert (after.pk, after.popularity, after.item) == (before.pk, 7, before.item)
    assert after.created_at == before.created_at


def _statements(call):
    with CaptureQueriesContext(
        connection,
    ) as queries:
        call()
    return len(queries)


def test_rebuild_takes_the_same_statements_for_one_and_for_a_batch(sell, store):
    brand, category = BrandFactory(), CategoryFactory()
    made = [
        sell(100, stock=1, brand=brand, categories=[category], variants=2).pk for _ in range(BATCH)
    ]
    one = _statements(lambda: rebuild(product_ids=made[:1]))
    assert _statements(lambda: rebuild(product_ids=made)) == one
    assert one <= 29


def test_price_window_opens_and_closes(sell, slugs, time_machine, api):
    now = timezone.now()
    product = sell(1000, slug="one")
    opens, closes = now + timedelta(hours=1), now + timedelta(hours=2)
    set_price(variant=product.variants.get(), currency="EUR", amount=700, valid=(opens, closes))
    rebuild(product_ids=[product.pk])

    def shown_at(moment):
        time_machine.move_to(moment, tick=False)
        refreshed = refresh_scheduled()
        return refreshed, _price(product)

    assert shown_at(now + timedelta(minutes=1)) == (0, [1000])
    assert shown_at(opens) == (1, [700])
    assert shown_at(opens + timedelta(minutes=1)) == (0, [700])
    assert shown_at(closes) == (1, [1000])
    assert shown_at(closes + timedelta(minutes=1)) == (0, [1000])


def test_first_price_that_opens_lists_the_product(store, time_machine):
    now = timezone.now()
    product = ProductFactory(stores=[store])
    opens = now + timedelta(hours=1)
    set_price(variant=product.variants.get(), currency="EUR", amount=700, valid=(opens, None))
    rebuild(product_ids=[product.pk])
    assert refresh_scheduled() == 0
    time_machine.move_to(opens)
    assert (refresh_scheduled(), _price(product)) == (1, [700])
    assert refresh_scheduled() == 0


def test_cheapest_variant_gives_the_price(sell, store):
    product = sell(300)
    set_price(variant=VariantFactory(product=product), currency="EUR", amount=200)
    rebuild(product_ids=[product.pk])
    assert _price(product) == [200]


def _order(store, product, quantity, status="confirmed", days=1):
    order = Order.objects.create(
        number=f"N{Order.objects.count()}",
        store=store,
        email="a@example.com",
        status=status,
        currency="EUR",
        subtotal=0,
        total=0,
        confirmed_at=timezone.now() - timedelta(days=days),
    )
    OrderLine.objects.create(
        order=order,
        variant=product.variants.get(),
        sku="x",
        name="x",
        quantity=quantity,
        unit_price=0,
        subtotal=0,
        total=0,
    )
    return order


def test_popularity_counts_pieces_sold_lately(sell, store, slugs):
    rare, bestseller, once = sell(100, slug="rare"), sell(100, slug="best"), sell(100, slug="once")
    Listing.objects.filter(product=once).update(popularity=50)
    _order(store, rare, 1)
    _order(store, bestseller, 3)
    _order(store, bestseller, 2)
    _order(store, rare, 100, status="cancelled")
    _order(store, rare, 100, days=91)
    assert refresh_popularity() == 3
    assert slugs(ordering="-popularity") == ["best", "rare", "once"]
    found = dict(Listing.objects.values_list("product__slug", "popularity"))
    assert found == {"best": 5, "rare": 1, "once": 0}
    assert refresh_popularity() == 0


def test_command_rebuilds_everything_or_one_store(sell, store):
    other = StoreFactory(code="other")
    sell(100, slug="here")
    sell(100, slug="there", stores=[other])
    Listing.objects.all().delete()
    out = StringIO()
    call_command("rebuild_listing", store="other", stdout=out, stderr=StringIO())
    assert [row.store for row in Listing.objects.all()] == [other]
    assert out.getvalue() == "1 products listed\n"
    call_command("rebuild_listing", stdout=StringIO(), stderr=StringIO())
    assert Listing.objects.count() == 2
    with pytest.raises(CommandError, match="no store 'nope'"):
        call_command("rebuild_listing", store="nope", stdout=out, stderr=StringIO())


def test_rebuild_all_can_be_stopped_between_batches(sell, monkeypatch):
    monkeypatch.setattr("apps.storefront.services.listing.BATCH", 2)
    for _ in range(5):
        sell(100)
    Listing.objects.all().delete()
    batches = rebuild_all()
    assert next(batches) == 2
    batches.close()
    assert Listing.objects.count() == 2
    assert list(rebuild_all()) == [2, 2, 1]


@pytest.mark.race
def test_older_truth_does_not_overwrite_the_newer(sell, at_once):
    """One rebuild has read the old price and is slow to write; another starts meanwhile."""
    product = sell(100)
    has_read, is_done = Event(), Event()

    def slowly(execute, sql, params, many, context):
        if sql.startswith("INSERT") and Listing._meta.db_table in sql:
            has_read.set()
            is_done.wait(1)
        return execute(sql, params, many, context)

    def work(number):
        if number == 0:
            with connection.execute_wrapper(slowly):
                return rebuild(product_ids=[product.pk])
        assert has_read.wait(10)
        set_price(variant=product.variants.get(), currency="EUR", amount=250)
        rows = rebuild(product_ids=[product.pk])
        is_done.set()
        return rows

    assert at_once(2, work) == [1, 1]
    assert _price(product) == [250]


def test_lists_of_a_category_follow_its_products_and_its_place(sell, slugs, drain):
    root, leaf = CategoryFactory(slug="root"), CategoryFactory(slug="leaf")
    lamp, mug = (sell(100, slug=slug, categories=[leaf]) for slug in ("lamp", "mug"))
    assert slugs(category="root") == []
    move_category(category=leaf, parent=root)
    drain()
    assert slugs(category="root", ordering="price") == slugs(category="leaf", ordering="price")
    set_price(variant=mug.variants.get(), currency="EUR", amount=50)
    drain()
    assert slugs(category="root", ordering="price") == ["mug", "lamp"]
    lamp.categories.clear()
    rebuild(product_ids=[lamp.pk])
    assert slugs(category="root") == ["mug"]
    delete_category(category=Category.objects.get(slug="leaf"))
    drain()
    assert slugs(category="root") == []
