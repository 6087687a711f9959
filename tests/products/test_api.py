from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from rest_framework.test import APIClient

from apps.inventory.models import Location
from apps.inventory.services.stock import receive
from apps.products.models import Collection, Product
from tests.factories.accounts import StaffFactory
from tests.factories.products import (
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    ProductImageFactory,
    ProductTypeFactory,
    TagFactory,
    VariantFactory,
)
from tests.products.pictures import SVG, picture

ADMIN = "/api/v1/admin/"


def _whole_product():
    kind = ProductTypeFactory(code="shirt")
    kind.attributes.add(AttributeFactory(code="fabric"))
    BrandFactory(slug="acme")
    CategoryFactory(slug="shirts")
    return {
        "name": "Shirt",
        "description": "<p>Soft<script>x</script></p>",
        "status": "active",
        "brand": "acme",
        "product_type": "shirt",
        "attributes": {"fabric": "wool"},
        "metadata": {"erp": {"id": 7}},
        "categories": ["shirts"],
        "tags": ["Summer"],
        "seo": {"title": "Buy a shirt"},
        "options": [{"name": "Size", "values": ["S", "M"]}],
        "variants": [
            {"sku": "SH/S 1", "options": {"Size": "S"}, "weight": 200},
            {"sku": "SH/M 1", "options": {"Size": "M"}, "origin_country": "PT"},
        ],
    }


def _variant(**changes):
    return {
        "product": "shirt",
        "name": "",
        "is_active": True,
        "gtin": "",
        "weight": 0,
        "length": 0,
        "width": 0,
        "height": 0,
        "requires_shipping": True,
        "track_inventory": True,
        "hs_code": "",
        "origin_country": "",
        "unit_quantity": None,
        "unit": "",
        "unit_reference": "",
        "min_quantity": 1,
        "max_quantity": None,
        "quantity_step": 1,
        "image": None,
        "metadata": {},
        **changes,
    }


def test_product_is_created_with_everything(as_merchant, store):
    response = as_merchant.post(f"{ADMIN}products/", _whole_product())
    assert response.status_code == 201, response.content
    body = response.json()
    product = Product.objects.get()
    stamps = {name: body.pop(name) for name in ("created_at", "updated_at")}
    assert all(stamp.endswith("Z") for stamp in stamps.values())
    assert body == {
        "id": str(product.public_id),
        "slug": "shirt",
        "name": "Shirt",
        "description": "<p>Soft</p>",
        "status": "active",
        "brand": "acme",
        "product_type": "shirt",
        "seller": None,
        "tax_class": "standard",
        "is_gift_card": False,
        "attributes": {"fabric": "wool"},
        "metadata": {"erp": {"id": 7}},
        "categories": ["shirts"],
        "tags": ["Summer"],
        "seo": {"title": "Buy a shirt", "description": ""},
        "publications": [{"store": "main", "starts_at": None, "ends_at": None, "groups": None}],
        "options": [{"name": "Size", "values": ["S", "M"]}],
        "variants": [
            _variant(sku="SH/S 1", position=0, options={"Size": "S"}, weight=200),
            _variant(sku="SH/M 1", position=1, options={"Size": "M"}, origin_country="PT"),
        ],
        "images": [],
        "related": [],
    }
    again = as_merchant.get(f"{ADMIN}products/shirt/")
    assert (again.json()["variants"], again["ETag"]) == (body["variants"], response["ETag"])


