"""Worked examples of tax authorities, statutes and those who explain them."""

from __future__ import annotations

from decimal import Decimal

from tests.pricing import tax_sources as of
from tests.pricing.worked_examples import (
    Example,
    Sold,
    amount_off,
    only,
    percent_off,
    rate,
)

VAT20, VAT5, VAT0 = rate("VAT 20", "20"), rate("VAT 5", "5"), rate("VAT 0", "0")
GST5, QST = rate("GST", "5", apart=True), rate("QST", "9.975", apart=True)
GST10, GST15, GST9 = rate("GST 10", "10"), rate("GST 15", "15"), rate("GST 9", "9")
TX_STATE, TX_LOCAL = rate("Texas", "6.25"), rate("Local", "2")
JCT10, JCT8 = rate("10 %", "10"), rate("8 %", "8")
CGST9, SGST9 = rate("CGST", "9", apart=True), rate("SGST", "9", apart=True)
CGST14, SGST14 = rate("CGST", "14", apart=True), rate("SGST", "14", apart=True)
MWST19, MWST7 = rate("USt 19", "19"), rate("USt 7", "7")


def _one(name, source, arithmetic, currency, price, taxes, total, **kwargs):
    """One line; `taxes` are (rate, base, amount)."""
    rows = tuple((tax.name, base, amount) for tax, base, amount in taxes)
    due = str(sum(Decimal(amount) for _name, _base, amount in rows))
    sold = (Sold(price, tuple(tax for tax, _base, _amount in taxes)),)
    return Example(name, source, arithmetic, currency, sold, (due,), rows, total, **kwargs)


def _added(name, source, arithmetic, currency, price, *taxes, total, quoted=True, **kwargs):
    """One line whose taxes are added to its price."""
    taxed = [(tax, price, amount) for tax, amount in taxes]
    return _one(name, source, arithmetic, currency, price, taxed, total, quoted=quoted, **kwargs)


def _held(name, source, arithmetic, currency, price, *taxes, base, quoted=True, **kwargs):
    """One line whose price holds its taxes."""
    taxed = [(tax, base, amount) for tax, amount in taxes]
    more = {"included": True, "quoted": quoted, **kwargs}
    return _one(name, source, arithmetic, currency, price, taxed, price, **more)


def _several(name, source, arithmetic, currency, prices, tax, due, total, **kwargs):
    """Lines of one tax that is added: what is due on each line."""
    base = str(sum(Decimal(price) for price in prices))
    row = (tax.name, base, str(sum(Decimal(part) for part in due)))
    sold = tuple(Sold(price, (tax,)) for price in prices)
    return Example(name, source, arithmetic, currency, sold, due, (row,), total, **kwargs)


