"""A former slug leads to the present one."""

import pytest

from apps.products.models import Collection, FormerSlug, Product
from apps.products.services.categories import update_category
from apps.products.services.collections import save_collection
from apps.products.services.labels import save_brand
from apps.products.services.product import create_product, set_status, update_product
from apps.products.services.product_data import ProductData, VariantData
from apps.products.services.upsert import upsert_product
from apps.storefront.services.listing import rebuild
from tests.factories.products import BrandFactory, CategoryFactory, CollectionFactory

BASE = "/api/v1"


def _location(response):
    return response.status_code, response.headers.get("Location")


def _kept():
    return sorted(FormerSlug.objects.values_list("kind", "slug"))


def test_product_page_of_a_former_slug_leads_to_the_present_one(api, sell, drain):
    product = sell(100, slug="old")
    update_product(product=product, fields={"slug": "newer"})
    update_product(product=product, fields={"slug": "newest"})
    drain()
    target = (308, f"{BASE}/products/newest/?currency=EUR")
    assert _location(api.get(f"{BASE}/products/old/?currency=EUR")) == target
    assert _location(api.get(f"{BASE}/products/newer/?currency=EUR")) == target
    answer = api.get(f"{BASE}/products/old/")
    assert answer["Cache-Control"] == "public, max-age=30, stale-while-revalidate=60"
    assert answer["Vary"] == api.get(f"{BASE}/products/newest/")["Vary"]
    assert answer["Surrogate-Key"] == "product-old products store-main"
    assert api.get(answer["Location"]).json()["slug"] == "newest"


def test_product_that_goes_back_to_its_slug_is_there_again(api, sell):
    product = sell(100, slug="old")
    for slug in ("new", "old"):
        update_product(product=product, fields={"slug": slug})
    assert api.get(f"{BASE}/products/old/").status_code == 200
    assert _location(api.get(f"{BASE}/products/new/")) == (308, f"{BASE}/products/old/")
    assert _kept() == [("product", "new")]


def test_save_that_keeps_the_slug_keeps_nothing(sell):
    update_product(product=sell(100, slug="old"), fields={"name": "Renamed", "slug": "old"})
    assert _kept() == []


def test_hidden_product_does_not_tell_its_slug(api, sell):
    product = sell(100, slug="old")
    update_product(product=product, fields={"slug": "secret"})
    set_status(products=[product], status="draft")
    rebuild(product_ids=[product.pk])
    assert api.get(f"{BASE}/products/old/").status_code == 404
    assert api.get(f"{BASE}/products/never/").status_code == 404


def test_new_product_takes_a_former_slug(api, sell, store):
    update_product(product=sell(100, slug="old"), fields={"slug": "new"})
    create_product(fields={"name": "Other", "slug": "old"}, store=store)
    assert api.get(f"{BASE}/products/old/").status_code == 404
    assert _kept() == []


def test_imported_product_takes_a_former_slug(sell, store):
    update_product(product=sell(100, slug="old"), fields={"slug": "new"})
    data = ProductData(slug="old", name="Other", brand="Acme", variants=[VariantData(sku="OTHER")])
    assert upsert_product(data=data, store=store).created is True
    assert _kept() == []
    assert sorted(Product.objects.values_list("slug", flat=True)) == ["new", "old"]


def test_imported_labels_take_former_slugs(store):
    brand, category = BrandFactory(slug="acme"), CategoryFactory(slug="shoes", name="Boots")
    brand.slug = "acme-inc"
    save_brand(brand=brand)
    update_category(category=category, fields={"slug": "boots"})
    assert _kept() == [("brand", "acme"), ("category", "shoes")]
    data = ProductData(
        slug="one",
        name="One",
        brand="Acme",
        categories=[("Shoes",)],
        variants=[VariantData(sku="ONE")],
    )
    upsert_product(data=data, store=store)
    assert _kept() == []


def test_product_that_is_deleted_takes_its_former_slugs_with_it(sell):
    product = sell(100, slug="old")
    update_product(product=product, fields={"slug": "new"})
    Product.objects.filter(pk=product.pk).delete()
    assert _kept() == []


def test_category_and_collection_of_former_slugs_lead_to_the_present_ones(api, store):
    category, collection = CategoryFactory(slug="old"), CollectionFactory(slug="old")
    update_category(category=category, fields={"slug": "new"})
    save_collection(collection=collection, fields={"slug": "new"})
    assert _kept() == [("category", "old"), ("collection", "old")]
    for kind in ("categories", "collections"):
        answer = api.get(f"{BASE}/{kind}/old/")
        assert _location(answer) == (308, f"{BASE}/{kind}/new/")
        assert answer["Cache-Control"] == "public, max-age=30, stale-while-revalidate=60"
    update_category(category=category, fields={"is_active": False})
    Collection.objects.update(is_active=False)
    for kind in ("categories", "collections"):
        assert api.get(f"{BASE}/{kind}/old/").status_code == 404


@pytest.mark.parametrize("path", ["products/", "products/facets/"])
def test_lists_by_former_slugs_lead_to_those_by_present_ones(api, sell, path):
    brand, category = BrandFactory(slug="old"), CategoryFactory(slug="old")
    sell(100, slug="one", brand=brand, categories=[category])
    brand.slug = "new"
    save_brand(brand=brand)
    update_category(category=category, fields={"slug": "new"})
    answer = api.get(f"{BASE}/{path}?brand=other,old&category=old&in_stock=false")
    assert _location(answer) == (
        308,
        f"{BASE}/{path}?brand=other,new&category=new&in_stock=false",
    )
    assert api.get(answer["Location"]).status_code == 200
    assert api.get(f"{BASE}/{path}?brand=never").status_code == 200


def test_page_costs_no_more_for_being_able_to_move(api, sell, django_assert_num_queries):
    product = sell(100, slug="old")
    with django_assert_num_queries(2):
        api.get(f"{BASE}/products/old/")
    update_product(product=product, fields={"slug": "new"})
    with django_assert_num_queries(3):
        api.get(f"{BASE}/products/old/")


def test_merchants_change_of_slug_keeps_the_former_one(as_merchant, sell):
    sell(100, slug="old")
    answer = as_merchant.patch(f"{BASE}/admin/products/old/", {"slug": "new"})
    assert (answer.status_code, _kept()) == (200, [("product", "old")])
