"""Google's and Meta's product feeds, read as they read them."""

import csv
from datetime import timedelta
from io import StringIO
from xml.etree import ElementTree

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from apps.inventory.services.stock import receive
from apps.pricing.services.prices import set_price
from apps.products.services.options import choose_options
from apps.products.services.product import set_status
from apps.storefront.models import Listing
from apps.storefront.services.listing import rebuild
from tests.factories.products import (
    AttributeFactory,
    BrandFactory,
    CategoryFactory,
    ProductFactory,
    ProductImageFactory,
    ProductTypeFactory,
    VariantFactory,
)
from tests.factories.stores import StoreFactory

SITE = "http://localhost:8000"
G = "{http://base.google.com/ns/1.0}"


def _body(response):
    assert response.status_code == 200
    return b"".join(response.streaming_content).decode()


def _items(text):
    """Each item as its attributes; those that stand several times as lists."""
    root = ElementTree.fromstring(text)  # noqa: S314 (our own)
    found = []
    for item in root.findall("./channel/item"):
        names = [child.tag.removeprefix(G) for child in item]
        texts = {n: [c.text for c in item if c.tag == G + n] for n in names}
        found.append({n: t[0] if len(t) == 1 else t for n, t in texts.items()})
    return found


@pytest.fixture
def google(api):
    return lambda **query: _items(_body(api.get("/feeds/google.xml", query)))


@pytest.fixture
def meta(api):
    def read(**query):
        return list(csv.DictReader(StringIO(_body(api.get("/feeds/meta.csv", query)))))

    return read


@pytest.fixture
def shirt(store, location):
    root = CategoryFactory(slug="clothes", name="Clothes")
    kind = ProductTypeFactory()
    kind.attributes.add(
        AttributeFactory(code="mpn"), AttributeFactory(code="material", kind="choices")
    )
    product = ProductFactory(
        slug="shirt",
        name="Shirt <&>",
        brand=BrandFactory(name="Acme"),
        description="<p>Soft &amp; warm.</p>",
        stores=[store],
        variants=0,
        categories=[CategoryFactory(slug="shirts", name="Shirts", parent=root)],
        product_type=kind,
        attributes={"mpn": "AC-1", "material": ["wool", "silk"]},
    )
    ProductImageFactory(product=product, file="front.webp", renditions=_renditions("front"))
    back = ProductImageFactory(product=product, file="back.webp", renditions=_renditions("back"))
    small = VariantFactory(product=product, sku="SH-S", weight=200, gtin="4006381333931")
    large = VariantFactory(
        product=product, sku="SH-L", name="Large", image=back, position=1, weight=0
    )
    VariantFactory(product=product, sku="HIDDEN", position=2, is_active=False)
    VariantFactory(product=product, sku="UNPRICED", position=3)
    choose_options(variant=small, options={"Size": "S", "Colour": "Red"})
    choose_options(variant=large, options={"Size": "L", "Colour": "Red"})
    set_price(variant=small, currency="EUR", amount=1250)
    set_price(variant=large, currency="EUR", amount=1000, compare_at=1500)
    receive(variant=small, location=location, quantity=3)
    rebuild(product_ids=[product.pk])
    return product


def _renditions(name):
    return [{"width": 320, "height": 240, "path": f"{name}-320.webp"}]


def test_google_is_told_all_of_every_variant(google, shirt):
    front, back = f"{SITE}/media/front.webp", f"{SITE}/media/back.webp"
    same = {
        "description": "Soft & warm.",
        "condition": "new",
        "brand": "Acme",
        "mpn": "AC-1",
        "material": "wool/silk",
        "color": "Red",
        "product_type": "Clothes > Shirts",
        "item_group_id": str(shirt.public_id),
    }
    assert google() == [
        {
            **same,
            "id": "SH-S",
            "title": "Shirt <&>, S, Red",
            "link": f"{SITE}/products/shirt/?variant=SH-S",
            "image_link": front,
            "additional_image_link": back,
            "availability": "in_stock",
            "price": "12.50 EUR",
            "gtin": "4006381333931",
            "shipping_weight": "200 g",
            "size": "S",
        },
        {
            **same,
            "id": "SH-L",
            "title": "Shirt <&>, Large",
            "link": f"{SITE}/products/shirt/?variant=SH-L",
            "image_link": back,
            "additional_image_link": front,
            "availability": "out_of_stock",
            "price": "15.00 EUR",
            "sale_price": "10.00 EUR",
            "size": "L",
        },
    ]