@pytest.mark.parametrize(
    ("change", "field", "code"),
    [
        ({"name": ""}, "name", "validation_error"),
        ({"name": None}, "name", "validation_error"),
        ({"price": "1"}, "price", "validation_error"),
        ({"slug": "ä b"}, "slug", "validation_error"),
        ({"slug": "a\nb"}, "slug", "validation_error"),
        ({"status": "sold"}, "status", "validation_error"),
        ({"brand": "nobody"}, "brand", "validation_error"),
        ({"brand": ["acme"]}, "brand", "validation_error"),
        ({"categories": ["shirts", "nothing"]}, "categories", "validation_error"),
        ({"categories": "shirts"}, "categories", "validation_error"),
        ({"tags": ["x" * 101]}, "tags.0", "validation_error"),
        ({"attributes": {"fabric": 5}}, "attributes.fabric", "invalid_attributes"),
        ({"attributes": {"unknown": "x"}}, "attributes.unknown", "invalid_attributes"),
        ({"attributes": []}, "attributes", "validation_error"),
        ({"metadata": {"a": "\x00"}}, "metadata", "validation_error"),
        ({"metadata": {"a\x00": 1}}, "metadata", "validation_error"),
        ({"publications": [{"store": "x"}]}, "publications.0.store", "validation_error"),
        ({"variants": [{"sku": "A", "weight": -1}]}, "variants.0.weight", "validation_error"),
        ({"variants": [{"sku": "A", "weight": 2**31}]}, "variants.0.weight", "validation_error"),
        (
            {"variants": [{"sku": "A", "origin_country": "pt"}]},
            "variants.0.origin_country",
            "validation_error",
        ),
        ({"variants": [{"sku": "A"}, {"sku": "A"}]}, "sku", "sku_taken"),
        (
            {
                "variants": [{"sku": "A", "options": {"Size": "S"}}] * 1
                + [{"sku": "B", "options": {"Size": "S"}}]
            },
            "options",
            "options_taken",
        ),
    ],
    ids=str,
)
def test_bad_product_is_refused_whole(as_merchant, store, change, field, code):
    response = as_merchant.post(f"{ADMIN}products/", {**_whole_product(), **change})
    body = response.json()
    assert (response.status_code in (400, 409), body["code"]) == (True, code)
    assert [error["field"] for error in body["errors"]] == [field]
    assert Product.objects.count() == 0


def test_json_that_cannot_be_stored_is_refused(as_merchant, store):
    deep = '{"a":' * 50 + "1" + "}" * 50
    for metadata in ('{"a": "\\ud800"}', deep, '{"a": NaN}'):
        body = f'{{"name": "x", "metadata": {metadata}}}'
        response = as_merchant.post(f"{ADMIN}products/", body, content_type="application/json")
        assert response.status_code == 400
    assert Product.objects.count() == 0


def test_slug_that_is_taken_is_a_conflict(as_merchant, store):
    ProductFactory(slug="shirt")
    response = as_merchant.post(f"{ADMIN}products/", {"name": "x", "slug": "shirt"})
    assert (response.status_code, response.json()["code"]) == (409, "slug_taken")


def test_patch_changes_what_it_names(as_merchant, store):
    as_merchant.post(f"{ADMIN}products/", _whole_product())
    change = {"name": "Blouse", "brand": None, "tags": [], "seo": {"description": "d"}}
    body = as_merchant.patch(f"{ADMIN}products/shirt/", change).json()
    assert (body["name"], body["brand"], body["tags"], body["seo"], body["categories"]) == (
        "Blouse",
        None,
        [],
        {"title": "Buy a shirt", "description": "d"},
        ["shirts"],
    )


def test_stale_edit_is_refused(as_merchant, store):
    etag = as_merchant.post(f"{ADMIN}products/", _whole_product())["ETag"]
    url = f"{ADMIN}products/shirt/"
    first = as_merchant.patch(url, {"name": "First"}, headers={"If-Match": etag})
    assert (first.status_code, first["ETag"] != etag) == (200, True)
    second = as_merchant.patch(url, {"name": "Second"}, headers={"If-Match": etag})
    assert (second.status_code, second.json()["code"]) == (412, "precondition_failed")
    as_merchant.patch(f"{ADMIN}variants/SH/S 1/", {"weight": 5})
    third = as_merchant.patch(url, {"name": "Third"}, headers={"If-Match": first["ETag"]})
    assert third.status_code == 412
    assert Product.objects.get().name == "First"


def test_delete_or_archive(as_merchant, store):
    free, held = ProductFactory(slug="free"), ProductFactory(slug="held")
    location = Location.objects.create(code="main", name="Main")
    receive(variant=held.variants.get(), location=location, quantity=1)
    assert as_merchant.delete(f"{ADMIN}products/free/").status_code == 204
    response = as_merchant.delete(f"{ADMIN}products/held/")
    assert (response.status_code, response.json()["status"]) == (200, "archived")
    assert list(Product.objects.values_list("pk", flat=True)) == [held.pk]
    assert free.pk != held.pk


