"""The electronic invoice, held against the rules of EN 16931 that are arithmetic.

BR-… are the business rules of EN 16931-1 (Annex A, and the rule set of CEN/TC 434 for UBL);
PEPPOL-EN16931-R… those of Peppol BIS Billing 3.0.
"""

from __future__ import annotations

from decimal import Decimal
from xml.etree import ElementTree

import pytest

from apps.core import outbox
from apps.core.money import to_decimal
from apps.invoices import services
from apps.invoices.engines.ubl import NotEuropean, ubl
from apps.invoices.models import Invoice
from apps.orders.models import Order
from apps.payments.services import refund
from apps.taxes.models import TaxSettings, VATCheck
from tests.factories.taxes import VATCheckFactory
from tests.flows.test_taxes import BERLIN
from tests.flows.test_taxes import abroad as abroad
from tests.invoices.conftest import paid

pytestmark = pytest.mark.usefixtures("invariants")
_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
NAMES = {
    "cac": f"{_UBL}:CommonAggregateComponents-2",
    "cbc": f"{_UBL}:CommonBasicComponents-2",
}


class Document:
    def __init__(self, invoice: Invoice) -> None:
        self.root = ElementTree.fromstring(ubl(invoice))  # noqa: S314 (our own)
        self.kind = self.root.tag.partition("}")[2]

    def all(self, path: str, start: ElementTree.Element | None = None) -> list:
        return (self.root if start is None else start).findall(path, NAMES)

    def text(self, path: str, start: ElementTree.Element | None = None) -> str:
        return (self.root if start is None else start).findtext(path, "", NAMES)

    def number(self, path: str, start: ElementTree.Element | None = None) -> Decimal:
        return Decimal(self.text(path, start) or 0)

    @property
    def lines(self) -> list:
        return self.all(f"cac:{self.kind}Line")


