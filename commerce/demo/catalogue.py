"""The demo's products, with their prices, stock and pictures."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator

from django.utils.text import slugify

from apps.inventory.models import Location, StockLevel
from apps.inventory.services import receive
from apps.pricing.models import PriceList
from apps.pricing.services import PriceData, set_prices
from apps.products.models import Collection, Product, Variant
from apps.products.services.collections import save_collection
from apps.products.services.images import add_image
from apps.products.services.upsert import ProductData, StoreWindow, VariantData, upsert_product
from apps.stores.models import Store
from commerce.demo.pictures import draw
from commerce.demo.words import COLLECTIONS, FAMILIES, Family

# Units of the currency for 100 cents of a euro, rounded as a merchant would.
_FACTORS = {"EUR": 100, "USD": 109, "GBP": 86}


def product_names() -> list[tuple[Family, str]]:
    return [(family, name) for family in FAMILIES for name in family.names]


def build_products(stores: list[Store], locations: list[Location]) -> Iterator[Product]:
    """Build one product after the other, so that progress can be shown."""
    trade = PriceList.objects.get(code="trade")
    for number, (family, name) in enumerate(product_names()):
        product = _product(stores, family, name)
        add_image(product=product, upload=draw(name), alt=name)
        if number % 3 == 0:
            add_image(product=product, upload=draw(name, 1), alt=f"{name}, seen from the side")
        variants = list(product.variants.all())
        _price(stores, variants, family, number, trade)
        _stock(locations, variants, number)
        yield product


def build_gift_card(stores: list[Store]) -> Product:
    """A gift card of three values; whoever buys it may send it to somebody."""
    values = ("25", "50", "100")
    data = ProductData(
        slug="gift-card",
        name="Gift card",
        description="<p>For whoever has everything: it comes by e-mail, and doesn't expire.</p>",
        status="active",
        is_gift_card=True,
        tags=["gift"],
        options={"Value": list(values)},
        variants=[
            VariantData(
                sku=f"GIFT-CARD-{value}",
                options={"Value": value},
                requires_shipping=False,
                track_inventory=False,
            )
            for value in values
        ],
        publications=[StoreWindow(store.code) for store in stores],
    )
    upsert_product(data=data, store=stores[0])
    product = Product.objects.get(slug="gift-card")
    add_image(product=product, upload=draw("Gift card"), alt="Gift card")
    set_prices(
        [
            PriceData(variant_id=variant.pk, currency=currency, amount=int(value) * 100)
            for value, variant in zip(values, product.variants.order_by("pk"), strict=True)
            for currency in _FACTORS
        ]
    )
    return product


def build_collections() -> None:
    for slug, name, rule in COLLECTIONS:
        save_collection(
            collection=Collection(slug=slug), fields={"name": name, "kind": "rule", "rule": rule}
        )


def _product(stores: list[Store], family: Family, name: str) -> Product:
    slug = slugify(f"{name} {family.brand}")
    combinations = itertools.product(*family.options.values())
    data = ProductData(
        slug=slug,
        name=name,
        description=f"<p>{family.text}</p><p>{name} by {family.brand}.</p>",
        status="active",
        brand=family.brand,
        product_type=family.kind,
        tax_class=family.tax_class,
        tags=list(family.tags),
        categories=[family.path],
        options={option: list(values) for option, values in family.options.items()},
        variants=[
            VariantData(
                sku="-".join([slug.upper(), *(slugify(value).upper() for value in values)])[:100],
                options=dict(zip(family.options, values, strict=True)),
                weight=family.weight,
                requires_shipping=family.requires_shipping,
                track_inventory=family.requires_shipping,
                origin_country="ES",
            )
            for values in combinations
        ],
        seo_title=f"{name} | {family.brand}",
        seo_description=family.text,
        publications=[StoreWindow(store.code) for store in stores],
    )
    upsert_product(data=data, store=stores[0])
    return Product.objects.get(slug=slug)


def _price(
    stores: list[Store], variants: Iterable[Variant], family: Family, number: int, trade: PriceList
) -> None:
    base = family.price + number % 7 * 150
    reduced = number % 5 == 0
    prices = []
    for step, variant in enumerate(variants):
        for currency, factor in _FACTORS.items():
            amount = (base + step % 4 * 100) * factor // 100
            prices.append(
                PriceData(
                    variant_id=variant.pk,
                    currency=currency,
                    amount=amount * 8 // 10 if reduced else amount,
                    compare_at=amount if reduced else None,
                )
            )
        prices.append(
            PriceData(
                variant_id=variant.pk,
                currency="EUR",
                amount=base * 7 // 10,
                price_list_id=trade.pk,
            )
        )
    set_prices(prices)


def _stock(locations: list[Location], variants: Iterable[Variant], number: int) -> None:
    for step, variant in enumerate(variants):
        if not variant.track_inventory:
            continue
        for place, location in enumerate(locations):
            quantity = (number * 7 + step * 5 + place * 11) % 40
            if quantity:
                receive(
                    variant=variant, location=location, quantity=quantity, reference="opening stock"
                )
        StockLevel.objects.filter(variant=variant).update(low_stock_threshold=5)
