"""Exports that real shops made, counted."""

from __future__ import annotations

import pytest

from apps.integrations.models import ImportJob
from apps.inventory.models import StockLevel
from apps.pricing.models import Price
from apps.products.models import Category, Product, ProductImage, Variant
from tests.integrations.conftest import SHARED, dump, needs_shared, refused

pytestmark = [needs_shared, pytest.mark.usefixtures("invariants")]

# rows, products, variants, images, refused
FILES = {
    "shopify/learnshopdev_products_export_1.csv": (24, 24, 24, 24, 0),
    "shopify/packt_Product-data.csv": (21, 20, 21, 21, 0),
    "shopify/shopify_sample_product_template.csv": (17, 3, 16, 11, 0),
    "shopify/shopifypartners_apparel.csv": (22, 20, 22, 20, 0),
    "shopify/shopifypartners_jewelery.csv": (41, 20, 23, 41, 0),
    "woocommerce/sample_products.csv": (24, 13, 20, 21, 2),
}
# The job, its log line and its queue are written by a dry run, too.
JOBS = ("integrations", "core")


def content(name: str) -> bytes:
    return (SHARED / "catalogue" / name).read_bytes()


def told(job: ImportJob) -> tuple[int, ...]:
    names = ("rows", "products", "variants", "images", "refused")
    return tuple(job.counts[name] for name in names)


@pytest.mark.parametrize("name", FILES)
def test_real_file_is_imported_whole(name, run):
    job = run(content(name), name.partition("/")[0])
    assert (job.status, told(job)) == ("done", FILES[name])
    _rows, products, variants, images, _refused = FILES[name]
    assert job.counts["created"] == products
    assert Product.objects.count() == products
    assert Variant.objects.count() == variants
    assert ProductImage.objects.filter(status="pending").count() == images


@pytest.mark.parametrize("update", [False, True])
@pytest.mark.parametrize("name", FILES)
def test_second_run_of_a_real_file_changes_nothing(name, update, run):
    kind = name.partition("/")[0]
    run(content(name), kind)
    before = dump(leave_out=JOBS)
    job = run(content(name), kind, update=update)
    assert told(job) == FILES[name]
    assert (job.counts["unchanged"], job.counts["created"]) == (FILES[name][1], 0)
    assert dump(leave_out=JOBS) == before


@pytest.mark.parametrize("name", FILES)
def test_dry_run_of_a_real_file_writes_nothing_and_tells_the_same(name, run):
    kind = name.partition("/")[0]
    before = dump(leave_out=JOBS)
    dry = run(content(name), kind, dry_run=True)
    assert dump(leave_out=JOBS) == before
    assert dry.counts == run(content(name), kind).counts
    assert len(dry.preview) == FILES[name][1]


@pytest.mark.parametrize("name", FILES)
def test_dry_run_of_an_update_tells_what_the_update_does(name, run):
    kind = name.partition("/")[0]
    run(content(name), kind)
    Product.objects.update(name="Another name")
    Price.objects.update(amount=1)
    before = dump(leave_out=JOBS)
    dry = run(content(name), kind, update=True, dry_run=True)
    assert dump(leave_out=JOBS) == before
    real = run(content(name), kind, update=True)
    assert (dry.counts, dry.preview) == (real.counts, real.preview)
    assert real.counts["updated"] == FILES[name][1]


def test_all_real_files_live_in_one_shop(run, exported):
    for name in FILES:
        run(content(name), name.partition("/")[0])
    assert Product.objects.count() == sum(entry[1] for entry in FILES.values())
    assert Variant.objects.count() == sum(entry[2] for entry in FILES.values())


def test_padded_cells_of_an_export_are_trimmed(run):
    run(content("shopify/learnshopdev_products_export_1.csv"))
    product = Product.objects.get(slug="chocolate-banana-split")
    assert product.name == "Chocolate Banana Split"
    assert [tag.name for tag in product.tags.all()] == ["kid-favorite"]
    assert [str(node) for node in Category.objects.get_ancestors(product.categories.get())] == [
        *("Food, Beverages & Tobacco", "Food Items", "Bakery")
    ]
    assert "<meta" not in product.description
    assert "<span>Chocolate-banana cake" in product.description
    variant = product.variants.get()
    assert (variant.sku, variant.requires_shipping) == ("chocolate-banana-split", False)
    assert variant.prices.get().amount == 400


def test_options_skus_barcodes_and_pictures_of_the_template(run):
    run(content("shopify/shopify_sample_product_template.csv"))
    shirt = Product.objects.get(slug="example-shirt")
    assert [option.name for option in shirt.options.all()] == ["Color", "Size"]
    assert [value.value for value in shirt.options.first().values.all()] == [
        *("Green", "Blue", "Gray", "Purple")
    ]
    variant = shirt.variants.get(sku="SRT_COT_222")
    assert {v.option.name: v.value for v in variant.option_values.all()} == {
        "Color": "Blue",
        "Size": "M",
    }
    assert (variant.gtin, variant.weight) == ("243307265092", 145)
    assert variant.image.source_url.endswith("cobalt-blue-t-shirt.jpg?width=1500")
    assert shirt.seo_title == "Example T-Shirt | Test Store"
    assert shirt.metadata["google_shopping"]["Gender"] == "male"
    assert {p.slug: p.status for p in Product.objects.all()} == {
        "example-shirt": "active",
        "example-pants": "draft",
        "example-hat": "archived",
    }
    hat = Variant.objects.get(product__slug="example-hat")
    price = hat.prices.get()
    assert (price.amount, price.compare_at, price.store) == (1799, 2299, None)
    assert hat.metadata["cost"] == "8.5"
    assert StockLevel.objects.get(variant=hat).on_hand == 50
    job = ImportJob.objects.get()
    assert "Price / International" in job.notes[0]


def test_variations_files_and_sales_of_woocommerce(run):
    job = run(content("woocommerce/sample_products.csv"), "woocommerce")
    assert refused(job) == [
        ("17", "Type", "Products of this type aren't imported: grouped"),
        ("18", "Type", "Products of this type aren't imported: external"),
    ]
    hoodie = Product.objects.get(slug="hoodie")
    assert hoodie.variants.count() == 6
    assert [option.name for option in hoodie.options.all()] == ["Color", "Logo"]
    assert hoodie.external_ids.get().external_id == "742"
    prices = {
        tuple(row.value for row in price.variant.option_values.order_by("option__position")): (
            price.amount,
            price.compare_at,
        )
        for price in Price.objects.filter(variant__product=hoodie)
    }
    assert prices == {
        ("Red", "No"): (4200, 4500),
        ("Green", "No"): (4500, None),
        ("Blue", "No"): (4500, None),
        ("Red", "Yes"): (4500, None),
        ("Blue", "Yes"): (4500, None),
        ("Green", "Yes"): (4500, None),
    }
    beanie = Variant.objects.get(sku="cc-beanie").prices.get()
    assert (beanie.amount, beanie.compare_at) == (1800, 2000)
    album = Variant.objects.get(product__name="Album")
    assert album.requires_shipping is False
    assert [c.name for c in album.product.categories.all()] == ["Music"]