def test_list_has_summaries_and_filters(as_merchant, store):
    root = CategoryFactory(slug="root")
    leaf = CategoryFactory(slug="leaf", parent=root)
    red = ProductFactory(
        slug="red",
        name="Red shirt",
        brand=BrandFactory(slug="acme"),
        categories=[leaf],
        variants=2,
    )
    ProductImageFactory(product=red)
    VariantFactory(product=ProductFactory(slug="blue", status="draft", variants=0), sku="BLUE-1")

    def slugs(**query):
        response = as_merchant.get(f"{ADMIN}products/", query)
        assert response.status_code == 200, response.content
        return [row["slug"] for row in response.json()["results"]]

    assert slugs() == ["blue", "red"]
    assert slugs(ordering="name") == ["blue", "red"]
    assert slugs(status="active") == slugs(brand="acme") == slugs(category="root") == ["red"]
    assert slugs(search="shirt red") == ["red"]
    assert slugs(search="blue-1") == ["blue"]
    assert slugs(category="nothing") == slugs(search="nothing") == []
    row = as_merchant.get(f"{ADMIN}products/", {"brand": "acme"}).json()["results"][0]
    assert {key: row[key] for key in ("id", "slug", "name", "status", "brand")} == {
        "id": str(red.public_id),
        "slug": "red",
        "name": "Red shirt",
        "status": "active",
        "brand": "acme",
    }
    assert (row["variant_count"], row["thumbnail"]) == (2, "/media/products/test-320.webp")
    for bad in ({"status": "x"}, {"ordering": "brand"}, {"unknown": "1"}, {"search": "\x00"}):
        assert as_merchant.get(f"{ADMIN}products/", bad).status_code == 400


@pytest.mark.parametrize("n", [10, 100])
def test_list_and_page_take_constant_statements(merchant, store, n, django_assert_max_num_queries):
    client = APIClient()
    client.force_authenticate(merchant)
    brand = BrandFactory()
    for _ in range(n):
        ProductImageFactory(product=ProductFactory(brand=brand))
    product = ProductFactory(slug="many", variants=n, tags=[TagFactory() for _ in range(n)])
    for _ in range(n):
        ProductImageFactory(product=product)
    with django_assert_max_num_queries(5):
        assert len(client.get(f"{ADMIN}products/?limit=100").json()["results"]) == min(n + 1, 100)
    with django_assert_max_num_queries(14):
        client.get(f"{ADMIN}products/many/")


def test_variant_life(as_merchant, store):
    as_merchant.post(f"{ADMIN}products/", _whole_product())
    added = as_merchant.post(
        f"{ADMIN}products/shirt/variants/", {"sku": "SH-L", "options": {"Size": "L"}}
    )
    assert added.status_code == 201
    assert added.json() == _variant(sku="SH-L", position=2, options={"Size": "L"})
    url = f"{ADMIN}variants/SH-L/"
    shown = as_merchant.get(url)
    assert shown.json() == added.json()
    image = ProductImageFactory(product=Product.objects.get())
    change = {"weight": 9, "image": str(image.public_id), "options": {"Size": "XL"}}
    changed = as_merchant.patch(url, change, headers={"If-Match": shown["ETag"]})
    assert changed.json() == {**added.json(), **change}
    assert as_merchant.patch(url, {"weight": 1}, headers={"If-Match": shown["ETag"]}).status_code
    stale = as_merchant.patch(url, {"weight": 1}, headers={"If-Match": shown["ETag"]})
    assert stale.status_code == 412
    listed = as_merchant.get(f"{ADMIN}products/shirt/variants/").json()["results"]
    assert [row["sku"] for row in listed] == ["SH/S 1", "SH/M 1", "SH-L"]
    assert as_merchant.delete(url).status_code == 204
    assert as_merchant.get(url).status_code == 404
    assert as_merchant.get(f"{ADMIN}variants/SH/S 1/").json()["weight"] == 200


def test_image_of_another_product_is_not_taken(as_merchant, store):
    variant, foreign = VariantFactory(sku="A"), ProductImageFactory()
    response = as_merchant.patch(f"{ADMIN}variants/A/", {"image": str(foreign.public_id)})
    assert response.status_code == 404
    variant.refresh_from_db()
    assert variant.image is None


