"""What Shopify's files may hold, and what becomes of it."""

from __future__ import annotations

import pytest

from apps.inventory.models import StockLevel
from apps.pricing.models import Price
from apps.products.models import Product, ProductImage, Variant
from tests.integrations.conftest import counts, refused

pytestmark = pytest.mark.usefixtures("invariants")

HEADER = (
    "Handle,Title,Body (HTML),Option1 Name,Option1 Value,Variant SKU,Variant Inventory Tracker,"
    "Variant Inventory Qty,Variant Inventory Policy,Variant Price,Image Src\n"
)


def test_rows_of_a_product_may_stand_apart(run):
    job = run(
        HEADER
        + "a,A,,Size,S,A-S,,,,1,\n"
        + "b,B,,,,B-1,,,,2,\n"
        + "a,,,,M,A-M,,,,1,\n"
        + "c,C,,,,C-1,,,,2,\n"
    )
    assert counts(job) == "rows 4, products 3, variants 4, created 3"
    assert [v.sku for v in Product.objects.get(slug="a").variants.all()] == ["A-S", "A-M"]


def test_empty_handle_continues_the_row_above(run):
    job = run(HEADER + "a,A,,Size,S,A-S,,,,1,\n,,,,M,A-M,,,,1,\n")
    assert counts(job) == "rows 2, products 1, variants 2, created 1"


def test_empty_handle_of_a_new_product_is_refused_with_its_rows(run):
    job = run(HEADER + "a,A,,,,A-1,,,,1,\n,B,,Size,S,B-S,,,,1,\n,,,,M,B-M,,,,1,\n")
    assert counts(job) == "rows 3, products 1, variants 1, created 1, refused 2"
    assert refused(job) == [
        ("3", "Handle", "The first row of a product needs a handle."),
        ("4", "", "Its product (line 3) was refused."),
    ]


def test_repeated_row_is_refused(run):
    job = run(HEADER + "a,A,,Size,S,A-S,,,,1,\n" + "a,A,,,S,A-S,,,,1,\n")
    assert counts(job) == "rows 2, products 1, variants 1, created 1, refused 1"
    assert refused(job) == [("3", "Variant SKU", "The same variant stands twice in the file.")]


def test_repeated_options_without_sku_are_refused(run):
    job = run(HEADER + "a,A,,Size,S,,,,,1,\n" + "a,A,,,S,,,,,1,\n")
    assert refused(job) == [("3", "Variant SKU", "The same variant stands twice in the file.")]


def test_sku_of_another_product_costs_its_row_only(run):
    job = run(HEADER + "a,A,,,,SAME,,,,1,\nb,B,,Size,S,SAME,,,,1,\nb,,,,M,B-M,,,,1,\n")
    assert counts(job) == "rows 3, products 2, variants 2, created 2, refused 1"
    assert refused(job) == [("3", "Variant SKU", "This SKU belongs to another product.")]


def test_product_whose_every_variant_is_refused_is_refused(run):
    job = run(HEADER + "a,A,,,,SAME,,,,1,\nb,B,,,,SAME,,,,1,\n")
    assert counts(job) == "rows 2, products 1, variants 1, created 1, refused 1"
    assert not Product.objects.filter(slug="b").exists()


def test_missing_skus_are_the_same_in_every_run(run):
    text = HEADER + "a,A,,Size,S / M,,,,,1,\na,,,,短,,,,,1,\nb,B,,Title,Default Title,,,,,1,\n"
    run(text)
    skus = list(Variant.objects.order_by("pk").values_list("sku", flat=True))
    assert skus[0] == "a.s-m"
    assert skus[2] == "b"
    Product.objects.all().delete()
    run(text)
    assert list(Variant.objects.order_by("pk").values_list("sku", flat=True)) == skus


def test_variant_whose_sku_the_merchant_changed_is_found_by_its_options(run):
    text = HEADER + "a,A,,Size,S,,,,,1,\na,,,,M,,,,,1,\n"
    run(text)
    Variant.objects.filter(sku="a.s").update(sku="NEW")
    assert counts(run(text, update=True)) == "rows 2, products 1, variants 2, unchanged 1"


def test_sku_changed_in_the_file_is_changed_in_the_shop(run):
    run(HEADER + "a,A,,Size,S,OLD,,,,1,\na,,,,M,A-M,,,,1,\n")
    variant = Variant.objects.get(sku="OLD")
    run(HEADER + "a,A,,Size,S,NEW,,,,1,\na,,,,M,A-M,,,,1,\n", update=True)
    variant.refresh_from_db()
    assert variant.sku == "NEW"
    assert Variant.objects.count() == 2


def test_existing_product_is_left_alone_without_update(run):
    run(HEADER + "a,A,,,,A-1,,,,1,\n")
    job = run(HEADER + "a,Another,,,,A-1,,,,2,\n")
    assert counts(job) == "rows 1, products 1, variants 1, unchanged 1"
    assert Product.objects.get().name == "A"
    assert Price.objects.get().amount == 100


