"""Worked examples of other shops' documentation: stacking, splitting, and where to round."""

from __future__ import annotations

from tests.pricing.worked_examples import (
    ALL,
    Example,
    Sold,
    Source,
    amount_off,
    each_off,
    only,
    percent_off,
    rate,
)

T23, T10, T19 = rate("US VAT", "23"), rate("Low VAT", "10"), rate("VAT 19", "19")


def _sylius(feature: str, scenario: str) -> Source:
    path = f"features/taxation/applying_taxes/applying_correct_taxes_for_order_with_{feature}"
    address = f"https://github.com/Sylius/Sylius/blob/master/{path}.feature"
    return Source(feature.replace("_", " "), "Sylius", address, scenario)


ITEM, ORDER = "discount_for_an_item_in_order", "discount_for_whole_order"
HELD = "discount_for_whole_order_when_tax_rate_included_in_price"
SALESFORCE = Source(
    "Promotion proration logic",
    "Salesforce B2C Commerce",
    "https://help.salesforce.com/s/articleView?id=cc.b2c_promotion_proration_logic.htm&type=5",
)
VTEX = Source(
    "How does promotion proration work?",
    "VTEX",
    "https://help.vtex.com/en/docs/tutorials/how-does-promotion-proration-work",
)
COMMERCETOOLS = Source(
    "TaxCalculationMode",
    "commercetools (Alokai's reference)",
    "https://docs.alokai.com/commercetools/reference/api/commercetools-types.taxcalculationmode.html",
)
WOO = Source(
    "Fix tax rounding problems in WooCommerce",
    "webdados",
    "https://gist.github.com/webdados/139079c9e654ed2d8418ed500bdcc778",
)
CALCULATOR = Source(
    "discount-calculator, Quick Start",
    "arraypress",
    "https://github.com/arraypress/discount-calculator",
)
SETONO = Source(
    "Receiving percentage discount on products from specific taxon",
    "Setono Sylius catalog promotion plugin",
    "https://github.com/Setono/SyliusCatalogPromotionPlugin",
    "features/applying_promotions/applying_promotions_on_products_from_specific_taxon.feature",
)
URBANARA = Source(
    "Receiving fixed discount",
    "Urbanara catalog promotion plugin",
    "https://github.com/liteweb-io/UrbanaraCatalogPromotionPlugin",
    "features/receiving_discount/receiving_fixed_discount.feature",
)

MUG, PHP_MUG = Sold("56.05", (T10,), fact="symfony"), Sold("56.04", (T10,), fact="php")
SHIRT = Sold("10", (T23,), fact="shirt")
SHIRTS = Sold("10", (T23,), 2, fact="shirt")
OFF_MUG, OFF_PHP = each_off(1010, only("symfony")), each_off(1010, only("php"))
# "Off if the order contains": off the whole of it.
ONCE = amount_off(1010)
TEN = amount_off(1000)


def _rows(*rows: tuple[str, str, str]) -> tuple[tuple[str, str, str], ...]:
    return rows


