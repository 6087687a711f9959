"""What WooCommerce's files may hold, and what becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from apps.inventory.models import StockLevel
from apps.pricing.models import Price
from apps.products.models import Product, Variant
from tests.integrations.conftest import counts, refused

pytestmark = pytest.mark.usefixtures("invariants")

HEADER = (
    "ID,Type,SKU,Name,Published,Parent,Regular price,Sale price,Attribute 1 name,"
    "Attribute 1 value(s),Stock,Categories\n"
)


def test_variations_may_stand_before_their_parent_and_name_it_both_ways(run):
    job = run(
        HEADER
        + "2,variation,T-S,Tee - S,1,id:1,10,,Size,S,3,\n"
        + "3,variation,T-M,Tee - M,1,TEE,10,,Size,M,4,\n"
        + '1,variable,TEE,Tee,1,,,,Size,"S, M",,\n',
        "woocommerce",
    )
    assert counts(job) == "rows 3, products 1, variants 2, created 1"
    assert [v.sku for v in Product.objects.get().variants.all()] == ["T-S", "T-M"]


def test_variation_without_its_parent_is_refused(run):
    job = run(HEADER + "2,variation,T-S,Tee,1,id:9,10,,Size,S,,\n", "woocommerce")
    assert refused(job) == [("2", "Parent", "Its parent isn't in the file: id:9")]


def test_product_that_was_renamed_is_found_by_its_id(run):
    run(HEADER + "7,simple,X,Old name,1,,10,,,,,\n", "woocommerce")
    job = run(HEADER + "7,simple,X2,New name,1,,10,,,,,\n", "woocommerce", update=True)
    assert counts(job) == "rows 1, products 1, variants 1, updated 1"
    product = Product.objects.get()
    assert (product.slug, product.name) == ("old-name", "New name")
    assert Variant.objects.get().sku == "X2"


def test_products_of_one_name_get_slugs_of_their_own(run):
    text = HEADER + "7,simple,X,Mug,1,,10,,,,,\n8,simple,Y,Mug,1,,12,,,,,\n"
    run(text, "woocommerce")
    assert sorted(Product.objects.values_list("slug", flat=True)) == ["mug", "mug-8"]
    assert counts(run(text, "woocommerce", update=True)) == (
        "rows 2, products 2, variants 2, unchanged 2"
    )


def test_sale_with_dates_is_a_price_in_a_window(run):
    run(
        "ID,Type,SKU,Name,Regular price,Sale price,Date sale price starts,Date sale price ends\n"
        "1,simple,A,A,20,15,2026-07-01,2026-07-31\n2,simple,B,B,20,15,,\n"
        "3,simple,C,C,20,15,,2026-07-31\n",
        "woocommerce",
    )
    rows = Price.objects.order_by("variant__sku", "amount")
    end = datetime(2026, 7, 31, 23, 59, 59, tzinfo=UTC)
    assert [(p.variant.sku, p.amount, p.compare_at, p.valid_from, p.valid_to) for p in rows] == [
        ("A", 1500, 2000, datetime(2026, 7, 1, tzinfo=UTC), end),
        ("A", 2000, None, None, None),
        ("B", 1500, 2000, None, None),
        ("C", 1500, 2000, datetime(2000, 1, 1, tzinfo=UTC), end),
        ("C", 2000, None, None, None),
    ]


def test_units_stand_in_the_header(run):
    run(
        "ID,Type,SKU,Name,Weight (lbs),Length (in),Width (cm),Height (mm)\n"
        "1,simple,A,A,2,10,2.5,7\n",
        "woocommerce",
    )
    variant = Variant.objects.get()
    assert (variant.weight, variant.length, variant.width, variant.height) == (907, 254, 25, 7)


def test_stock_is_counted_where_the_file_counts_it(run):
    run(
        "ID,Type,SKU,Name,Stock,In stock?,Backorders allowed?\n"
        "1,simple,A,A,5,1,0\n2,simple,B,B,,1,0\n3,simple,C,C,,0,notify\n4,simple,D,D,-2,0,1\n",
        "woocommerce",
    )
    assert {v.sku: v.track_inventory for v in Variant.objects.all()} == {
        "A": True,
        "B": False,
        "C": True,
        "D": True,
    }
    assert {
        level.variant.sku: (level.on_hand, level.backorder_limit)
        for level in StockLevel.objects.all()
    } == {"A": (5, 0), "C": (0, 1_000_000), "D": (0, 1_000_000)}


def test_taxes_kinds_and_attributes(run):
    run(
        "ID,Type,SKU,Name,Tax status,Tax class,Categories,Tags,Attribute 1 name,"
        "Attribute 1 value(s),Meta: _note,Visibility in catalog\n"
        '1,"simple, virtual",A,A,taxable,Reduced rate,"Music > Rock, Gifts","new, loud",Genre,'
        '"Rock, Metal",hello,hidden\n'
        "2,simple,B,B,none,,,,,,,visible\n",
        "woocommerce",
    )
    product = Product.objects.get(name="A")
    assert product.tax_class == "reduced-rate"
    assert product.metadata == {
        "attributes": {"Genre": ["Rock", "Metal"]},
        "meta": {"_note": "hello"},
        "visibility": "hidden",
    }
    assert sorted(c.name for c in product.categories.all()) == ["Gifts", "Rock"]
    assert sorted(t.name for t in product.tags.all()) == ["loud", "new"]
    assert product.variants.get().requires_shipping is False
    assert Product.objects.get(name="B").tax_class == "exempt"


def test_rows_that_cannot_be_sold_here_are_told(run):
    job = run(
        HEADER
        + "1,grouped,A,A,1,,,,,,,\n2,external,B,B,1,,5,,,,,\n3,variable,C,C,1,,,,,,,\n"
        + "4,subscription,D,D,1,,5,,,,,\n5,simple,E,E,1,,5,,,,parent,\n5,simple,F,F,1,,5,,,,,\n"
        + "6,simple,G,G,2,,5,,,,,\n7,simple,H,,1,,5,,,,,\n",
        "woocommerce",
    )
    assert counts(job) == "rows 8, refused 8"
    assert [entry[1:] for entry in refused(job)] == [
        ("Type", "Products of this type aren't imported: grouped"),
        ("Type", "Products of this type aren't imported: external"),
        ("Type", "A variable product without variations can't be sold."),
        ("Type", "Unknown type: subscription"),
        ("Stock", "Stock that is kept at the parent isn't imported."),
        ("ID", "The ID or SKU stands on line 6 already."),
        ("Published", "1, 0 or -1 is expected."),
        ("Name", "A new product needs a name."),
    ]