def test_update_changes_what_differs_and_tells_it(run):
    run(HEADER + "a,A,,Size,S,A-S,shopify,5,deny,1,\na,,,,M,A-M,shopify,5,deny,1,\n")
    job = run(
        HEADER
        + "a,Another,<b>x</b>,Size,S,A-S,shopify,7,continue,1,https://e.com/1.png\n"
        + "a,,,,L,A-L,shopify,1,deny,3,\n",
        update=True,
    )
    assert counts(job) == "rows 2, products 1, variants 2, images 1, updated 1"
    assert job.preview == [
        {
            "line": 2,
            "action": "update",
            "slug": "a",
            "name": "Another",
            "variants": 2,
            "changes": [
                *("name", "description", "images", "variants", "price", "stock", "backorders")
            ],
        }
    ]
    product = Product.objects.get()
    assert [v.sku for v in product.variants.all()] == ["A-S", "A-M", "A-L"]
    assert [v.value for v in product.options.get().values.all()] == ["S", "M", "L"]
    level = StockLevel.objects.get(variant__sku="A-S")
    assert (level.on_hand, level.backorder_limit) == (7, 1_000_000)


def test_file_without_a_column_changes_nothing_there(run):
    run('Handle,Title,Vendor,Tags,Variant SKU,Variant Price\na,A,Acme,"x, y",A-1,1\n')
    job = run("Handle,Variant SKU,Variant Price\na,A-1,2\n", update=True)
    assert counts(job) == "rows 1, products 1, variants 1, updated 1"
    product = Product.objects.get()
    assert (product.name, product.brand.name, product.tags.count()) == ("A", "Acme", 2)
    assert Price.objects.get().amount == 200


def test_snapshot_does_not_give_back_what_was_sold_since(run):
    text = HEADER + "a,A,,,,A-1,shopify,10,deny,1,\n"
    run(text)
    StockLevel.objects.update(on_hand=7)
    StockLevel.objects.get().movements.create(delta=-3, on_hand_after=7, reason="ship", key="k")
    run(text, update=True)
    assert StockLevel.objects.get().on_hand == 7
    run(text.replace(",10,", ",12,"), update=True)
    assert StockLevel.objects.get().on_hand == 9


def test_image_rows_are_no_variants_and_stand_in_their_order(run):
    job = run(
        "Handle,Title,Variant Price,Image Src,Image Position,Image Alt Text\n"
        "a,A,1,https://e.com/2.png,2,two\na,,,https://e.com/1.png,1,one\n"
        "a,,,https://e.com/2.png,3,again\n"
    )
    assert counts(job) == "rows 3, products 1, variants 1, images 2, created 1"
    assert [(i.source_url[-5:], i.alt) for i in ProductImage.objects.order_by("position")] == [
        ("1.png", "one"),
        ("2.png", "two"),
    ]


def test_image_that_cannot_be_fetched_is_told_and_the_product_stays(run):
    job = run("Handle,Title,Variant Price,Image Src\na,A,1,file:///etc/passwd\n")
    assert counts(job) == "rows 1, products 1, variants 1, created 1, refused 1"
    reason = "Images are fetched from http and https addresses."
    assert refused(job) == [("2", "Image Src", reason)]


def test_html_is_made_safe(run):
    run(HEADER + 'a,A,"<p onclick=x()>Hi<script>alert(1)</script></p>",,,,,,,1,\n')
    assert Product.objects.get().description == "<p>Hi</p>"


def test_cells_that_are_too_long_are_refused_not_cut(run):
    job = run(
        HEADER
        + f"a,{'A' * 301},,,,A-1,,,,1,\n"
        + f"b,B,,Size,S,{'B' * 101},,,,1,\n"
        + f"b,,,,{'M' * 201},B-M,,,,1,\nb,,,,L,B-L,,,,1,\n"
    )
    assert counts(job) == "rows 4, products 1, variants 1, created 1, refused 3"
    assert [entry[:2] for entry in refused(job)] == [
        ("2", "Title"),
        ("3", "Variant SKU"),
        ("4", "Option1 Value"),
    ]


def test_bad_numbers_cost_their_row_only(run):
    job = run(
        HEADER
        + "a,A,,Size,S,A-S,,,,NaN,\na,,,,M,A-M,,1.5,,1,\na,,,,L,A-L,,,maybe,1,\na,,,,X,A-X,,,,1,\n"
    )
    assert counts(job) == "rows 4, products 1, variants 1, created 1, refused 3"
    assert refused(job) == [
        ("2", "Variant Price", "Not a number: NaN"),
        ("3", "Variant Inventory Qty", "Not a whole number: 1.5"),
        ("4", "Variant Inventory Policy", "deny or continue is expected."),
    ]


