"""What is exported is imported as what it was."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from apps.core.html import sanitize
from apps.customers.models import CustomerGroup
from apps.integrations.services import ImportOptions, create_job, export_products, run_job
from apps.inventory.models import Location, StockLevel, StockMovement
from apps.inventory.services import apply_snapshot, set_backorder
from apps.pricing.models import Price, PriceList
from apps.pricing.services import PriceData, set_prices
from apps.products.models import (
    Attribute,
    Brand,
    Category,
    Product,
    ProductImage,
    ProductType,
    Tag,
    Variant,
)
from apps.products.services.product_data import Contents, Quantities
from apps.products.services.relations import set_related
from apps.products.services.upsert import (
    ImageData,
    ProductData,
    StoreWindow,
    VariantData,
    upsert_product,
)
from apps.stores.models import Store
from tests.factories.stores import StoreFactory
from tests.integrations.conftest import SHARED, counts, needs_shared, refused

NASTY = [
    *("=1+1", "'=1+1", "''-2", "+x", "-x", "@x", "\t=x", "a,b", 'a"b', "a\nb", "a\r\nb", ";=1"),
    *(
        "Ünïcödé",
        "短袖 衬衫",
        "😀",
        "<b>&amp;",
        "'quoted'",
        "\\,>",
        "1.000,50",
        "true",
        "null",
        "{}",
    ),
]


def fill(store) -> None:
    """A shop with everything that a file has room for."""
    other = StoreFactory(code="uk", default_currency="GBP")
    second = Location.objects.create(code="second", name="Second")
    group = CustomerGroup.objects.create(code="vip", name="VIP")
    vips = PriceList.objects.create(code="vip", name="VIP", group=group)
    for number, text in enumerate(NASTY):
        label = text.strip()
        data = ProductData(
            slug=f"p-{number}",
            name=text,
            description=f"<p>{text}</p>",
            status=["active", "draft", "archived"][number % 3],
            brand=f"Brand {label}",
            product_type=f"Type {label}",
            tags=[f"tag {label}", "common"],
            categories=[("Root", f"Node {label}"), (f"Top {label}",)],
            seo_title=text,
            seo_description=text,
            tax_class="reduced",
            is_gift_card=number == 0,
            attributes={"note": label, "number": number, "yes": True, "many": [label, "b"]},
            metadata={"text": text, "deep": {"list": [1, 2.5, None, text]}},
            external_ids={"erp": f"id {text}"},
            publications=[
                StoreWindow("main", datetime(2026, 1, 1, tzinfo=UTC)),
                StoreWindow(
                    "uk", None, datetime(2027, 1, 1, 12, 30, tzinfo=UTC), [vips.group.code]
                ),
            ],
            images=[ImageData(f"https://e.com/{number}-{n}.png", text) for n in range(3)],
            variants=[
                VariantData(
                    sku=f"{label}-{number}-{size}",
                    options={f"Size {text}": size, "Colour": text},
                    name=text,
                    gtin="0123",
                    weight=5,
                    length=1,
                    width=2,
                    height=3,
                    requires_shipping=size == "S",
                    track_inventory=size == "M",
                    hs_code="6109.10",
                    origin_country="PT",
                    is_active=size == "S",
                    contents=Contents(30, "ml", "100ml") if size == "S" else Contents(5, "g"),
                    quantities=Quantities(6, 60, 6) if size == "S" else Quantities(2),
                    image=f"https://e.com/{number}-1.png",
                    metadata={"k": text},
                    external_ids={"erp": f"v {size} {text}"},
                )
                for size in ("S", "M")
            ],
        )
        result = upsert_product(data=data, store=store)
        for variant in result.variants:
            set_prices(
                [
                    PriceData(variant.pk, "EUR", 1000 + number, 1200 + number),
                    PriceData(variant.pk, "EUR", 900, min_quantity=10),
                    PriceData(variant.pk, "EUR", 950, store_id=store.pk),
                    PriceData(variant.pk, "GBP", 800, store_id=other.pk),
                    PriceData(variant.pk, "JPY", 1500),
                    PriceData(variant.pk, "EUR", 700, price_list_id=vips.pk),
                    PriceData(
                        variant.pk,
                        "EUR",
                        500,
                        1000,
                        valid_from=datetime(2026, 7, 1, 0, 30, tzinfo=UTC),
                        valid_to=datetime(2026, 8, 1, tzinfo=UTC),
                    ),
                ]
            )
            apply_snapshot(variant=variant, location=second, quantity=number)
            set_backorder(variant=variant, location=second, limit=5)
    products = list(Product.objects.order_by("pk"))
    # Each to the one before it and to the next, which comes later in the file.
    for before, product, after in zip(products, products[1:], products[2:], strict=False):
        set_related(product=product, related=[after, before])


def empty_shop() -> None:
    """As if nothing had ever been sold or stocked."""
    StockMovement.objects.all()._raw_delete("default")
    StockLevel.objects.all().delete()
    for model in (Product, Brand, Tag, ProductType, Attribute):
        model.objects.all().delete()
    Category.objects.all().delete()


def test_shop_that_was_exported_and_imported_exports_the_same_bytes(store, location, run, exported):
    fill(store)
    first = exported()
    before = Product.objects.count(), Variant.objects.count(), Price.objects.count()
    empty_shop()
    job = run(first, "commerce")
    assert counts(job).startswith(f"rows {len(NASTY) * 3}, products {len(NASTY)}")
    assert job.counts["refused"] == 0
    assert (Product.objects.count(), Variant.objects.count(), Price.objects.count()) == before
    assert exported() == first


def test_export_imported_into_its_own_shop_changes_nothing(store, location, run, exported):
    fill(store)
    first = exported()
    job = run(first, "commerce", update=True)
    assert job.counts["unchanged"] == len(NASTY)
    assert (job.counts["updated"], job.counts["refused"]) == (0, 0)
    assert exported() == first


def test_gift_card_of_the_file_is_neither_shipped_nor_taxed(store, run):
    text = "slug,name,sku,requires_shipping,tax_class,is_gift_card\n"
    run(text + "card,Card,C-1,true,reduced,\n,,C-2,true,,\n", "commerce")
    # The file names only one of the variants.
    text += "card,Card,C-1,true,reduced,true\n"
    assert run(text, "commerce", update=True).counts["updated"] == 1
    product = Product.objects.get()
    assert (product.is_gift_card, product.tax_class) == (True, "voucher")
    assert set(product.variants.values_list("sku", "requires_shipping")) == {
        ("C-1", False),
        ("C-2", False),
    }
    assert run(text, "commerce", update=True).counts["unchanged"] == 1
    without = text.replace(",is_gift_card", "").replace(",true\n", "\n")
    assert run(without, "commerce", update=True).counts["unchanged"] == 1


def test_export_for_another_store_comes_back_to_it(store, location, run, exported):
    fill(store)
    other = Store.objects.get(code="uk")
    first = exported(of=other)
    empty_shop()
    run(first, "commerce", store=other)
    assert exported(of=other) == first


def test_no_cell_of_an_export_is_a_formula(store, location, exported):
    fill(store)
    for kind in ("commerce", "shopify"):
        for row in csv.reader(io.StringIO(exported(kind))):
            for cell in row:
                assert not cell.startswith(("=", "+", "@", "\t", "\r"))
                assert not cell.startswith("-") or cell.lstrip("-").isdigit()


def test_shopify_export_comes_back_with_what_its_format_holds(store, location, run, exported):
    text = (
        "Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,"
        "Option1 Value,Variant SKU,Variant Grams,Variant Inventory Tracker,Variant Inventory Qty,"
        "Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Requires Shipping,"
        "Variant Barcode,Image Src,Image Position,Image Alt Text,SEO Title,Status\n"
        'a,A,<p>x</p>,Acme,Food > Cake,Cakes,"x, y",true,Size,S,A-S,100,shopify,5,deny,9.90,12.00,'
        "true,0123,https://e.com/1.png,1,one,Title,active\n"
        "a,,,,,,,,,M,A-M,200,,0,continue,19.90,,false,,https://e.com/2.png,2,,,\n"
        "b,B,,,,,,false,Title,Default Title,B-1,0,shopify,1,deny,5.00,,true,,,,,,draft\n"
    )
    run(text)
    first, whole = exported("shopify"), exported()
    empty_shop()
    assert counts(run(first)) == "rows 3, products 2, variants 3, images 2, created 2"
    assert (exported("shopify"), exported()) == (first, whole)


def test_picture_of_our_own_is_exported_by_its_address_and_known_by_it(
    store, location, run, exported, settings
):
    settings.SITE_URL = "https://shop.example.com"
    run("slug,name,sku,price\na,A,A-1,1\n", "commerce")
    ProductImage.objects.create(
        product=Product.objects.get(), file="products/1.webp", status="ready", alt="x"
    )
    first = exported()
    assert "https://shop.example.com/media/products/1.webp" in first
    assert counts(run(first, "commerce", update=True)).endswith("unchanged 1")


@needs_shared
def test_real_files_survive_the_round_trip(store, location, run, exported):
    for path in sorted((SHARED / "catalogue" / "shopify").glob("*.csv")):
        run(path.read_bytes())
    run((SHARED / "catalogue/woocommerce/sample_products.csv").read_bytes(), "woocommerce")
    first = exported()
    empty_shop()
    assert run(first, "commerce").counts["refused"] == 0
    assert exported() == first


text = st.text(
    st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), min_size=1, max_size=20
)
label = text.map(str.strip).filter(bool)
labels = st.lists(label, max_size=3, unique=True)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | text,
    lambda x: st.lists(x, max_size=2),
)
variant = st.builds(
    VariantData,
    options=st.dictionaries(label, label, min_size=1, max_size=2),
    name=text,
    weight=st.integers(0, 10**6),
    is_active=st.booleans(),
    metadata=st.dictionaries(text, json_values, max_size=2),
)
product = st.builds(
    ProductData,
    slug=st.just(""),
    name=text,
    description=text,
    brand=label,
    tags=labels,
    categories=st.lists(
        st.lists(label, min_size=1, max_size=3).map(tuple), max_size=2, unique=True
    ),
    seo_title=text,
    metadata=st.dictionaries(text, json_values, max_size=2),
    variants=st.lists(variant, min_size=1, max_size=3, unique_by=lambda v: str(v.options)),
)


@settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(products=st.lists(product, min_size=1, max_size=3), prices=st.lists(st.integers(0, 10**9)))
def test_any_catalogue_survives_the_round_trip(products, prices, store, location):
    with transaction.atomic():
        for number, data in enumerate(products):
            data.slug = f"p{number}"
            for position, item in enumerate(data.variants):
                item.sku = f"sku {number} {position}"
            result = upsert_product(data=data, store=store)
            for made, amount in zip(filter(None, result.variants), prices, strict=False):
                set_prices([PriceData(made.pk, "EUR", amount)])
        first = "".join(export_products(format="commerce", store=store))
        empty_shop()
        options = ImportOptions(format="commerce", store=store)
        upload = io.BytesIO(first.encode())
        job = run_job(job=create_job(upload=upload, name="x.csv", options=options))
        assert (job.error, job.counts["refused"]) == ("", 0)
        assert "".join(export_products(format="commerce", store=store)) == first
        transaction.set_rollback(True)


@given(st.text(max_size=200))
def test_html_that_was_made_safe_stays_as_it_is(html):
    once = sanitize(html)
    assert sanitize(once) == once


@pytest.mark.parametrize(
    ("cells", "column"),
    [
        ("a,A,[],", "options"),
        ('a,A,"{""Size"": ""S""}",', "options"),
        ("a,A,{,", "options"),
    ],
)
def test_bad_json_refuses_the_product(cells, column, run):
    job = run(f"slug,name,options,sku\n{cells}A-1\n", "commerce")
    assert refused(job)[0][1] == column


@pytest.mark.parametrize(
    ("column", "cell"),
    [
        ("more_prices", '[{"store": "nowhere", "amount": "1", "currency": "EUR"}]'),
        ("more_prices", '[{"price": "1"}]'),
        ("more_prices", '[{"amount": 1}]'),
        ("more_prices", '[{"amount": "1", "currency": "XXX"}]'),
        ("more_prices", '[{"amount": "1", "min_quantity": 0}]'),
        ("more_prices", '{"amount": "1"}'),
        ("stock", "nowhere=5"),
        ("stock", "second=-5"),
        ("stock", "second=99999999999"),
        ("variant_options", '{"Size": 1}'),
        ("variant_external_ids", '{"erp": 1}'),
        ("price", "99999999999999999"),
        ("weight_grams", "1.5"),
    ],
)
def test_bad_cell_of_a_variant_is_told(column, cell, run):
    Location.objects.create(code="second", name="Second")
    quoted = cell.replace('"', '""')
    job = run(f'slug,name,sku,{column}\na,A,A-1,"{quoted}"\n', "commerce")
    assert [entry[0] for entry in refused(job)] == ["2"]
    assert column in refused(job)[0][1] or (column, refused(job)[0][1]) == ("more_prices", "price")


def test_contents_and_quantities_are_cells(run):
    rows = (
        "slug,name,sku,contents,quantities",
        "oil,Oil,OIL,750 ml per l,6 to 60 by 6",
        "salt,Salt,SALT,500 g,2",
        "egg,Egg,EGG,,",
        "bad,Bad,BAD-1,a lot,",
        "bad,,BAD-2,,many",
        "bad,,BAD-3,5 oz,",
        "bad,,BAD-4,5 g,9 to 3",
        "bad,,GOOD,,",
    )
    job = run("\n".join(rows), "commerce")
    made = Variant.objects.order_by("sku").values_list(
        *("sku", "unit_quantity", "unit", "unit_reference"),
        *("min_quantity", "max_quantity", "quantity_step"),
    )
    assert list(made) == [
        ("EGG", None, "", "", 1, None, 1),
        ("GOOD", None, "", "", 1, None, 1),
        ("OIL", 750, "ml", "l", 6, 60, 6),
        ("SALT", 500, "g", "", 2, None, 1),
    ]
    assert [(line, column) for line, column, _reason in refused(job)] == [
        ("5", "contents"),
        ("6", "quantities"),
        ("7", "contents"),
        ("8", "quantities"),
    ]
