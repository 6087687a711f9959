"""Customers in CSV: our own format, Shopify's and WooCommerce's. A row has an address, or none."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.core.addresses import FIELDS
from apps.customers.models import Address, Customer
from apps.customers.services.importing import CustomerData
from apps.integrations.channels import cells
from apps.integrations.channels.base import Channel, Context, Parsed, Refusal, Refused, Row

_ABOUT = ("email", "first_name", "last_name", "phone", "language", "group", "tags")
_CONSENT = ("accepts_marketing", "evidence")
_DEFAULTS = ("is_default_shipping", "is_default_billing")
_ADDRESS = tuple(f"address_{name}" for name in (*FIELDS, *_DEFAULTS))
HEADER = (*_ABOUT, *_CONSENT, "note", *_ADDRESS)


class CustomerChannel(Channel):
    """Our own format: every address stands on a row; the first one has the customer."""

    code = "customers"
    label = gettext_lazy("Customers: Commerce")
    subject = "customers"
    required = ("email",)
    restores = True
    # Header cells in lower case → our columns. Further addresses of a row by their prefix.
    columns: ClassVar[Mapping[str, str]] = {name: name for name in HEADER}
    prefixes: ClassVar[tuple[str, ...]] = ("address_",)
    # How those agreed to marketing of whom the file only says that they did; "": it must say.
    evidence: ClassVar[str] = ""

    def column(self, header: str) -> str | None:
        return self.columns.get(header.lstrip("\ufeff").strip().lower())

    def identity(self, row: Row, previous: str | None) -> tuple[str | None, Sequence[str]]:
        """An empty address continues the row above it."""
        return row.text("email").strip().lower() or previous, ()

    def parse(self, rows: Sequence[Row], context: Context) -> Parsed:
        parsed = Parsed(rows[0].line)
        parsed.refusals = [Refusal(r.line, r.column, r.problem) for r in rows if r.problem]
        sound = [row for row in rows if not row.problem]
        if not sound:
            return parsed
        head = sound[0]
        parsed.line = head.line
        if not head.text("email").strip():
            reason = _("Customers are found by their e-mail address.")
            parsed.refusals.append(Refusal(head.line, "email", reason))
            return parsed
        parsed.customer = self._customer(head, parsed)
        for row in sound:
            for prefix in self.prefixes:
                if address := _address(row, prefix, head):
                    parsed.customer.addresses.append(address)
                    parsed.address_lines.append(row.line)
        return parsed

    def _customer(self, row: Row, parsed: Parsed) -> CustomerData:
        agreed = False
        try:
            agreed = bool(cells.boolean(row.text("accepts_marketing"), "accepts_marketing"))
        except Refused as error:
            parsed.refusals.append(Refusal(row.line, error.column, error.reason))
        names = ("first_name", "last_name", "phone", "language", "note")
        return CustomerData(
            email=row.text("email").strip(),
            # Shopify writes phones and postal codes as texts that spreadsheets leave alone.
            texts={name: row.text(name).lstrip("'") for name in names},
            group=row.text("group").strip(),
            tags=[tag.strip() for tag in row.text("tags").split(",") if tag.strip()],
            accepts_marketing=agreed,
            evidence=row.text("evidence").strip() or self.evidence,
        )


class ShopifyCustomerChannel(CustomerChannel):
    code = "shopify-customers"
    label = gettext_lazy("Customers: Shopify")
    restores = False
    evidence = "Shopify: Accepts Email Marketing"
    columns: ClassVar[Mapping[str, str]] = {
        "email": "email",
        "first name": "first_name",
        "last name": "last_name",
        "phone": "phone",
        "tags": "tags",
        "note": "note",
        "accepts email marketing": "accepts_marketing",
        "accepts marketing": "accepts_marketing",
        # The names of today, then those of older exports.
        **{
            f"{prefix}{theirs}": f"address_{ours}"
            for prefix in ("default address ", "")
            for theirs, ours in (
                ("company", "company"),
                ("address1", "line1"),
                ("address2", "line2"),
                ("city", "city"),
                ("province code", "region"),
                ("country code", "country"),
                ("zip", "postal_code"),
            )
        },
        "default address phone": "address_phone",
    }


class WooCommerceCustomerChannel(CustomerChannel):
    """As WooCommerce's REST API and the export plugins name them."""

    code = "woocommerce-customers"
    label = gettext_lazy("Customers: WooCommerce")
    restores = False
    prefixes = ("address_billing_", "address_shipping_")
    columns: ClassVar[Mapping[str, str]] = {
        **dict.fromkeys(("email", "user_email"), "email"),
        "first_name": "first_name",
        "last_name": "last_name",
        "locale": "language",
        **{
            f"{kind}_{theirs}": f"address_{kind}_{ours}"
            for kind in ("billing", "shipping")
            for theirs, ours in (
                *((name, name) for name in ("first_name", "last_name", "company", "city")),
                ("address_1", "line1"),
                ("address_2", "line2"),
                ("state", "region"),
                ("postcode", "postal_code"),
                ("country", "country"),
                ("phone", "phone"),
            )
        },
    }


def _address(row: Row, prefix: str, head: Row) -> dict[str, Any]:
    """The address of a row's columns with this prefix, of the person of `head` if it names nobody;
    {} if there is none."""
    found = {name: row.text(prefix + name).strip().lstrip("'") for name in FIELDS}
    if not any(found[name] for name in ("line1", "city", "postal_code")):
        return {}
    for name in ("first_name", "last_name"):
        found[name] = found[name] or head.text(name)
    flags = {name: row.text(prefix + name).strip().lower() == "true" for name in _DEFAULTS}
    return {**found, **flags}


def rows_of(customer: Customer) -> Iterator[list[Any]]:
    """The rows of a customer in our own format."""
    about = [
        *(getattr(customer, name) for name in ("email", "first_name", "last_name", "phone")),
        customer.language,
        customer.group.code if customer.group else "",
        ", ".join(tag.name for tag in customer.tags.all()),
        "true" if customer.accepts_marketing else "false",
        # It stands in the timeline of the shop that the file is from.
        _("exported from a shop where they had agreed") if customer.accepts_marketing else "",
        customer.note,
    ]
    addresses: list[Address | None] = [*customer.addresses.all()] or [None]
    for number, address in enumerate(addresses):
        first = about if number == 0 else [customer.email, *[""] * (len(about) - 1)]
        yield [*first, *(_cells(address) if address else [""] * len(_ADDRESS))]


def _cells(address: Address) -> list[Any]:
    flags = ["true" if getattr(address, name) else "false" for name in _DEFAULTS]
    return [*(getattr(address, name) for name in FIELDS), *flags]