EXAMPLES = [
    Example(
        "sylius-item-rounded-up",
        _sylius(ITEM, "Properly rounded up tax for single product"),
        "56.05 - 10.10 = 45.95; × 10 % = 4.595",
        "USD",
        (MUG,),
        ("4.60",),
        _rows(("Low VAT", "45.95", "4.60")),
        "50.55",
        promotions=(OFF_MUG, OFF_PHP),
        off=("10.10",),
        quoted=True,
    ),
    Example(
        "sylius-item-rounded-down",
        _sylius(ITEM, "Properly rounded down tax for single product"),
        "56.04 - 10.10 = 45.94; × 10 % = 4.594",
        "USD",
        (PHP_MUG,),
        ("4.59",),
        _rows(("Low VAT", "45.94", "4.59")),
        "50.53",
        promotions=(OFF_MUG, OFF_PHP),
        off=("10.10",),
        quoted=True,
    ),
    Example(
        "sylius-item-beside-others",
        _sylius(ITEM, "Properly rounded taxes for order with multiple products without discount"),
        "20 × 23 % = 4.60; 45.95 × 10 % = 4.595",
        "USD",
        (SHIRTS, MUG),
        ("4.60", "4.60"),
        _rows(("US VAT", "20", "4.60"), ("Low VAT", "45.95", "4.60")),
        "75.15",
        promotions=(OFF_MUG, OFF_PHP),
        off=("0", "10.10"),
        quoted=True,
    ),
    Example(
        "sylius-item-twice",
        _sylius(ITEM, "Properly rounded taxes for order with multiple products with discount"),
        "20 × 23 % = 4.60; 91.90 × 10 % = 9.19",
        "USD",
        (SHIRTS, Sold("56.05", (T10,), 2, "symfony")),
        ("4.60", "9.19"),
        _rows(("US VAT", "20", "4.60"), ("Low VAT", "91.90", "9.19")),
        "125.69",
        promotions=(OFF_MUG, OFF_PHP),
        off=("0", "20.20"),
        quoted=True,
    ),
    Example(
        "sylius-order-two-rates",
        _sylius(ORDER, "Properly rounded taxes for multiple products with different tax rate"),
        "10.10 as 2.66 and 7.44; 17.34 × 23 % = 3.99, 48.60 × 10 % = 4.86",
        "USD",
        (SHIRTS, PHP_MUG),
        ("3.99", "4.86"),
        _rows(("US VAT", "17.34", "3.99"), ("Low VAT", "48.60", "4.86")),
        "74.79",
        promotions=(ONCE,),
        off=("2.66", "7.44"),
        quoted=True,
    ),
    Example(
        "sylius-order-two-promotions",
        _sylius(ORDER, "Properly rounded taxes for multiple products with the same tax rate"),
        "twice 10.10 as 6.73 and 3.37; 98.64 × 10 % = 9.86, 49.30 × 10 % = 4.93",
        "USD",
        (Sold("56.05", (T10,), 2), PHP_MUG),
        ("9.86", "4.93"),
        _rows(("Low VAT", "147.94", "14.79")),
        "162.73",
        promotions=(ONCE, ONCE),
        off=("13.46", "6.74"),
        quoted=True,
    ),
    Example(
        "sylius-order-two-promotions-two-rates",
        _sylius(ORDER, "… with multiple promotions and multiple products with different tax rate"),
        "10.10 as 8.57 and 1.53, 5 as 4.24 and 0.76; 43.24 × 10 % = 4.32, 7.71 × 23 % = 1.77",
        "USD",
        (MUG, SHIRT),
        ("4.32", "1.77"),
        _rows(("Low VAT", "43.24", "4.32"), ("US VAT", "7.71", "1.77")),
        "57.04",
        promotions=(ONCE, amount_off(500)),
        off=("12.81", "2.29"),
        quoted=True,
    ),
    Example(
        "sylius-held-rounded-up",
        _sylius(HELD, "Properly rounded up tax for single product"),
        "46.95 / 11 = 4.268",
        "USD",
        (Sold("56.95", (T10,)),),
        ("4.27",),
        _rows(("Low VAT", "42.68", "4.27")),
        "46.95",
        included=True,
        promotions=(TEN,),
        off=("10",),
        quoted=True,
    ),
    Example(
        "sylius-held-two-rates",
        _sylius(HELD, "Properly rounded taxes for multiple products with different tax rate"),
        "10 as 2.60 and 7.40; 17.40 × 23 / 123 = 3.25, 49.50 / 11 = 4.50",
        "USD",
        (SHIRTS, Sold("56.90", (T10,))),
        ("3.25", "4.50"),
        _rows(("US VAT", "14.15", "3.25"), ("Low VAT", "45", "4.50")),
        "66.90",
        included=True,
        promotions=(TEN,),
        off=("2.60", "7.40"),
        quoted=True,
    ),
    Example(
        "sylius-held-two-promotions",
        _sylius(HELD, "Properly rounded taxes for multiple products with the same tax rate"),
        "twice 10 as 6.66 and 3.34; 100.48 / 11 = 9.13, 50.27 / 11 = 4.57",
        "USD",
        (Sold("56.90", (T10,), 2), Sold("56.95", (T10,))),
        ("9.13", "4.57"),
        _rows(("Low VAT", "137.05", "13.70")),
        "150.75",
        included=True,
        promotions=(TEN, TEN),
        off=("13.32", "6.68"),
        quoted=True,
    ),
    Example(
        "sylius-held-two-promotions-two-rates",
        _sylius(HELD, "… with multiple promotions and multiple products with different tax rate"),
        "10 as 8.51 and 1.49, 5 as 4.25 and 0.75; 44.19 / 11 = 4.02, 7.76 × 23 / 123 = 1.45",
        "USD",
        (Sold("56.95", (T10,)), SHIRT),
        ("4.02", "1.45"),
        _rows(("Low VAT", "40.17", "4.02"), ("US VAT", "6.31", "1.45")),
        "51.95",
        included=True,
        promotions=(TEN, amount_off(500)),
        off=("12.76", "2.24"),
        quoted=True,
    ),
    Example(
        "salesforce-order",
        SALESFORCE,
        "110 × 15 % = 16.50 as 9.00 and 7.50",
        "USD",
        (Sold("60"), Sold("50")),
        ("0", "0"),
        (),
        "93.50",
        promotions=(percent_off("15", of="order"),),
        off=("9", "7.50"),
        quoted=True,
    ),
    Example(
        "salesforce-item-then-order",
        SALESFORCE,
        "60 - 10 = 50; 100 × 15 % = 15 as 7.50 and 7.50",
        "USD",
        (Sold("60", fact="sku1"), Sold("50")),
        ("0", "0"),
        (),
        "85",
        promotions=(percent_off("15", of="order"), each_off(1000, only("sku1"))),
        off=("17.50", "7.50"),
        quoted=True,
    ),
    Example(
        "salesforce-order-but-one",
        SALESFORCE,
        "110 × 15 % = 16.50 as 9.00 and 7.50; SKU3 is excluded",
        "USD",
        (Sold("60", fact="in"), Sold("50", fact="in"), Sold("40")),
        ("0", "0", "0"),
        (),
        "133.50",
        promotions=(percent_off("15", only("in"), of="order"),),
        off=("9", "7.50", "0"),
        quoted=True,
    ),
    Example(
        "vtex-nominal",
        VTEX,
        "156 of 780: a fifth of each of 190, 190, 250 and 150",
        "USD",
        (Sold("190"), Sold("190"), Sold("250"), Sold("150")),
        ("0",) * 4,
        (),
        "624",
        promotions=(amount_off(15_600),),
        off=("38", "38", "50", "30"),
    ),
    Example(
        "calculator-share",
        CALCULATOR,
        "100 × 20 % = 20 as 14 and 6",
        "USD",
        (Sold("70"), Sold("30")),
        ("0", "0"),
        (),
        "80",
        promotions=(percent_off("20", of="order"),),
        off=("14", "6"),
        quoted=True,
    ),
    Example(
        "commercetools-line",
        COMMERCETOOLS,
        "1.08 × 3 = 3.24; × 1.19 = 3.8556",
        "USD",
        (Sold("1.08", (T19,), 3),),
        ("0.62",),
        _rows(("VAT 19", "3.24", "0.62")),
        "3.86",
        quoted=True,
    ),
    Example(
        "commercetools-unit",
        COMMERCETOOLS,
        "1.08 × 1.19 = 1.2852, 1.29 rounded; × 3 = 3.87",
        "USD",
        (Sold("1.08", (T19,), 3),),
        ("0.63",),
        _rows(("VAT 19", "3.24", "0.63")),
        "3.87",
        rounding="unit",
        quoted=True,
    ),
    Example(
        "woocommerce-by-line",
        WOO,
        "68.24 × 23 % = 15.6952; 4.73 × 23 % = 1.0879",
        "EUR",
        (Sold("68.24", (T23,)),),
        ("15.70",),
        _rows(("US VAT", "72.97", "16.79")),
        "89.76",
        shipping=("4.73", (T23,)),
        shipping_tax="1.09",
        quoted=True,
    ),
    Example(
        "woocommerce-by-document",
        WOO,
        "15.6952 + 1.0879 = 16.7831, rounded at the end",
        "EUR",
        (Sold("68.24", (T23,)),),
        ("15.69",),
        _rows(("US VAT", "72.97", "16.78")),
        "89.75",
        rounding="document",
        shipping=("4.73", (T23,)),
        shipping_tax="1.09",
        quoted=True,
    ),
    Example(
        "setono-catalogue",
        SETONO,
        "100 less 20 % = 80, 20 less 50 % = 10",
        "USD",
        (Sold("100", fact="shirts"), Sold("20", fact="mugs")),
        ("0", "0"),
        (),
        "90",
        promotions=(
            percent_off("20", only("shirts"), listed=True),
            percent_off("50", only("mugs"), listed=True),
        ),
        unit_prices=("80", "10"),
        quoted=True,
    ),
    Example(
        "urbanara-catalogue",
        URBANARA,
        "100 - 10 = 90; 6 - 10 is 0",
        "USD",
        (Sold("100"), Sold("6")),
        ("0", "0"),
        (),
        "90",
        promotions=((*each_off(1000, ALL)[:2], True),),
        unit_prices=("90", "0"),
        quoted=True,
    ),
]

# Splits alone: (what is split, by which weights, the parts).
SPLITS = [
    (
        Source(
            "Money",
            "Martin Fowler, Patterns of Enterprise Application Architecture",
            "https://martinfowler.com/eaaCatalog/money.html",
            "allocating 5 cents 30 to 70",
        ),
        (5, [3, 7], [2, 3]),
    ),
    (
        Source(
            "FinancialSummaryDiscountAllocation",
            "Shopify",
            "https://shopify.dev/docs/api/admin-graphql/2024-04/objects/FinancialSummaryDiscountAllocation",
            "4 cents off three pieces are 0.02, 0.01 and 0.01",
        ),
        (4, [1, 1, 1], [2, 1, 1]),
    ),
]