def test_image_life(as_merchant, store):
    ProductFactory(slug="shirt")
    url = f"{ADMIN}products/shirt/images/"
    file = SimpleUploadedFile("x.jpg", picture(size=(200, 100)), "image/jpeg")
    made = as_merchant.post(url, {"file": file, "alt": "Front"}, format="multipart")
    assert made.status_code == 201, made.content
    body = made.json()
    assert (body["status"], body["alt"], body["width"], body["height"]) == (
        "ready",
        "Front",
        200,
        100,
    )
    assert [r["width"] for r in body["renditions"]] == [160, 200]
    later = as_merchant.post(url, {"source_url": "https://example.com/a.jpg"}).json()
    assert (later["status"], later["position"], later["renditions"]) == ("pending", 1, [])
    changed = as_merchant.patch(f"{ADMIN}images/{later['id']}/", {"alt": "Back", "position": 0})
    assert (changed.json()["alt"], changed.json()["position"]) == ("Back", 0)
    assert as_merchant.delete(f"{ADMIN}images/{body['id']}/").status_code == 204
    listed = as_merchant.get(url).json()["results"]
    assert [image["id"] for image in listed] == [later["id"]]


@pytest.mark.parametrize("name", ["x.svg", "x.jpg"])
def test_svg_is_refused_whatever_its_name(as_merchant, store, name):
    ProductFactory(slug="shirt")
    file = SimpleUploadedFile(name, SVG, "image/jpeg")
    response = as_merchant.post(
        f"{ADMIN}products/shirt/images/", {"file": file}, format="multipart"
    )
    assert (response.status_code, response.json()["code"]) == (400, "invalid_image")


def test_image_needs_one_source(as_merchant, store):
    ProductFactory(slug="shirt")
    url = f"{ADMIN}products/shirt/images/"
    for body in ({}, {"source_url": "ftp://x"}, {"file": "text"}):
        assert as_merchant.post(url, body).status_code == 400
    assert (
        as_merchant.post(f"{ADMIN}products/", {"name": "x"}, format="multipart").status_code == 415
    )


def test_categories_by_api(as_merchant, store):
    assert as_merchant.post(f"{ADMIN}categories/", {"name": "Clothes"}).status_code == 201
    made = as_merchant.post(
        f"{ADMIN}categories/", {"name": "Shirts", "parent": "clothes", "seo": {"title": "S"}}
    )
    shirts = {
        "slug": "shirts",
        "name": "Shirts",
        "parent": "clothes",
        "depth": 2,
        "description": "",
        "is_active": True,
        "seo": {"title": "S", "description": ""},
    }
    assert made.json() == shirts
    as_merchant.post(f"{ADMIN}categories/", {"name": "Shoes"})
    listed = as_merchant.get(f"{ADMIN}categories/").json()["results"]
    assert [(row["slug"], row["parent"]) for row in listed] == [
        ("clothes", None),
        ("shirts", "clothes"),
        ("shoes", None),
    ]
    moved = as_merchant.patch(f"{ADMIN}categories/shirts/", {"parent": "shoes", "name": "Tees"})
    assert moved.json() == {**shirts, "parent": "shoes", "name": "Tees"}
    bad = as_merchant.patch(f"{ADMIN}categories/shoes/", {"parent": "shirts"})
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid_move")
    full = as_merchant.delete(f"{ADMIN}categories/shoes/")
    assert (full.status_code, full.json()["code"]) == (409, "category_not_empty")
    assert as_merchant.patch(f"{ADMIN}categories/shirts/", {"parent": None}).json()["depth"] == 1
    assert as_merchant.delete(f"{ADMIN}categories/shoes/").status_code == 204