def test_meta_is_told_all_of_every_variant(meta, shirt):
    small, large = meta()
    assert small == {
        "id": "SH-S",
        "title": "Shirt <&>, S, Red",
        "description": "Soft & warm.",
        "availability": "in stock",
        "condition": "new",
        "price": "12.50 EUR",
        "sale_price": "",
        "link": f"{SITE}/products/shirt/?variant=SH-S",
        "image_link": f"{SITE}/media/front.webp",
        "additional_image_link": f"{SITE}/media/back.webp",
        "brand": "Acme",
        "gtin": "4006381333931",
        "item_group_id": str(shirt.public_id),
        "product_type": "Clothes > Shirts",
        "shipping_weight": "200 g",
        "mpn": "AC-1",
        "google_product_category": "",
        "gender": "",
        "age_group": "",
        "color": "Red",
        "size": "S",
        "material": "wool/silk",
        "pattern": "",
    }
    assert (large["id"], large["availability"]) == ("SH-L", "out of stock")
    assert (large["price"], large["sale_price"]) == ("15.00 EUR", "10.00 EUR")


def test_channel_is_the_store(api, store):
    store.name, store.domain = "Tea & <Cups>", "tea.example.com"
    store.save()
    answer = api.get("/feeds/google.xml", HTTP_ACCEPT="application/rss+xml")
    channel = ElementTree.fromstring(_body(answer)).find("channel")  # noqa: S314 (our own)
    assert {child.tag: child.text for child in channel} == {
        "title": "Tea & <Cups>",
        "link": "https://tea.example.com/",
        "description": "Tea & <Cups>",
    }
    assert answer["Content-Type"] == "application/xml; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=300"
    assert api.get("/feeds/meta.csv")["Content-Type"] == "text/csv; charset=utf-8"


def test_simple_product_without_numbers_says_so(google, sell):
    product = sell(100, slug="mug", name="Mug", variants__sku="S" * 60)
    (item,) = google()
    assert item["identifier_exists"] == "no"
    assert (item["title"], item["description"]) == ("Mug", "Mug")
    assert item["item_group_id"] == str(product.public_id)
    assert (len(item["id"]), item["id"][:42]) == (50, "S" * 41 + "-")
    assert {"image_link", "brand", "gtin", "mpn", "sale_price"} & item.keys() == set()


def test_what_xml_and_spreadsheets_cannot_bear_is_made_harmless(google, meta, sell):
    sell(100, slug="evil", name='=HYPERLINK("x")\x0b]]><b>&amp;', variants__sku="-1+1")
    (item,), (row,) = google(), meta()
    assert (item["title"], item["id"]) == ('=HYPERLINK("x")]]><b>&amp;', "-1+1")
    assert (row["title"][:6], row["id"]) == ("'=HYPE", "'-1+1")


def test_what_is_hidden_is_not_told(google, meta, sell, store):
    shown = sell(100, variants__sku="SHOWN")
    draft, ended = sell(100), sell(100)
    later = sell(100)
    sell(100, stores=[])
    ProductFactory(stores=[store])
    set_status(products=[draft], status="draft")
    ended.publications.update(ends_at=timezone.now())
    later.publications.update(starts_at=timezone.now() + timedelta(days=1))
    rebuild(product_ids=[draft.pk, ended.pk, later.pk])
    assert [item["id"] for item in google()] == ["SHOWN"]
    assert [row["item_group_id"] for row in meta()] == [str(shown.public_id)]


