"""What is shown beside a product: chosen by hand, bought together, of its category."""

from __future__ import annotations

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.orders.models import Order, OrderLine
from apps.products.models import Product, ProductRelation
from apps.products.services.product import set_status, update_product
from apps.storefront.models import BoughtTogether, CategoryBest, Listing
from apps.storefront.services import relating
from apps.storefront.services.relating import count_bests, count_together
from tests.factories.products import CategoryFactory
from tests.factories.stores import StoreFactory

pytestmark = pytest.mark.django_db


def ordered(store, *products, status="confirmed", days=1):
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
    for product in products:
        OrderLine.objects.create(
            order=order,
            variant=product.variants.get(),
            sku="x",
            name="x",
            quantity=1,
            unit_price=0,
            subtotal=0,
            total=0,
        )


@pytest.fixture
def goods(sell):
    """Five products; `tea`, `pot` and `cup` are of one category."""
    kitchen = CategoryFactory(slug="kitchen")
    return {
        slug: sell(100, slug=slug, categories=[kitchen] if slug in ("tea", "pot", "cup") else [])
        for slug in ("tea", "pot", "cup", "book", "lamp")
    }


@pytest.fixture
def beside(api):
    def related(slug="tea"):
        page = api.get(f"/api/v1/products/{slug}/").json()
        return [item["slug"] for item in page["related"]]

    return related


def count():
    list(count_together())
    list(count_bests())


def test_chosen_come_first_then_bought_together_then_the_category(goods, store, beside):
    update_product(product=goods["tea"], fields={"related": [goods["lamp"]]})
    ordered(store, goods["tea"], goods["book"])
    ordered(store, goods["tea"], goods["book"], goods["pot"], goods["lamp"])
    ordered(store, goods["tea"], goods["pot"])
    ordered(store, goods["tea"], goods["pot"])
    count()
    assert beside() == ["lamp", "pot", "book", "cup"]
    # By hand it is said of one product; bought together are both.
    assert beside("lamp") == ["book", "pot", "tea"]


def test_only_orders_of_the_store_lately_count(goods, store, beside):
    ordered(store, goods["lamp"], goods["tea"], days=relating.TOGETHER_DAYS + 1)
    ordered(store, goods["lamp"], goods["pot"], status="cancelled")
    ordered(StoreFactory(), goods["lamp"], goods["cup"])
    count()
    assert beside("lamp") == []
    ordered(store, goods["lamp"], goods["book"])
    count()
    count()
    assert beside("lamp") == ["book"]
    assert BoughtTogether.objects.filter(store=store).count() == 2


def test_chunks_count_as_the_whole_does(goods, store, monkeypatch):
    ordered(store, *goods.values())
    ordered(store, goods["tea"], goods["lamp"])
    whole = {"product", "other", "orders"}
    list(count_together())
    found = list(BoughtTogether.objects.order_by("product", "other").values(*whole))
    assert len(found) == 20
    monkeypatch.setattr(relating, "CHUNK", 2)
    assert list(count_together()) == [2, 2, 1]
    assert list(BoughtTogether.objects.order_by("product", "other").values(*whole)) == found


def test_no_more_is_kept_than_is_shown(goods, store, monkeypatch, beside):
    monkeypatch.setattr(relating, "MOST_TOGETHER", 1)
    monkeypatch.setattr(relating, "MOST_BESTS", 1)
    Listing.objects.filter(product=goods["cup"]).update(popularity=5)
    ordered(store, goods["tea"], goods["book"])
    ordered(store, goods["tea"], goods["book"], goods["lamp"])
    count()
    assert beside() == ["book", "cup"]
    assert CategoryBest.objects.get().popularity == 5


def test_what_sells_best_in_the_category_comes_first(goods, beside):
    assert beside() == ["cup", "pot"]
    Listing.objects.filter(product=goods["pot"]).update(popularity=7)
    count()
    assert beside() == ["pot", "cup"]


def test_what_isnt_for_sale_is_left_out(goods, store, beside, drain):
    update_product(product=goods["tea"], fields={"related": [goods["lamp"], goods["cup"]]})
    set_status(products=[goods["lamp"]], status=Product.Status.ARCHIVED)
    drain()
    assert beside() == ["cup", "pot"]


def test_product_that_left_the_category_is_not_beside_it(goods, beside, drain):
    update_product(product=goods["cup"], fields={"categories": []})
    drain()
    assert beside() == ["pot"]
    assert beside("cup") == []


def test_merchant_chooses_in_an_order(goods, as_merchant):
    url = "/api/v1/admin/products/tea/"
    for wanted in (["lamp", "book"], ["book", "cup", "lamp"], []):
        answer = as_merchant.patch(url, {"related": wanted})
        assert (answer.status_code, answer.json()["related"]) == (200, wanted)
    assert not ProductRelation.objects.exists()
    itself = as_merchant.patch(url, {"related": ["book", "tea"]})
    assert (itself.status_code, itself.json()["code"]) == (400, "related_to_itself")
    assert as_merchant.patch(url, {"related": ["nothing"]}).status_code == 400


def test_database_refuses_a_relation_twice_or_to_itself(goods):
    tea, lamp = goods["tea"], goods["lamp"]
    ProductRelation.objects.create(product=tea, related=lamp)
    for pair in ({"product": tea, "related": lamp}, {"product": tea, "related": tea}):
        with pytest.raises(IntegrityError), transaction.atomic():
            ProductRelation.objects.create(**pair)


def test_command_tells_how_far_it_is(goods, store):
    ordered(store, goods["tea"], goods["lamp"])
    out = StringIO()
    call_command("relate_products", stdout=out, stderr=StringIO())
    assert out.getvalue() == "5 products counted\n1 categories counted\n"
    assert BoughtTogether.objects.count() == 2
