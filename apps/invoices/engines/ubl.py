"""Invoices as EN 16931 wants them: UBL 2.1, in the customization of Peppol BIS Billing 3.0.

https://docs.peppol.eu/poacc/billing/3.0/. Terms are named by the standard's numbers (BT-…). Pure.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.errors import NotFound
from apps.core.money import decimal_string
from apps.core.xml import DECLARATION, xml_text
from apps.invoices.models import Invoice

_UBL = "urn:oasis:names:specification:ubl:schema:xsd"
_CUSTOMIZATION = "urn:cen.eu:en16931:2017#compliant#urn:fdc:peppol.eu:2017:poacc:billing:3.0"
_PROFILE = "urn:fdc:peppol.eu:2017:poacc:billing:01:1.0"
# UNCL 1001: commercial invoice, credit note.
_TYPES = {Invoice.Kind.INVOICE: ("Invoice", "380"), Invoice.Kind.CREDIT_NOTE: ("CreditNote", "381")}
# UNCL 5305 and the code list VATEX, by the scheme of the sale (`apps.taxes.engines.supply`).
_UNTAXED = {"reverse_charge": ("K", "VATEX-EU-IC"), "export": ("G", "VATEX-EU-G")}
_OTHERWISE = "Exempt from VAT, or outside its scope."
# Electronic mail, of the code list EAS.
_MAIL = "EM"
_VAT = "<cac:TaxScheme><cbc:ID>VAT</cbc:ID></cac:TaxScheme>"


class NotEuropean(NotFound):
    """EN 16931 knows one VAT rate a line, and names sellers by their VAT number."""

    code = "not_en16931"
    message = _("EN 16931 needs the seller's VAT number and e-mail, and one rate for each line.")


def ubl(invoice: Invoice) -> str:
    """The XML document. Raises NotEuropean."""
    content, seller = invoice.content, invoice.content["seller"]
    if not (seller["vat_number"] and seller["email"]) or any(
        len(line["taxes"]) > 1 for line in content["lines"]
    ):
        raise NotEuropean()
    root, code = _TYPES[Invoice.Kind(invoice.kind)]
    is_note = invoice.kind == Invoice.Kind.CREDIT_NOTE
    issued = invoice.issued_on.isoformat()
    parts = [
        _text("CustomizationID", _CUSTOMIZATION),
        _text("ProfileID", _PROFILE),
        _text("ID", invoice.number),
        _text("IssueDate", issued),
        "" if is_note else _text("DueDate", content["due_on"]),
        _text(f"{root}TypeCode", code),
        _text("Note", content["tax_note"] or invoice.reason),
        _text("DocumentCurrencyCode", invoice.currency),
        _group("OrderReference", _text("ID", content["order"]["number"])),
        _corrected(content) if is_note else "",
        _group("AccountingSupplierParty", _party(seller, seller["name"])),
        _group("AccountingCustomerParty", _party(content["buyer"], invoice.buyer)),
        _delivery(content),
        _group("PaymentTerms", _text("Note", f"Due on {content['due_on']}")),
        _taxes(invoice),
        _totals(invoice),
        *(_line(invoice, line, root) for line in content["lines"]),
    ]
    names = "".join(
        f' xmlns{short}="{_UBL}:{name}-2"'
        for short, name in (
            ("", root),
            (":cac", "CommonAggregateComponents"),
            (":cbc", "CommonBasicComponents"),
        )
    )
    return f"{DECLARATION}<{root}{names}>{''.join(parts)}</{root}>\n"


def _text(name: str, value: Any, **attributes: str) -> str:
    """An element with a text; nothing for an empty one, which Peppol forbids (R008)."""
    if value in ("", None):
        return ""
    marks = "".join(f' {key}="{xml_text(text)}"' for key, text in attributes.items())
    return f"<cbc:{name}{marks}>{xml_text(str(value))}</cbc:{name}>"


def _group(name: str, *parts: str) -> str:
    inner = "".join(parts)
    return f"<cac:{name}>{inner}</cac:{name}>" if inner else ""


def _amount(name: str, amount: int, currency: str) -> str:
    return _text(name, decimal_string(amount, currency), currencyID=currency)


def _corrected(content: dict[str, Any]) -> str:
    """BG-3: the invoice that a credit note takes back."""
    first = content["corrects"]
    inner = _text("ID", first["number"]) + _text("IssueDate", first["issued_on"])
    return _group("BillingReference", _group("InvoiceDocumentReference", inner))


def _party(party: dict[str, Any], name: str) -> str:
    number = party["vat_number"].upper().replace(" ", "")
    if number and not number[:2].isalpha():
        # BR-CO-09: with the country in front.
        number = party["country"] + number
    return _group(
        "Party",
        _text("EndpointID", party["email"], schemeID=_MAIL),
        _group("PostalAddress", _address(party)),
        _group("PartyTaxScheme", _text("CompanyID", number), _VAT) if number else "",
        _group("PartyLegalEntity", _text("RegistrationName", name)),
        _group("Contact", _text("ElectronicMail", party["email"])),
    )


def _address(address: dict[str, Any]) -> str:
    return "".join(
        (
            _text("StreetName", address["line1"]),
            _text("AdditionalStreetName", address.get("line2")),
            _text("CityName", address["city"]),
            _text("PostalZone", address["postal_code"]),
            _text("CountrySubentity", address.get("region")),
            _group("Country", _text("IdentificationCode", address["country"])),
        )
    )


def _delivery(content: dict[str, Any]) -> str:
    """BG-13: BR-IC-11 and BR-IC-12 want the day and the country of a supply within the Union."""
    place = content["ship_to"] if content["ship_to"]["country"] else content["buyer"]
    return _group(
        "Delivery",
        _text("ActualDeliveryDate", content["order"]["supplied_on"]),
        _group("DeliveryLocation", _group("Address", _address(place))),
    )


def _rate(line: dict[str, Any], scheme: str) -> tuple[str, str]:
    """BT-151 and BT-152: the category and the rate of a line."""
    percent = line["taxes"][0]["percent"] if line["taxes"] else "0"
    if Decimal(percent):
        return "S", percent
    if scheme in _UNTAXED:
        return _UNTAXED[scheme][0], "0"
    return ("Z" if line["taxes"] else "E"), "0"


def _taxes(invoice: Invoice) -> str:
    """BG-23: the VAT of each category and rate."""
    content, currency = invoice.content, invoice.currency
    rows: dict[tuple[str, str], list[int]] = {}
    for line in content["lines"]:
        row = rows.setdefault(_rate(line, content["scheme"]), [0, 0])
        row[0] += line["net"]
        row[1] += sum(tax["amount"] for tax in line["taxes"])
    subtotals = []
    for (code, percent), (net, tax) in rows.items():
        vatex = next((v for c, v in _UNTAXED.values() if c == code), "")
        category = _group(
            "TaxCategory",
            _text("ID", code) + _text("Percent", percent),
            _text("TaxExemptionReasonCode", vatex),
            _text("TaxExemptionReason", content["tax_note"] or _OTHERWISE) if code in "EKG" else "",
            _VAT,
        )
        amounts = _amount("TaxableAmount", net, currency) + _amount("TaxAmount", tax, currency)
        subtotals.append(_group("TaxSubtotal", amounts, category))
    return _group("TaxTotal", _amount("TaxAmount", invoice.tax, currency), *subtotals)


def _totals(invoice: Invoice) -> str:
    """BG-22. There are no charges and allowances of the document: shipping is a line."""
    paid = min(max(invoice.content["paid"], 0), invoice.total)
    return _group(
        "LegalMonetaryTotal",
        *(
            _amount(name, amount, invoice.currency)
            for name, amount in (
                ("LineExtensionAmount", invoice.net),
                ("TaxExclusiveAmount", invoice.net),
                ("TaxInclusiveAmount", invoice.total),
                ("PrepaidAmount", paid),
                ("PayableAmount", invoice.total - paid),
            )
        ),
    )


def _line(invoice: Invoice, line: dict[str, Any], root: str) -> str:
    """BG-25. The price is that of all pieces, so that it needs no rounding (BT-146, BT-149)."""
    currency, pieces = invoice.currency, {"unitCode": "C62"}
    kind = "Credited" if root == "CreditNote" else "Invoiced"
    code, percent = _rate(line, invoice.content["scheme"])
    options = ", ".join(f"{name}: {value}" for name, value in line["options"].items())
    return _group(
        f"{root}Line",
        _text("ID", line["n"]),
        _text(f"{kind}Quantity", line["quantity"], **pieces),
        _amount("LineExtensionAmount", line["net"], currency),
        _group(
            "Item",
            _text("Description", options),
            _text("Name", line["name"]),
            _group("SellersItemIdentification", _text("ID", line["sku"])),
            _group("ClassifiedTaxCategory", _text("ID", code) + _text("Percent", percent), _VAT),
        ),
        _group(
            "Price",
            _amount("PriceAmount", line["net"], currency),
            _text("BaseQuantity", line["quantity"], **pieces),
        ),
    )