def test_stores_and_currencies_do_not_mix(api, sell, store):
    main = store
    main.currencies = ["USD"]
    main.save()
    second = StoreFactory(code="second", domain="two.example.com", currencies=["USD"])
    third = StoreFactory(code="third", default_currency="JPY", currencies=["EUR"])
    stores = {"main": [main], "two": [second], "three": [third], "all": [main, second, third]}
    for number, (sku, sold_in) in enumerate(stores.items(), 1):
        product = sell(100 * number, stores=sold_in, variants__sku=sku)
        variant = product.variants.get()
        set_price(variant=variant, currency="USD", amount=200 * number)
        set_price(variant=variant, currency="JPY", amount=300 * number)
        rebuild(product_ids=[product.pk])

    def told(host="testserver", **query):
        feed = _items(_body(api.get("/feeds/google.xml", query, HTTP_HOST=host)))
        rows = csv.DictReader(StringIO(_body(api.get("/feeds/meta.csv", query, HTTP_HOST=host))))
        prices = {item["id"]: item["price"] for item in feed}
        assert {row["id"]: row["price"] for row in rows} == prices
        return prices

    assert told() == {"main": "1.00 EUR", "all": "4.00 EUR"}
    assert told(currency="USD") == {"main": "2.00 USD", "all": "8.00 USD"}
    assert told("two.example.com") == {"two": "2.00 EUR", "all": "4.00 EUR"}
    assert told(store="second", currency="USD") == {"two": "4.00 USD", "all": "8.00 USD"}
    assert told(store="third") == {"three": "900 JPY", "all": "1200 JPY"}
    assert told("two.example.com", store="third", currency="EUR") == {
        "three": "3.00 EUR",
        "all": "4.00 EUR",
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/feeds/google.xml?store=nowhere", 404),
        ("/feeds/google.xml?currency=USD", 400),
        ("/feeds/meta.csv?limit=5", 400),
        ("/feeds/other.xml", 404),
    ],
)
def test_wrong_question_is_refused(api, store, path, status):
    assert api.get(path).status_code == status


def _many(store, number):
    made = [ProductFactory(stores=[store], variants=2) for _ in range(number)]
    for product in made:
        for variant in product.variants.all():
            set_price(variant=variant, currency="EUR", amount=100)
    rebuild(product_ids=[product.pk for product in made])


@pytest.mark.parametrize(("number", "batches"), [(5, 2), (49, 2), (50, 2), (101, 4)])
def test_a_batch_takes_one_statement(api, store, number, batches, django_assert_num_queries):
    _many(store, number)
    # The store, the next change, the categories, and the batches with the empty one that ends them.
    with django_assert_num_queries(3 + batches):
        assert len(_items(_body(api.get("/feeds/google.xml")))) == 2 * number


def test_no_cache_keeps_a_price_that_ends(api, sell, time_machine):
    product, now = sell(1000), timezone.now()
    ends = now + timedelta(hours=1)
    set_price(variant=product.variants.get(), currency="EUR", amount=700, valid=(now, ends))
    rebuild(product_ids=[product.pk])
    kept = []
    for left in (400, 20, 0):
        time_machine.move_to(ends - timedelta(seconds=left), tick=False)
        kept.append(api.get("/feeds/meta.csv")["Cache-Control"])
    assert kept == ["public, max-age=300", "public, max-age=20", "public, max-age=0"]


def test_price_that_ended_is_not_told(google, sell, time_machine):
    product, now = sell(1000), timezone.now()
    ends = now + timedelta(hours=1)
    variant = product.variants.get()
    set_price(variant=variant, currency="EUR", amount=700, valid=(now, ends))
    rebuild(product_ids=[product.pk])
    assert google()[0]["price"] == "7.00 EUR"
    time_machine.move_to(ends)
    assert google()[0]["price"] == "10.00 EUR"
    assert Listing.objects.get().price == 1000


@pytest.mark.parametrize(("feed", "path"), [("google", "google.xml"), ("meta", "meta.csv")])
def test_command_writes_the_same_file_and_shows_how_far_it_is(
    api, sell, store, tmp_path, feed, path
):
    sell(100)
    sell(200)
    file, stdout, stderr = tmp_path / "feed", StringIO(), StringIO()
    call_command("export_feed", feed, str(file), "--store", "main", stdout=stdout, stderr=stderr)
    assert file.read_bytes().decode() == _body(api.get(f"/feeds/{path}"))
    assert stdout.getvalue() == f"{file}\n"
    assert "2/2" in stderr.getvalue()
    assert [each.name for each in tmp_path.iterdir()] == ["feed"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--store", "nowhere"], "There is no such store."),
        (["--currency", "USD"], "This store doesn't sell in that currency."),
    ],
)
def test_command_refuses_what_there_is_not(store, tmp_path, options, message):
    with pytest.raises(CommandError, match=message):
        call_command("export_feed", "google", str(tmp_path / "feed"), *options)
    assert list(tmp_path.iterdir()) == []
