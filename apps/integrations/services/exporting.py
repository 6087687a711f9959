"""The catalogue as a file, a batch of products at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from django.db.models import Prefetch

from apps.core.spreadsheet import csv_lines
from apps.integrations.channels.base import ExportProduct, Item, PriceRow
from apps.integrations.channels.registry import UnknownFormat, channel_of
from apps.inventory.models import StockLevel
from apps.pricing.models import Price
from apps.products.models import (
    Category,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductRelation,
    Tag,
    Variant,
)
from apps.products.services.product_data import Contents, Quantities, address_of
from apps.products.services.upsert import ImageData, ProductData, StoreWindow, VariantData
from apps.stores.models import Store

BATCH = 200


@dataclass(frozen=True, slots=True)
class _Shop:
    """What the products of a batch refer to."""

    stores: dict[int, str]
    # Of categories, by their place in the tree.
    names: dict[str, str]
    prices: dict[int, list[PriceRow]]
    stock: dict[int, list[StockLevel]]


def export_products(*, format: str, store: Store) -> Iterator[str]:  # noqa: A002 (its public name)
    """The lines of a CSV file with every product, its prices and its stock; constant memory.

    `store` tells which price is the plain one. Raises UnknownFormat before the first line.
    """
    channel = channel_of(format)
    if not channel.exports:
        raise UnknownFormat(field="format")
    return csv_lines(channel.header(), channel.rows(_products(store)))


def _products(store: Store) -> Iterator[ExportProduct]:
    last = 0
    while batch := list(_batch(last)):
        last = batch[-1].pk
        variants = [variant.pk for product in batch for variant in product.variants.all()]
        shop = _Shop(
            stores=dict(Store.objects.values_list("pk", "code")),
            names=_names(batch),
            prices=_prices(variants, store),
            stock=_levels(variants),
        )
        for product in batch:
            yield ExportProduct(store.code, _data(product, shop), _items(product, shop))


def _batch(after: int) -> Sequence[Product]:
    chosen = OptionValue.objects.select_related("option").order_by("option__position", "pk")
    paths = Category.objects.order_by("path")
    return (
        Product.objects.filter(pk__gt=after)
        .select_related("brand", "product_type")
        .prefetch_related(
            Prefetch("tags", Tag.objects.order_by("name", "pk")),
            Prefetch("categories", paths),
            Prefetch("options", Option.objects.order_by("position", "pk")),
            Prefetch("options__values", OptionValue.objects.order_by("position", "pk")),
            Prefetch("images", ProductImage.objects.order_by("position", "pk")),
            Prefetch("variants", Variant.objects.order_by("position", "pk")),
            Prefetch("variants__option_values", chosen),
            "variants__external_ids",
            "external_ids",
            "publications__groups",
            Prefetch("relations", ProductRelation.objects.select_related("related")),
        )
        .order_by("pk")[:BATCH]
    )


def _prices(variants: Sequence[int], store: Store) -> dict[int, list[PriceRow]]:
    """The plain price of each variant has no store: an import puts it where it was."""
    home = None if store.is_default else store.pk
    found: dict[int, list[PriceRow]] = defaultdict(list)
    rows = Price.objects.filter(variant__in=variants).select_related("store", "price_list")
    for row in rows.order_by("currency", "min_quantity", "valid_from", "scope"):
        plain = (
            row.store_id == home
            and row.price_list_id is None
            and row.min_quantity == 1
            and row.valid_from is None
            and row.valid_to is None
            and row.currency == store.default_currency
        )
        found[row.variant_id].append(
            PriceRow(
                amount=row.amount,
                currency=row.currency,
                compare_at=row.compare_at,
                min_quantity=row.min_quantity,
                store="" if plain else row.store.code if row.store else "*",
                price_list=row.price_list.code if row.price_list else "",
                valid_from=row.valid_from,
                valid_to=row.valid_to,
            )
        )
    for prices in found.values():
        prices.sort(key=_order)
    return found


def _order(price: PriceRow) -> tuple[object, ...]:
    start = price.valid_from.isoformat() if price.valid_from else ""
    return price.currency, price.store, price.price_list, price.min_quantity, start


def _levels(variants: Sequence[int]) -> dict[int, list[StockLevel]]:
    found: dict[int, list[StockLevel]] = defaultdict(list)
    for level in StockLevel.objects.filter(variant__in=variants).select_related("location"):
        found[level.variant_id].append(level)
    return found


def _data(product: Product, shop: _Shop) -> ProductData:
    return ProductData(
        slug=product.slug,
        name=product.name,
        description=product.description,
        status=product.status,
        brand=product.brand.name if product.brand else None,
        product_type=product.product_type.name if product.product_type else None,
        tax_class=product.tax_class,
        is_gift_card=product.is_gift_card,
        tags=[tag.name for tag in product.tags.all()],
        categories=[_path(category, shop.names) for category in product.categories.all()],
        options={o.name: [v.value for v in o.values.all()] for o in product.options.all()},
        images=[
            ImageData(address, image.alt)
            for image in product.images.all()
            if (address := address_of(image))
        ],
        seo_title=product.seo_title,
        seo_description=product.seo_description,
        attributes=product.attributes,
        metadata=product.metadata,
        external_ids={row.source: row.external_id for row in product.external_ids.all()},
        publications=sorted(
            (
                StoreWindow(shop.stores[row.store_id], row.starts_at, row.ends_at, row.audience)
                for row in product.publications.all()
            ),
            key=lambda window: window.store,
        ),
        related=[relation.related.slug for relation in product.relations.all()],
    )


def _items(product: Product, shop: _Shop) -> list[Item]:
    images = {image.pk: image for image in product.images.all()}
    return [
        _item(variant, images, shop.prices[variant.pk], shop.stock[variant.pk])
        for variant in product.variants.all()
    ]


def _names(batch: Sequence[Product]) -> dict[str, str]:
    """The names of all categories above those of a batch, by their place in the tree."""
    step = Category.steplen
    wanted = {
        category.path[:end]
        for product in batch
        for category in product.categories.all()
        for end in range(step, len(category.path) + 1, step)
    }
    return dict(Category.objects.filter(path__in=wanted).values_list("path", "name"))


def _path(category: Category, names: dict[str, str]) -> tuple[str, ...]:
    step = Category.steplen
    return tuple(names[category.path[:end]] for end in range(step, len(category.path) + 1, step))


def _item(
    variant: Variant,
    images: dict[int, ProductImage],
    prices: list[PriceRow],
    levels: list[StockLevel],
) -> Item:
    image = images.get(variant.image_id)
    data = VariantData(
        sku=variant.sku,
        options={row.option.name: row.value for row in variant.option_values.all()},
        name=variant.name,
        gtin=variant.gtin,
        weight=variant.weight,
        length=variant.length,
        width=variant.width,
        height=variant.height,
        requires_shipping=variant.requires_shipping,
        track_inventory=variant.track_inventory,
        hs_code=variant.hs_code,
        origin_country=variant.origin_country,
        is_active=variant.is_active,
        position=variant.position,
        contents=Contents(variant.unit_quantity, variant.unit, variant.unit_reference),
        quantities=Quantities(variant.min_quantity, variant.max_quantity, variant.quantity_step),
        image=address_of(image) if image else None,
        metadata=variant.metadata,
        external_ids={row.source: row.external_id for row in variant.external_ids.all()},
    )
    return Item(
        line=0,
        variant=data,
        prices=prices,
        stock={level.location.code: level.on_hand for level in levels},
        backorders={
            level.location.code: level.backorder_limit for level in levels if level.backorder_limit
        },
    )
