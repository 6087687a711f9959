"""Stores, taxes, shipping, stock and people of the demo."""

from __future__ import annotations

from datetime import date

from django.contrib.auth.models import Group
from django.utils import timezone

from apps.accounts.models import User
from apps.core.money import Money
from apps.customers.models import Customer, CustomerGroup
from apps.customers.services.addresses import add_address
from apps.customers.services.registration import get_or_create_for_user
from apps.inventory.models import Location
from apps.invoices.models import InvoiceSettings
from apps.payments.services import grant_store_credit
from apps.pricing.models import PriceList
from apps.shipping.models import PickupPoint, ShippingMethod, ShippingRate, Zone
from apps.shipping.services.pickup import point_address
from apps.stores.models import ExchangeRate, Store
from apps.taxes.services import BUNDLED, import_rates, read_rates, save_settings
from commerce.demo.words import ADDRESSES, CUSTOMERS

# Known to everybody who reads this: `check --deploy` refuses to start a shop with COMMERCE_DEMO.
PASSWORD = "commerce-demo"  # noqa: S105
# Of nobody: its check digit is right.
VAT_NUMBER = "ESB12345674"
STAFF = (
    ("merchant@example.com", "Marta", "owner"),
    ("manager@example.com", "Miguel", "manager"),
    ("warehouse@example.com", "Wanda", "fulfillment"),
    ("support@example.com", "Sergio", "support"),
    ("viewer@example.com", "Vera", "read-only"),
)


def build_stores() -> list[Store]:
    """Two shops in Europe (prices with tax) and one in the United States (tax added)."""
    rows = (
        ("main", "Commerce Demo", "EUR", ["USD"], ["en", "es"], "ES", True, "WEB-"),
        ("uk", "Commerce Demo UK", "GBP", [], ["en"], "GB", True, "UK-"),
        ("us", "Commerce Demo US", "USD", [], ["en", "es"], "US", False, "US-"),
    )
    stores = []
    for code, name, currency, more, languages, country, included, prefix in rows:
        stores.append(
            Store.objects.create(
                code=code,
                name=name,
                is_default=code == "main",
                default_currency=currency,
                currencies=more,
                languages=languages,
                country=country,
                prices_include_tax=included,
                order_prefix=prefix,
                email="merchant@example.com",
            )
        )
    today = timezone.now().date()
    for currency, rate in (("USD", "1.09"), ("GBP", "0.86")):
        ExchangeRate.objects.create(base="EUR", currency=currency, rate=rate, date=today)
    return stores


def build_invoices(store: Store) -> None:
    """Who sells, and that what is paid is invoiced: orders get their papers with their events."""
    store.legal_name = "Commerce Demo S.L."
    store.street, store.postal_code, store.city = "Calle Mayor 1", "28013", "Madrid"
    store.save()
    InvoiceSettings.objects.create(
        store=store, issue_on=InvoiceSettings.IssueOn.PAID, footer="Registro Mercantil de Madrid"
    )


def build_taxes() -> None:
    """The rates that come with Commerce, and what the tax offices know of the shops."""
    for name in ("eu", "us", "world"):
        with BUNDLED[name].open(encoding="utf-8", newline="") as file:
            import_rates(rows=read_rates(file))
    main, us = (Store.objects.get(code=code) for code in ("main", "us"))
    save_settings(store=main, changes={"oss_from": date(2026, 1, 1), "vat_number": VAT_NUMBER})
    save_settings(store=us, changes={"nexus": ["CA", "NY", "TX"]})


def build_shipping(stores: list[Store]) -> None:
    """A flat rate, a table by weight, and free shipping from a sum on."""
    home = {
        "main": Zone.objects.create(name="Spain", places=["ES"]),
        "uk": Zone.objects.create(name="United Kingdom", places=["GB"]),
        "us": Zone.objects.create(name="United States", places=["US"]),
    }
    europe = Zone.objects.create(name="Europe", places=["DE", "FR", "PT", "IT", "NL", "BE", "AT"])
    for store in stores:
        flat = ShippingMethod.objects.create(
            store=store, zone=home[store.code], code="standard", name="Standard", min_days=2
        )
        express = ShippingMethod.objects.create(
            store=store,
            zone=home[store.code],
            code="express",
            name="Express",
            min_days=1,
            max_days=1,
            position=1,
        )
        methods = [(flat, 495), (express, 995)]
        if store.code == "main":
            abroad = ShippingMethod.objects.create(
                store=store, zone=europe, code="europe", name="Europe", min_days=3, max_days=7
            )
            methods += [(abroad, 1290), (_pickup(store, home[store.code]), 0)]
        for method, price in methods:
            for currency in store.all_currencies:
                _bands(method, currency, price)


def _pickup(store: Store, zone: Zone) -> ShippingMethod:
    """Fetched at the city shop, or at a kiosk that the warehouse sends it to."""
    method = ShippingMethod.objects.create(
        store=store,
        zone=zone,
        code="pickup",
        name="Pick-up",
        kind=ShippingMethod.Kind.PICKUP,
        min_days=0,
        max_days=2,
        position=2,
    )
    for name, line1, postal_code, location in (
        ("City shop Madrid", "Calle de Fuencarral 8", "28004", "city-shop"),
        ("Kiosk Atocha", "Plaza del Emperador Carlos V 1", "28012", ""),
    ):
        address = {
            "line1": line1,
            "city": "Madrid",
            "region": "M",
            "postal_code": postal_code,
            "country": "ES",
        }
        PickupPoint.objects.create(
            method=method,
            name=name,
            address=point_address(address),
            opening_hours="Mo-Sa 10:00-20:00",
            location_code=location,
        )
    return method


def _bands(method: ShippingMethod, currency: str, price: int) -> None:
    free = 6000 if method.code == "standard" else None
    for low, high, factor in ((0, 2_000, 1), (2_000, 10_000, 2), (10_000, 30_000, 4)):
        ShippingRate.objects.create(
            method=method,
            currency=currency,
            min_weight=low,
            max_weight=high,
            price=price * factor,
            free_above=free,
        )


def build_locations(stores: list[Store]) -> list[Location]:
    """Two places with stock: the warehouse ships first, the city shop what it lacks."""
    warehouse = Location.objects.create(code="warehouse", name="Warehouse Getafe", priority=1)
    shop = Location.objects.create(code="city-shop", name="City shop Madrid", priority=2)
    shop.stores.set(stores)
    return [warehouse, shop]


def build_people() -> list[Customer]:
    """Staff of every role, and customers with addresses."""
    for email, name, role in STAFF:
        user = User.objects.create_user(email, PASSWORD, first_name=name, is_staff=True)
        user.groups.add(Group.objects.get(name=role))
    trade = CustomerGroup.objects.create(code="trade", name="Trade")
    PriceList.objects.create(code="trade", name="Trade prices", group=trade, priority=10)
    customers = []
    for number, (email, first_name, last_name, language) in enumerate(CUSTOMERS):
        user = User.objects.create_user(
            email, PASSWORD, first_name=first_name, last_name=last_name, language=language
        )
        customer = get_or_create_for_user(user=user)
        customer.group = trade if number == 2 else None
        customer.save()
        add_address(customer=customer, data=ADDRESSES[number % len(ADDRESSES)])
        customers.append(customer)
    grant_store_credit(
        customer=customers[0], amount=Money(1500, "EUR"), reason="A parcel came late"
    )
    return customers