def broken_rules(invoice: Invoice) -> list[str]:
    """The names of the rules that the invoice's document breaks."""
    doc = Document(invoice)
    totals, tax = "cac:LegalMonetaryTotal/cbc:", "cac:TaxTotal"
    net, subtotals = doc.number(f"{totals}LineExtensionAmount"), doc.all(f"{tax}/cac:TaxSubtotal")
    supplier, customer = (
        "cac:AccountingSupplierParty/cac:Party",
        "cac:AccountingCustomerParty/cac:Party",
    )
    vat_number = "cac:PartyTaxScheme/cbc:CompanyID"
    quantity = "CreditedQuantity" if doc.kind == "CreditNote" else "InvoicedQuantity"
    payable = doc.number(f"{totals}PayableAmount")
    rules = {
        # BT-106 is the sum of BT-131.
        "BR-CO-10": net == sum(doc.number("cbc:LineExtensionAmount", x) for x in doc.lines),
        # No allowances and charges: BT-109 = BT-106.
        "BR-CO-13": doc.number(f"{totals}TaxExclusiveAmount") == net,
        # BT-110 is the sum of BT-117.
        "BR-CO-14": doc.number(f"{tax}/cbc:TaxAmount")
        == sum(doc.number("cbc:TaxAmount", x) for x in subtotals),
        # BT-112 = BT-109 + BT-110.
        "BR-CO-15": doc.number(f"{totals}TaxInclusiveAmount")
        == doc.number(f"{totals}TaxExclusiveAmount") + doc.number(f"{tax}/cbc:TaxAmount"),
        # BT-115 = BT-112 - BT-113.
        "BR-CO-16": payable
        == doc.number(f"{totals}TaxInclusiveAmount") - doc.number(f"{totals}PrepaidAmount"),
        # BT-117 = BT-116 x BT-119, within one unit of the currency as the rule set's schematron.
        "BR-CO-17": all(
            abs(
                doc.number("cbc:TaxAmount", x)
                - doc.number("cbc:TaxableAmount", x)
                * doc.number("cac:TaxCategory/cbc:Percent", x)
                / 100
            )
            < 1
            for x in subtotals
        ),
        "BR-CO-18": len(subtotals) > 0,
        # With something to pay: a due date or payment terms.
        "BR-CO-25": payable <= 0
        or bool(doc.text("cbc:DueDate") or doc.text("cac:PaymentTerms/cbc:Note")),
        # The seller can be identified.
        "BR-CO-26": bool(doc.text(f"{supplier}/{vat_number}")),
        # VAT numbers begin with a country.
        "BR-CO-09": all(
            number[:2].isalpha()
            for party in (supplier, customer)
            if (number := doc.text(f"{party}/{vat_number}"))
        ),
        "BR-CO-04": all(
            doc.text("cac:Item/cac:ClassifiedTaxCategory/cbc:ID", x) for x in doc.lines
        ),
        "BR-02": doc.text("cbc:ID") == invoice.number,
        "BR-06": bool(doc.text(f"{supplier}/cac:PartyLegalEntity/cbc:RegistrationName")),
        "BR-07": bool(doc.text(f"{customer}/cac:PartyLegalEntity/cbc:RegistrationName")),
        "BR-09": doc.text(f"{supplier}/cac:PostalAddress/cac:Country/cbc:IdentificationCode")
        == "ES",
        "BR-16": len(doc.lines) > 0,
        "BR-22": all(doc.text(f"cbc:{quantity}", x) for x in doc.lines),
        "BR-27": all(doc.number("cac:Price/cbc:PriceAmount", x) >= 0 for x in doc.lines),
        # Each breakdown's base is the sum of its lines.
        "BR-S-08": {
            _rate(doc, "cac:TaxCategory", x): doc.number("cbc:TaxableAmount", x) for x in subtotals
        }
        == _sums(doc),
        # A category without tax says why, and bears none.
        "BR-E-10": all(
            bool(doc.text("cac:TaxCategory/cbc:TaxExemptionReason", x))
            == (doc.text("cac:TaxCategory/cbc:ID", x) in "EKG")
            for x in subtotals
        ),
        "BR-E-09": all(
            doc.number("cbc:TaxAmount", x) == 0
            for x in subtotals
            if doc.text("cac:TaxCategory/cbc:ID", x) != "S"
        ),
        # BT-131 = quantity x price / base quantity.
        "PEPPOL-EN16931-R120": all(
            doc.number("cbc:LineExtensionAmount", x)
            == doc.number(f"cbc:{quantity}", x)
            * doc.number("cac:Price/cbc:PriceAmount", x)
            / doc.number("cac:Price/cbc:BaseQuantity", x)
            for x in doc.lines
        ),
        "PEPPOL-EN16931-R008": all(len(x) or x.text for x in doc.root.iter()),
        "PEPPOL-EN16931-R003": doc.text("cac:OrderReference/cbc:ID") == invoice.order.number,
        "PEPPOL-EN16931-R010": bool(doc.text(f"{customer}/cbc:EndpointID")),
        "PEPPOL-EN16931-R020": bool(doc.text(f"{supplier}/cbc:EndpointID")),
    }
    return [name for name, holds in rules.items() if not holds]


def _rate(doc: Document, path: str, start: ElementTree.Element) -> tuple[str, Decimal]:
    return doc.text(f"{path}/cbc:ID", start), doc.number(f"{path}/cbc:Percent", start)


def _sums(doc: Document) -> dict[tuple[str, Decimal], Decimal]:
    found: dict[tuple[str, Decimal], Decimal] = {}
    for line in doc.lines:
        key = _rate(doc, "cac:Item/cac:ClassifiedTaxCategory", line)
        found[key] = found.get(key, Decimal(0)) + doc.number("cbc:LineExtensionAmount", line)
    return found


def test_invoice_keeps_the_rules(buyer):
    order = paid(buyer)
    invoice = order.invoices.get()
    doc = Document(invoice)
    assert broken_rules(invoice) == []
    assert (doc.kind, doc.text("cbc:InvoiceTypeCode")) == ("Invoice", "380")
    assert doc.text("cbc:CustomizationID").endswith("poacc:billing:3.0")
    assert doc.number("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount") == to_decimal(
        order.total, "EUR"
    )
    assert doc.number("cac:LegalMonetaryTotal/cbc:PayableAmount") == 0
    assert {_rate(doc, "cac:TaxCategory", x) for x in doc.all("cac:TaxTotal/cac:TaxSubtotal")} == {
        ("S", Decimal(21)),
        ("S", Decimal(4)),
    }