def test_collections_by_api(as_merchant, store):
    tag = TagFactory(slug="summer")
    one = ProductFactory(slug="one", tags=[tag])
    ProductFactory(slug="two")
    rule = {"all": [{"field": "tag", "value": "summer"}]}
    made = as_merchant.post(
        f"{ADMIN}collections/", {"name": "Summer", "kind": "rule", "rule": rule}
    )
    assert made.json() == {
        "slug": "summer",
        "name": "Summer",
        "kind": "rule",
        "rule": rule,
        "description": "",
        "is_active": True,
        "product_count": 1,
        "seo": {"title": "", "description": ""},
    }
    by_hand = {"kind": "manual", "products": ["two", "one"]}
    changed = as_merchant.patch(f"{ADMIN}collections/summer/", by_hand).json()
    assert (changed["rule"], changed["product_count"]) == ({}, 2)
    members = Collection.objects.get().collectionproduct_set.all()
    assert [member.product.slug for member in members] == ["two", "one"]
    bad = as_merchant.patch(f"{ADMIN}collections/summer/", {"kind": "rule", "rule": {"x": 1}})
    assert (bad.status_code, bad.json()["code"]) == (400, "invalid_rule")
    assert as_merchant.delete(f"{ADMIN}collections/summer/").status_code == 204
    assert Product.objects.filter(pk=one.pk).exists()


@pytest.mark.parametrize(
    ("name", "body", "answer", "change"),
    [
        ("brands", {"name": "Acme"}, {"slug": "acme", "name": "Acme"}, {"name": "New"}),
        ("tags", {"name": "Red"}, {"slug": "red", "name": "Red"}, {"name": "New"}),
        (
            "attributes",
            {"code": "size", "name": "Size", "kind": "choice", "choices": ["S"]},
            {
                "code": "size",
                "name": "Size",
                "kind": "choice",
                "choices": ["S"],
                "unit": "",
                "is_filterable": False,
            },
            {"is_filterable": True, "choices": ["S", "M"]},
        ),
        (
            "product-types",
            {"code": "shirt", "name": "Shirt", "attributes": []},
            {"code": "shirt", "name": "Shirt", "attributes": []},
            {"name": "New"},
        ),
    ],
    ids=["brands", "tags", "attributes", "product-types"],
)
def test_labels_by_api(as_merchant, store, name, body, answer, change):
    made = as_merchant.post(f"{ADMIN}{name}/", body)
    assert (made.status_code, made.json()) == (201, answer)
    url = f"{ADMIN}{name}/{answer.get('slug') or answer['code']}/"
    assert as_merchant.get(url).json() == answer
    assert as_merchant.patch(url, change).json() == {**answer, **change}
    listed = as_merchant.get(f"{ADMIN}{name}/").json()["results"]
    assert listed == [{**answer, **change}]
    clash = {**body, "slug": "acme"} if name == "brands" else {**body, "slug": "red"}
    if name in ("brands", "tags"):
        assert as_merchant.post(f"{ADMIN}{name}/", clash).status_code == 409
    else:
        assert as_merchant.post(f"{ADMIN}{name}/", body).status_code == 409
    assert as_merchant.delete(url).status_code == 204
    assert as_merchant.get(url).status_code == 404


ROUTES = [
    ("products/", "get", "view_product"),
    ("products/", "post", "add_product"),
    ("products/p/", "get", "view_product"),
    ("products/p/", "patch", "change_product"),
    ("products/p/", "delete", "delete_product"),
    ("products/p/variants/", "get", "view_variant"),
    ("products/p/variants/", "post", "add_variant"),
    ("variants/v/", "patch", "change_variant"),
    ("variants/v/", "delete", "delete_variant"),
    ("products/p/images/", "post", "add_productimage"),
    ("categories/", "post", "add_category"),
    ("collections/", "post", "add_collection"),
    ("brands/", "post", "add_brand"),
    ("tags/", "post", "add_tag"),
    ("attributes/", "post", "add_attribute"),
    ("product-types/", "post", "add_producttype"),
]


@pytest.mark.parametrize(("path", "method", "permission"), ROUTES)
def test_every_route_needs_its_permission(
    api, as_shopper, client_for, staff_without_permissions, store, path, method, permission
):
    VariantFactory(sku="v", product=ProductFactory(slug="p", variants=0))
    assert getattr(api, method)(f"{ADMIN}{path}", {}).status_code == 401
    assert getattr(as_shopper, method)(f"{ADMIN}{path}", {}).status_code == 403
    nobody = client_for(staff_without_permissions)
    assert getattr(nobody, method)(f"{ADMIN}{path}", {}).status_code == 403
    allowed = client_for(StaffFactory(permissions=[f"products.{permission}"]))
    assert getattr(allowed, method)(f"{ADMIN}{path}", {}).status_code in (200, 201, 204, 400)