def test_decimal_commas_of_a_german_spreadsheet(run):
    run("Handle;Title;Variant Price;Variant Compare At Price\ntee;Hemd;1.234,56;1300\n")
    price = Price.objects.get()
    assert (price.amount, price.compare_at) == (123456, 130000)


def test_compare_at_price_that_is_not_higher_is_none(run):
    run("Handle,Title,Variant Price,Variant Compare At Price\na,A,5,5\nb,B,5,0\n")
    assert [price.compare_at for price in Price.objects.all()] == [None, None]


def test_status_and_published_decide_where_it_shows(run, store):
    run(
        "Handle,Title,Status,Published,Variant Price\n"
        "a,A,active,true,1\nb,B,draft,false,1\nc,C,archived,,1\nd,D,,false,1\n"
    )
    assert {
        p.slug: (p.status, p.publications.filter(store=store).exists())
        for p in Product.objects.all()
    } == {
        "a": ("active", True),
        "b": ("draft", False),
        "c": ("archived", True),
        "d": ("active", False),
    }
    assert refused(run("Handle,Title,Status\nx,X,gone\n"))[0][1] == "Status"


def test_todays_column_names_are_known(run):
    job = run(
        "Title,URL handle,Description,Product category,Published on online store,SKU,Price,"
        "Compare-at price,Inventory tracker,Inventory quantity,Continue selling when out of stock,"
        "Weight value (grams),Product image URL,Charge tax\n"
        "A,a,<p>x</p>,Food > Cake,TRUE,A-1,9.90,12,shopify,4,TRUE,250,https://e.com/1.png,FALSE\n"
    )
    assert (counts(job), job.notes) == (
        "rows 1, products 1, variants 1, images 1, created 1",
        [],
    )
    variant = Variant.objects.get()
    level = variant.stock_levels.get()
    assert (variant.weight, level.on_hand, level.backorder_limit) == (250, 4, 1_000_000)
    assert variant.product.tax_class == "exempt"


def test_metafields_and_cost_are_kept(run):
    run(
        "Handle,Title,Variant Price,Cost per item,Flavor (product.metafields.shopify.flavor),"
        "Size chart (variant.metafields.custom.chart)\n"
        "a,A,1,0.50,vanilla; cherry,big\n"
    )
    assert Product.objects.get().metadata == {"metafields": {"shopify.flavor": "vanilla; cherry"}}
    assert Variant.objects.get().metadata == {
        "metafields": {"custom.chart": "big"},
        "cost": "0.50",
    }


def test_gift_card_is_one_here(run, exported):
    text = (
        "Handle,Title,Variant SKU,Variant Price,Variant Requires Shipping,Variant Taxable,"
        "Gift Card\ncard,Card,C-1,50,true,false,true\nmug,Mug,M-1,12,true,true,false\n"
    )
    run(text)
    assert list(
        Product.objects.order_by("slug").values_list(
            "is_gift_card", "tax_class", "variants__requires_shipping", "metadata"
        )
    ) == [(True, "voucher", False, {}), (False, "standard", True, {})]
    assert run(text, update=True).counts["unchanged"] == 2
    run(exported("shopify"), update=True)
    again = exported("shopify")
    assert run(again, update=True).counts["unchanged"] == 2
    assert exported("shopify") == again


def test_handles_of_other_scripts_get_slugs_of_their_own(run):
    job = run("Handle,Title,Variant Price\n短袖,A,1\n衬衫,B,1\nCafé,C,1\ncafe,D,1\n")
    assert counts(job) == "rows 4, products 4, variants 4, created 4"
    assert len(set(Product.objects.values_list("slug", flat=True))) == 4


def test_store_that_is_not_the_default_has_prices_of_its_own(run, django_user_model):
    from tests.factories.stores import StoreFactory

    other = StoreFactory(code="uk", default_currency="GBP")
    run("Handle,Title,Variant Price\na,A,10\n")
    run("Handle,Title,Variant Price\na,A,9\n", update=True, store=other)
    assert {(p.store and p.store.code, p.currency, p.amount) for p in Price.objects.all()} == {
        (None, "EUR", 1000),
        ("uk", "GBP", 900),
    }
    assert Product.objects.get().publications.count() == 1


def test_too_many_rows_of_one_product_are_refused_in_portions(run):
    rows = "".join(f"a,,,,{n},A-{n},,,,1,\n" for n in range(2_600))
    job = run(HEADER + "a,A,,Size,first,A-first,,,,1,\n" + rows)
    assert job.counts["rows"] == 2_601
    # More variants than a product may have.
    assert job.counts["refused"] == 2_601
    job = run(HEADER + "a,A,,Size,first,A-first,,,,1,\n" + rows[: rows.index("a,,,,2000,")])
    assert counts(job) == "rows 2001, products 1, variants 2001, created 1"


def test_file_of_another_format_fails_with_a_reason(run):
    job = run("Name;Preis\nHemd;1\n")
    assert (job.status, job.error) == (
        "failed",
        "This isn't a Shopify file: it has no column handle.",
    )