def test_rules_are_broken_by_a_wrong_document(buyer):
    """The checks above aren't right by mere silence."""
    invoice = paid(buyer).invoices.get()
    invoice.tax += 1
    assert set(broken_rules(invoice)) == {"BR-CO-14", "BR-CO-15"}
    invoice.tax -= 1
    invoice.content["lines"][0]["net"] += 1
    assert set(broken_rules(invoice)) == {"BR-CO-10"}


def test_credit_note_names_its_invoice_and_keeps_the_rules(buyer):
    order = paid(buyer)
    refund(payment=order.payments.get(), amount=1234)
    outbox.drain()
    invoice, note = order.invoices.order_by("pk")
    doc = Document(note)
    assert broken_rules(note) == []
    assert (doc.kind, doc.text("cbc:CreditNoteTypeCode")) == ("CreditNote", "381")
    reference = "cac:BillingReference/cac:InvoiceDocumentReference"
    assert doc.text(f"{reference}/cbc:ID") == invoice.number
    assert doc.number("cac:LegalMonetaryTotal/cbc:TaxInclusiveAmount") == Decimal("12.34")


def test_supply_to_a_business_abroad_says_why_it_bears_no_tax(buyer, abroad):
    TaxSettings.objects.update(oss_from=None)
    VATCheckFactory(country="DE", number="136695976", verdict=VATCheck.Verdict.VALID)
    place = {**BERLIN, "company": "Klein GmbH", "vat_number": "DE136695976"}
    order = paid(buyer, ("MUG", 2), shipping_address=place, shipping_method="far")
    invoice = order.invoices.get()
    assert (order.tax_scheme, invoice.tax, invoice.buyer) == ("reverse_charge", 0, "Klein GmbH")
    assert broken_rules(invoice) == []
    doc = Document(invoice)
    [subtotal] = doc.all("cac:TaxTotal/cac:TaxSubtotal")
    assert _rate(doc, "cac:TaxCategory", subtotal) == ("K", Decimal(0))
    assert doc.text("cac:TaxCategory/cbc:TaxExemptionReasonCode", subtotal) == "VATEX-EU-IC"
    assert "article 138" in doc.text("cac:TaxCategory/cbc:TaxExemptionReason", subtotal)
    # BR-IC-02, BR-IC-11, BR-IC-12: the buyer's number, the day and the country of delivery.
    customer = "cac:AccountingCustomerParty/cac:Party/cac:PartyTaxScheme/cbc:CompanyID"
    assert doc.text(customer) == "DE136695976"
    assert doc.text("cac:Delivery/cbc:ActualDeliveryDate") == invoice.issued_on.isoformat()
    country = "cac:DeliveryLocation/cac:Address/cac:Country/cbc:IdentificationCode"
    assert doc.text(f"cac:Delivery/{country}") == "DE"


def test_what_the_standard_cannot_say_is_refused(buyer):
    invoice = paid(buyer).invoices.get()
    taxes = invoice.content["lines"][0]["taxes"]
    taxes.append({"name": "PST", "percent": "7", "amount": 0})
    with pytest.raises(NotEuropean):
        ubl(invoice)
    taxes.pop()
    invoice.content["seller"]["vat_number"] = ""
    with pytest.raises(NotEuropean):
        ubl(invoice)


def test_names_cannot_break_the_document(buyer):
    order = paid(buyer)
    Order.objects.filter(pk=order.pk).update(
        billing_address={**order.shipping_address, "company": 'A & B <"C">\x07'}
    )
    invoice = services.reissue_invoice(order=order, reason="]]> & <b>")
    assert (
        Document(invoice).text(
            "cac:AccountingCustomerParty/cac:Party/cac:PartyLegalEntity/cbc:RegistrationName"
        )
        == 'A & B <"C">'
    )