EXAMPLES = [
    _added("gb-add-20", of.HMRC, "100 × 20 % = 20", "GBP", "100", (VAT20, "20"), total="120"),
    _added("gb-add-5", of.HMRC, "100 × 5 % = 5", "GBP", "100", (VAT5, "5"), total="105"),
    _held(
        *("gb-sixth", of.HMRC_700, "120 × 1/6 = 20", "GBP", "120", (VAT20, "20")),
        base="100",
        quoted=False,
    ),
    _held(
        *("gb-21st", of.HMRC_700, "80 × 1/21 = 3.8095", "GBP", "80", (VAT5, "3.81")),
        base="76.19",
        quoted=False,
    ),
    Example(
        "gb-halves-up",
        of.HMRC_700,
        "0.99 / 6 = 0.165, a line each",
        "GBP",
        (Sold("0.99", (VAT20,)),) * 3,
        ("0.17",) * 3,
        (("VAT 20", "2.46", "0.51"),),
        "2.97",
        included=True,
    ),
    Example(
        "gb-discounted-price",
        of.HMRC_DISCOUNTS,
        "100 less 20 % = 80; 80 × 20 % = 16",
        "GBP",
        (Sold("100", (VAT20,)),),
        ("16",),
        (("VAT 20", "80", "16"),),
        "96",
        promotions=(percent_off("20"),),
        off=("20",),
    ),
    Example(
        "gb-meal-deal",
        of.HMRC_GFC2,
        "8 + 3 + 2.50 for 11: 2.50 off as 1.48, 0.56, 0.46; (6.52 + 2.44) / 6 = 1.09 + 0.41",
        "GBP",
        (Sold("8", (VAT20,)), Sold("3", (VAT20,)), Sold("2.50", (VAT0,))),
        ("1.09", "0.41", "0"),
        (("VAT 20", "7.46", "1.50"), ("VAT 0", "2.04", "0")),
        "11",
        included=True,
        promotions=(amount_off(250),),
        off=("1.48", "0.56", "0.46"),
    ),
    _added(
        *("ie-23", of.IRELAND, "100,000 × 23 % = 23,000", "EUR", "100000"),
        (rate("VAT 23", "23"), "23000"),
        total="123000",
    ),
    _held(
        *("ie-135", of.IRISH_HUB, "1,135 × 0.135 / 1.135 = 135", "EUR", "1135"),
        (rate("VAT 13.5", "13.5"), "135"),
        base="1000",
        quoted=False,
    ),
    _added("nz-add", of.IRD, "1,500 × 15 %", "NZD", "1500", (GST15, "225"), total="1725"),
    _held("nz-held", of.IRD, "1,725 × 3 / 23", "NZD", "1725", (GST15, "225"), base="1500"),
    _held("nz-100", of.GST_NZ, "100 × 3 / 23", "NZD", "100", (GST15, "13.04"), base="86.96"),
    _held("nz-200", of.CALC_NZ, "200 × 3 / 23", "NZD", "200", (GST15, "26.09"), base="173.91"),
    _held(
        *("au-eleventh", of.AU_990, "1,100 / 11 = 100", "AUD", "1100", (GST10, "100")),
        base="1000",
        quoted=False,
    ),
    _held(
        *("au-half-cent", of.AU_990, "0.055 rounds upwards: 0.605 / 11", "AUD", "0.61"),
        (GST10, "0.06"),
        base="0.55",
        quoted=False,
    ),
    _several(
        *("au-taxable-supply-rule", of.AU_990, "0.105 each, rounded: 0.11 × 3", "AUD"),
        *(("1.05",) * 3, GST10, ("0.11",) * 3, "3.48"),
    ),
    _several(
        *("au-total-invoice-rule", of.AU_990, "0.105 × 3 = 0.315, rounded once", "AUD"),
        *(("1.05",) * 3, GST10, ("0.11", "0.11", "0.10"), "3.47"),
        rounding="document",
    ),
    _several(
        *("au-line-by-line", of.AU_PHONE, "0.104 is 0.10, 0.105 is 0.11", "AUD"),
        *(("1.04", "1.05"), GST10, ("0.10", "0.11"), "2.30"),
        quoted=True,
    ),
    _added(
        *("ca-qc", of.RQ, "100 × 5 % = 5; 100 × 9.975 % = 9.975", "CAD", "100"),
        *((GST5, "5"), (QST, "9.98")),
        total="114.98",
    ),
    _added(
        *("ca-qc-one-stage", of.RQ, "100 × 14.975 % = 14.975", "CAD", "100"),
        (rate("GST and QST", "14.975"), "14.98"),
        total="114.98",
        quoted=False,
    ),
    Example(
        "ca-qc-coupon",
        of.RQ_COUPON,
        "25 - 10 = 15; 15 × 5 % = 0.75; 15 × 9.975 % = 1.49625",
        "CAD",
        (Sold("25", (GST5, QST)),),
        ("2.25",),
        (("GST", "15", "0.75"), ("QST", "15", "1.50")),
        "17.25",
        promotions=(amount_off(1000),),
        off=("10",),
        quoted=True,
    ),
    _added(
        *(
            "ca-qc-before-reimbursed-coupon",
            of.RQ_REIMBURSED,
            "25 × 5 % and × 9.975 %",
            "CAD",
            "25",
        ),
        *((GST5, "1.25"), (QST, "2.49")),
        total="28.74",
    ),
    _added(
        *("ca-ns", of.HST, "39.99 × 15 % = 5.9985", "CAD", "39.99", (rate("HST", "15"), "6.00")),
        total="45.99",
    ),
    _added(
        *("ca-on", of.HST, "39.99 × 13 % = 5.1987", "CAD", "39.99", (rate("HST", "13"), "5.20")),
        total="45.19",
    ),
    Example(
        "ca-on-coupon",
        of.TAXTIPS,
        "10 - 3 = 7; 7 × 13 % = 0.91",
        "CAD",
        (Sold("10", (rate("HST", "13"),)),),
        ("0.91",),
        (("HST", "7", "0.91"),),
        "7.91",
        promotions=(amount_off(300),),
        off=("3",),
    ),
    _held(
        *("ca-gst-held", of.CRA_270, "105 × 5 / 105 = 5", "CAD", "105", (GST5, "5")),
        base="100",
        quoted=False,
    ),
    _added(
        *("ca-bc", of.CRA_PST, "49.90 × 5 % = 2.495; × 7 % = 3.493", "CAD", "49.90"),
        *((GST5, "2.50"), (rate("PST", "7", apart=True), "3.49")),
        total="55.89",
        quoted=False,
    ),
    _added(
        *("ca-sk", of.CRA_PST, "19.99 × 5 % = 0.9995; × 6 % = 1.1994", "CAD", "19.99"),
        *((GST5, "1.00"), (rate("PST", "6", apart=True), "1.20")),
        total="22.19",
        quoted=False,
    ),
    _added(
        *("us-tx", of.TEXAS, "250 × 8.25 % = 20.625, in all", "USD", "250"),
        *((TX_STATE, "15.63"), (TX_LOCAL, "5.00")),
        total="270.63",
    ),
    _held(
        *("us-tx-held", of.TEXAS, "20 / 1.0825 = 18.48; 20 - 18.48 = 1.52", "USD", "20"),
        (rate("Texas and local", "8.25"), "1.52"),
        base="18.48",
    ),
    _several(
        *("us-tx-t-shirts", of.TEXAS, "10 + 25 + 50 = 85; 85 × 8.25 % = 7.0125", "USD"),
        *(("10", "25", "50"), rate("Texas and local", "8.25"), ("0.83", "2.06", "4.12"), "92.01"),
        rounding="document",
    ),
    Example(
        "us-tx-cash-discount",
        of.TEXAS_GROCERY,
        "150 less 10 % = 135; 135 × 8.25 % = 11.1375",
        "USD",
        (Sold("150", (rate("Texas and local", "8.25"),)),),
        ("11.14",),
        (("Texas and local", "135", "11.14"),),
        "146.14",
        promotions=(percent_off("10"),),
        off=("15",),
    ),
    Example(
        "us-tx-coupon",
        of.TEXAS_MEAL,
        "15 - 5 = 10; 10 × 8.25 % = 0.825",
        "USD",
        (Sold("15", (rate("Texas and local", "8.25"),)),),
        ("0.83",),
        (("Texas and local", "10", "0.83"),),
        "10.83",
        promotions=(amount_off(500),),
        off=("5",),
    ),
    _added(
        *("us-ny-receipt", of.NY, "1,040 + 60 = 1,100; × 7 % = 77", "USD", "1100"),
        (rate("Sales tax", "7"), "77"),
        total="1177",
    ),
    _added(
        *("us-ny-city", of.NY_860, "100 × (4 + 4.5 + 0.375) % = 8.875", "USD", "100"),
        *((rate("State", "4"), "4.00"), (rate("City", "4.5"), "4.50")),
        (rate("MCTD", "0.375"), "0.38"),
        total="108.88",
        quoted=False,
    ),
    _several(
        *("us-item-basis", of.SSUTA, "0.99 × 8.875 % = 0.0878 an item", "USD"),
        *(("0.99",) * 3, rate("Sales tax", "8.875"), ("0.09",) * 3, "3.24"),
    ),
    _several(
        *("us-invoice-basis", of.SSUTA, "2.97 × 8.875 % = 0.2635 an invoice", "USD"),
        *(("0.99",) * 3, rate("Sales tax", "8.875"), ("0.09", "0.09", "0.08"), "3.23"),
        rounding="document",
    ),
    _added(
        *("us-wa", of.WA, "10.00 × (6.5 + 3.85) % = 1.035, third decimal over four", "USD", "10"),
        *((rate("State", "6.5"), "0.65"), (rate("Local", "3.85"), "0.39")),
        total="11.04",
        quoted=False,
    ),
    _added(
        *("us-ca", of.CA, "49.99 × (7.25 + 2.5) % = 4.874", "USD", "49.99"),
        *((rate("State", "6"), "3.00"), (rate("County", "0.25"), "0.12")),
        *((rate("Local", "1"), "0.50"), (rate("District", "2.5"), "1.25")),
        total="54.86",
        quoted=False,
    ),
    Example(
        "us-oh-delivery",
        of.OHIO,
        "60 taxed, 40 exempt, delivery 10: 6 of it taxed; 60 × 5.75 % = 3.45, 6 × 5.75 % = 0.345",
        "USD",
        (Sold("60", (rate("Ohio", "5.75"),)), Sold("40")),
        ("3.45", "0"),
        (("Ohio", "66", "3.80"),),
        "113.80",
        shipping=("10", None),
        shipping_tax="0.35",
    ),
    _several(
        *("my-by-line", of.MALAYSIA, "1.77 × 6 % = 0.11 a pen", "MYR"),
        *(("1.77",) * 3, rate("GST 6", "6"), ("0.11",) * 3, "5.64"),
        quoted=True,
    ),
    _several(
        *("my-by-total", of.MALAYSIA, "5.31 × 6 % = 0.32", "MYR"),
        *(("1.77",) * 3, rate("GST 6", "6"), ("0.11", "0.11", "0.10"), "5.63"),
        rounding="document",
        quoted=True,
    ),
    _several(
        *("sg-by-line", of.IRAS, "3.50 × 9 % = 0.315 a line", "SGD"),
        *(("3.50",) * 3, GST9, ("0.32",) * 3, "11.46"),
    ),
    _several(
        *("sg-by-total", of.IRAS, "10.50 × 9 % = 0.945", "SGD"),
        *(("3.50",) * 3, GST9, ("0.32", "0.32", "0.31"), "11.45"),
        rounding="document",
    ),
    _held(
        *("za", of.SARS, "115 × 15 / 115 = 15", "ZAR", "115", (rate("VAT 15", "15"), "15")),
        base="100",
        quoted=False,
    ),
    _held(
        *("ch-held-81", of.SWISS, "1,081 / 1.081 = 1,000", "CHF", "1081"),
        (rate("MWST 8.1", "8.1"), "81"),
        base="1000",
    ),
    _added(
        *("ch-restaurant", of.SWISS, "28 × 8.1 % = 2.268", "CHF", "28"),
        (rate("MWST 8.1", "8.1"), "2.27"),
        total="30.27",
    ),
    _held(
        *("ch-food", of.SWISS, "100 × 2.6 / 102.6 = 2.534", "CHF", "100"),
        (rate("MWST 2.6", "2.6"), "2.53"),
        base="97.47",
    ),
    _added(
        *(
            "ch-hotel",
            of.SWISS,
            "180 × 3.8 % = 6.84",
            "CHF",
            "180",
            (rate("MWST 3.8", "3.8"), "6.84"),
        ),
        total="186.84",
    ),
    _added(
        *("no-food", of.NORWAY, "1,000 × 15 % = 150", "NOK", "1000", (rate("MVA 15", "15"), "150")),
        total="1150",
    ),
    _held(
        *(
            "no-held",
            of.NORWAY,
            "1,250 / 1.25 = 1,000",
            "NOK",
            "1250",
            (rate("MVA 25", "25"), "250"),
        ),
        base="1000",
    ),
    Example(
        "jp-once-per-rate",
        of.JAPAN,
        "315 × 10 % = 31.5, 214 × 8 % = 17.12: each rounded once (by line: 33 and 18)",
        "JPY",
        (*(Sold("105", (JCT10,)),) * 3, *(Sold("107", (JCT8,)),) * 2),
        ("11", "11", "10", "9", "8"),
        (("10 %", "315", "32"), ("8 %", "214", "17")),
        "578",
        rounding="document",
    ),
    Example(
        "jp-held-once-per-rate",
        of.JAPAN,
        "330 × 10 / 110 = 30; 215 × 8 / 108 = 15.93",
        "JPY",
        (Sold("165", (JCT10,)), Sold("165", (JCT10,)), Sold("215", (JCT8,))),
        ("15", "15", "16"),
        (("10 %", "300", "30"), ("8 %", "199", "16")),
        "545",
        included=True,
        rounding="document",
    ),
    _held("kr-held", of.KOREA, "11,000 / 11", "KRW", "11000", (GST10, "1000"), base="10000"),
    _added(
        *("kr-added", of.KOREA, "1,000,000 × 10 %", "KRW", "1000000", (GST10, "100000")),
        total="1100000",
    ),
    _added(
        *("bh-fils", of.BAHRAIN, "0.397 × 10 % = 0.0397", "BHD", "0.397", (GST10, "0.040")),
        total="0.437",
    ),
    _added(
        *("bh-half-a-fils", of.BAHRAIN, "0.050 × 5 % = 0.0025", "BHD", "0.050", (VAT5, "0.003")),
        total="0.053",
        quoted=False,
    ),
    _added(
        *("om-half-a-baisa", of.OMAN, "1.250 × 5 % = 0.0625", "OMR", "1.250", (VAT5, "0.063")),
        total="1.313",
        quoted=False,
    ),
    _added(
        *("hu-27", of.HUNGARY, "999 × 27 % = 269.73", "HUF", "999", (rate("ÁFA", "27"), "269.73")),
        total="1268.73",
        quoted=False,
    ),
    _added(
        *("in-paint", of.INDIA_PAINT, "5,600 × 14 % = 784 each", "INR", "5600"),
        *((CGST14, "784"), (SGST14, "784")),
        total="7168",
    ),
    Example(
        "in-kitchen",
        of.INDIA_KITCHEN,
        "300,000 + 5,000 - 1 % of 300,000 = 302,000; × 18 % = 54,360",
        "INR",
        (Sold("300000", (rate("GST", "18"),), fact="kitchen"), Sold("5000", (rate("GST", "18"),))),
        ("53460", "900"),
        (("GST", "302000", "54360"),),
        "356360",
        promotions=(amount_off(300_000, only("kitchen")),),
        off=("3000", "0"),
        quoted=True,
    ),
    _added(
        *("in-intra-state", of.INDIA_PUB, "1,000 × 9 % = 90 each", "INR", "1000"),
        *((CGST9, "90"), (SGST9, "90")),
        total="1180",
    ),
    _held(
        *("in-held", of.INDIA_PUB, "1,180 × 9 / 118 = 90 each", "INR", "1180"),
        *((CGST9, "90"), (SGST9, "90")),
        base="1000",
    ),
    _added(
        *("in-inter-state", of.INDIA_PUB, "1,000 × 18 % = 180", "INR", "1000"),
        (rate("IGST", "18"), "180"),
        total="1180",
    ),
    _held(
        *("in-a-tie-each", of.INDIA_TIE, "12.39 × 9 / 118 = 0.945, each rounded", "INR", "12.39"),
        *((CGST9, "0.95"), (SGST9, "0.95")),
        base="10.49",
    ),
    Example(
        "es-discount-and-transport",
        of.SPAIN,
        "1,000 - 10 % = 900, transport 50: 950 × 21 % = 189 + 10.50",
        "EUR",
        (Sold("1000", (rate("IVA 21", "21"),)),),
        ("189",),
        (("IVA 21", "950", "199.50"),),
        "1149.50",
        promotions=(percent_off("10"),),
        off=("100",),
        shipping=("50", (rate("IVA 21", "21"),)),
        shipping_tax="10.50",
    ),
    Example(
        "de-shipping-pro-rata",
        of.GERMANY,
        "12 and 8 of 20; 5 as 3 and 2: 3 × 7 / 107 = 0.196, 2 × 19 / 119 = 0.319",
        "EUR",
        (Sold("12", (MWST7,)), Sold("8", (MWST19,))),
        ("0.79", "1.28"),
        (("USt 7", "14.01", "0.99"), ("USt 19", "8.40", "1.60")),
        "25",
        included=True,
        shipping=("5", None),
        shipping_tax="0.52",
    ),
    _held(
        *("fr-coefficient", of.FRANCE, "59.90 × 100 / 120 = 49.917", "EUR", "59.90"),
        (rate("TVA 20", "20"), "9.98"),
        base="49.92",
        quoted=False,
    ),
    Example(
        "eu-one-stop-shop",
        of.OSS,
        "121 holds 21 %: 100 without; × 1.20 = 120 in France",
        "EUR",
        (Sold("121", (rate("TVA 20", "20"),), reprice=("21", "20")),),
        ("20",),
        (("TVA 20", "100", "20"),),
        "120",
        included=True,
        unit_prices=("120",),
    ),
]
