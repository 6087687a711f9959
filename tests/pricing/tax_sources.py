"""Where the worked examples of taxes come from."""

from __future__ import annotations

from tests.pricing.worked_examples import Source

HMRC = Source(
    "Calculating VAT for VAT-inclusive and VAT-exclusive prices",
    "HM Revenue & Customs",
    "http://www.hmrc.gov.uk/vat/forms-rates/rates/calculating.htm",
)
HMRC_700 = Source(
    "VAT guide (Notice 700)",
    "HM Revenue & Customs",
    "https://www.gov.uk/guidance/vat-guide-notice-700",
    "section 17.5: rounding to the nearer penny, halves up; VAT fraction",
)
HMRC_DISCOUNTS = Source(
    "VAT on discounts and gifts",
    "GOV.UK",
    "https://www.gov.uk/charge-reclaim-record-vat/vat-on-discounts-and-gifts",
)
HMRC_GFC2 = Source(
    "Help with VAT apportionment of consideration (GfC2)",
    "HM Revenue & Customs",
    "https://www.gov.uk/government/publications/gfc2-2023-guidelines-for-compliance-vat-apportionment-of-consideration/gfc2-2023-help-with-vat-apportionment-of-consideration",
    "by selling price",
)
IRELAND = Source(
    "Received services",
    "Irish Revenue",
    "https://www.revenue.ie/en/vat/vat-on-services/exceptions-general-place-supply-rules-services/received-services/index.aspx",
)
IRISH_HUB = Source(
    "How to calculate VAT at the various rates",
    "Irish Tax Hub",
    "https://www.irishtaxhub.ie/blog/vat-calculation-ireland-how-to-calculate-vat",
    "3) the core formulas",
)
IRD = Source(
    "Calculating GST",
    "Inland Revenue, New Zealand",
    "http://www.ird.govt.nz/changes-2010/gst/businesses/calculating/",
)
GST_NZ = Source("GST formula", "gst.co.nz", "http://gst.co.nz/index.php/gst-formula")
CALC_NZ = Source("Calculation formula", "calcgst.nz", "https://calcgst.nz/howto")
AU_990 = Source(
    "A New Tax System (Goods and Services Tax) Act 1999",
    "Australian Taxation Office, Legal database",
    "https://www.ato.gov.au/law/view/print?DocID=PAC%2F19990055%2F9-90&PiT=99991231235958",
    "section 9-90",
)
AU_PHONE = Source(
    "Why GST on invoice may be more than 10 % of the ex GST total",
    "MyHomeFone",
    "https://support.myhomefone.com.au/portal/en/kb/articles/why-gst-on-invoice-may-be-more-than-10percent-of-the-ex-gst-total",
)
RQ = Source(
    "Calculating the Taxes",
    "Revenu Québec",
    "http://www.revenuquebec.ca/en/entreprise/taxes/tvq_tps/calcul-taxes.aspx",
)
RQ_COUPON = Source(
    "Non-Reimbursable Coupons",
    "Revenu Québec",
    "https://www.revenuquebec.ca/en/businesses/consumption-taxes/gsthst-and-qst/special-cases-gsthst-and-qst/coupons-gst-et-qst/non-reimbursable-coupons/",
)
RQ_REIMBURSED = Source(
    "Reimbursable Coupons",
    "Revenu Québec",
    "https://www.revenuquebec.ca/en/businesses/consumption-taxes/gsthst-and-qst/special-cases-gsthst-and-qst/coupons/reimbursable-coupons/",
)
HST = Source(
    "How to calculate HST for small business (Canada)",
    "LiveAbout",
    "https://www.liveabout.com/how-do-i-calculate-gst-hst-2948156",
)
TAXTIPS = Source(
    "GST/HST treatment of coupons",
    "TaxTips.ca",
    "https://www.taxtips.ca/gst/coupons.htm",
    "non-reimbursable coupons: tax on the price less the coupon",
)
CRA_270 = Source(
    "GST/HST Notice 270",
    "Canada Revenue Agency",
    "http://www.cra-arc.gc.ca/E/pub/gi/notice270/notice270-e.pdf",
    "GST of a tax-included amount is 5/105 of it",
)
CRA_PST = Source(
    "GST/HST and provincial sales taxes",
    "Canada Revenue Agency",
    "https://www.canada.ca/en/revenue-agency.html",
    "GST and PST each on the price without the other",
)
TEXAS = Source(
    "Sales Tax Collection",
    "Texas Comptroller of Public Accounts",
    "https://comptroller.texas.gov/taxes/sales/faq/collection.php",
)
TEXAS_GROCERY = Source(
    "Grocery and Convenience Stores (96-280)",
    "Texas Comptroller of Public Accounts",
    "https://comptroller.texas.gov/taxes/publications/96-280.php",
    "Discounts: $150 less 10 % is taxed on $135",
)
TEXAS_MEAL = Source(
    "Restaurants and the Texas Sales Tax",
    "Texas Comptroller of Public Accounts",
    "https://comptroller.texas.gov/taxes/publications/94-117.php",
    "Coupons: a $5 coupon toward a $15 meal is taxed on $10",
)
NY = Source(
    "20 NYCRR 526.5, Receipt",
    "New York Department of Taxation and Finance",
    "https://casetext.com/regulation/new-york-codes-rules-and-regulations/title-20-department-of-taxation-and-finance/chapter-iv-sales-and-use-and-other-miscellaneous-taxes/subchapter-a-sales-and-use-taxes/part-526-definitions/section-5265-receipt",
    "(b)(1), example 1",
)
NY_860 = Source(
    "Taxable Receipt (TB-ST-860)",
    "New York Department of Taxation and Finance",
    "https://tax.ny.gov/pubs_and_bulls/tg_bulletins/st/taxable_receipt.htm",
    "a taxable receipt times the combined state and local rate",
)
SSUTA = Source(
    "Streamlined Sales and Use Tax Agreement, section 324 (as N.D.C.C. 57-39.4-25)",
    "Streamlined Sales Tax Governing Board",
    "https://print.casetext.com/statute/north-dakota-century-code/title-57-taxation/chapter-57-394-streamlined-sales-and-use-tax-agreement/section-57-394-25-324-rounding",
    "third decimal over four rounds up; item or invoice basis; state and local together",
)
WA = Source(
    "RCW 82.08.054, Computation of tax due",
    "Washington State Legislature",
    "https://app.leg.wa.gov/RCW/default.aspx?cite=82.08.054",
)
CA = Source(
    "State, Local, and District Sales and Use Tax Return (CDTFA-401-A)",
    "California Department of Tax and Fee Administration",
    "https://www.cdtfa.ca.gov/",
    "lines 13 to 16: state 6 %, county 1/4 %, local 1 %, district",
)
OHIO = Source(
    "Rule 5703-9-52, Delivery charges",
    "Ohio Administrative Code",
    "https://codes.ohio.gov/ohio-administrative-code/rule-5703-9-52",
    "(B)(1): by the prices of taxable and of all property",
)
MALAYSIA = Source(
    "Calculating GST on Tax Invoices",
    "MRP",
    "https://mrp.com.my/2016/08/05/calculating-gst-on-tax-invoices",
    "examples 1 and 2",
)
IRAS = Source(
    "Invoicing customers",
    "Inland Revenue Authority of Singapore",
    "https://www.iras.gov.sg/",
    "GST by line item or on the total; to the nearest cent",
)
SARS = Source(
    "VAT 404, Guide for Vendors",
    "South African Revenue Service",
    "https://www.sars.gov.za/",
    "tax fraction 15/115",
)
SWISS = Source(
    "MWST-Rechner Schweiz",
    "darlehenrechner-ch",
    "https://darlehenrechner-ch.pages.dev/steuern/mwst-rechner",
)
NORWAY = Source(
    "Norway VAT Calculator", "Omni Calculator", "https://omnicalculator.space/norway-vat-calculator"
)
JAPAN = Source(
    "Q&A regarding the Invoice System",
    "National Tax Agency, Japan",
    "https://www.nta.go.jp/",
    "fractions: once per invoice and rate",
)
KOREA = Source(
    "Korean VAT Calculator", "Moneycomon", "https://finance.moneycomon.com/en/vat.html", "FAQ"
)
BAHRAIN = Source(
    "Rounding off rules for VAT in Bahrain (Executive Regulations, article 55)",
    "ECA Bahrain",
    "https://www.ecabahrain.com/rounding-off-rules-for-vat-in-bahrain-complete-guidance/",
)
INDIA_PAINT = Source(
    "M/s Real Paint sold 2 tins of lustre paint",
    "BYJU'S",
    "https://byjus.com/question-answer/m-s-real-paint-sold-2-tins-of-lustre-paint-and-taxable-value-of-each-1",
)
INDIA_KITCHEN = Source(
    "Example 17", "Lawcrux", "http://www.lawcrux.com/data5t/gt/gtexmp/example_17.htm"
)
INDIA_PUB = Source("gst_calculator", "pub.dev", "https://pub.dev/packages/gst_calculator")
INDIA_TIE = Source(
    "gst_calculator, changelog", "pub.dev", "https://pub.dev/packages/gst_calculator/changelog"
)
SPAIN = Source(
    "Ley 37/1992 del IVA, artículo 78",
    "Boletín Oficial del Estado",
    "https://www.boe.es/buscar/act.php?id=BOE-A-1992-28740",
    "Uno and Dos.1º: transport is in the base; Tres.2º: discounts are not",
)
GERMANY = Source(
    "Wie viel Umsatzsteuer darf's denn sein?",
    "SOLCOM",
    "https://freiberufler-blog.de/wie-viel-umsatzsteuer-darfs-denn-sein/",
    "a book for 60 % and a DVD for 40 % of the goods: shipping 60 % at 7, 40 % at 19",
)
FRANCE = Source(
    "BOI-TVA-LIQ-10",
    "Bulletin officiel des finances publiques",
    "https://bofip.impots.gouv.fr/bofip/1380-PGP.html/identifiant%3DBOI-TVA-LIQ-10-20120912",
    "I. Coefficients de conversion: 100 / (100 + taux)",
)
HUNGARY = Source(
    "Act CXXVII of 2007 on VAT, section 82 (27 %)",
    "National Legislation Database",
    "https://njt.hu/",
)
OSS = Source(
    "Explanatory Notes on VAT e-commerce rules",
    "European Commission",
    "https://vat-one-stop-shop.ec.europa.eu/guides_en",
    "distance sales: the rate of the customer's country, on the price without VAT",
)
OMAN = Source(
    "VAT Law (Royal Decree 121/2020), 5 %",
    "Oman Tax Authority",
    "https://tms.taxoman.gov.om/",
)
