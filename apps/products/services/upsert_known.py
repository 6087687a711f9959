"""What the shop has already of a batch of products: read in a constant number of queries."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from django.db.models import Q
from django.utils.text import slugify

from apps.customers.models import CustomerGroup
from apps.products.models import (
    ExternalId,
    Option,
    OptionValue,
    Product,
    ProductImage,
    Publication,
    Variant,
)
from apps.products.services.product_data import ProductData, address_of
from apps.products.services.upsert_labels import digest
from apps.stores.models import Store

MAX_SKU = 100


class Known:
    """The products of a batch and all that hangs on them, by the names an import uses."""

    def __init__(self, items: Sequence[ProductData], *, deep: bool) -> None:
        """`deep` reads what an update compares; finding products needs less."""
        self.by_external: dict[tuple[str, str], Product] = {}
        self.external_of: dict[int, dict[str, str]] = defaultdict(dict)
        self.variant_by_external: dict[tuple[str, str], Variant] = {}
        self.by_slug: dict[str, Product] = {}
        self.by_sku: dict[str, Variant] = {}
        self.variants_of: dict[int, list[Variant]] = defaultdict(list)
        self.options_of: dict[int, dict[str, Option]] = defaultdict(dict)
        self.values_of: dict[int, dict[str, OptionValue]] = defaultdict(dict)
        self.chosen: dict[int, dict[str, str]] = defaultdict(dict)
        self.images_of: dict[int, dict[str, ProductImage]] = defaultdict(dict)
        self.tags_of: dict[int, set[int]] = defaultdict(set)
        self.categories_of: dict[int, set[int]] = defaultdict(set)
        self.publications_of: dict[int, dict[int, Publication]] = defaultdict(dict)
        self.stores = {store.code: store for store in Store.objects.all()}
        self.groups = {group.code: group for group in self._groups_named(items)}
        products = self._find(items)
        if deep and products:
            self._read(products)
        self._find_skus(items)

    def _groups_named(self, items: Sequence[ProductData]) -> Iterable[CustomerGroup]:
        windows = (window for item in items for window in item.publications or ())
        codes = {code for window in windows for code in window.groups or ()}
        return CustomerGroup.objects.filter(code__in=codes) if codes else ()

    def _find(self, items: Sequence[ProductData]) -> list[int]:
        external = _external_query(pair for item in items for pair in item.external_ids.items())
        if external:
            rows = ExternalId.objects.filter(external, product__isnull=False)
            for row in rows.select_related("product__brand", "product__product_type"):
                self.by_external[row.source, row.external_id] = row.product
        slugs = {slug for item in items for slug in (item.slug, item.alternative_slug) if slug}
        same = {product.pk: product for product in self.by_external.values()}
        products = Product.objects.filter(slug__in=slugs)
        for product in products.select_related("brand", "product_type"):
            self.by_slug[product.slug] = same.setdefault(product.pk, product)
        # One instance of each row, however it was found.
        self.by_external = {key: same[p.pk] for key, p in self.by_external.items()}
        for row in ExternalId.objects.filter(product__in=list(same)):
            self.external_of[row.product_id][row.source] = row.external_id
        return list(same)

    def _find_skus(self, items: Sequence[ProductData]) -> None:
        for variants in self.variants_of.values():
            self.by_sku.update({variant.sku: variant for variant in variants})
        self._asked = {
            v.sku or made_sku(slug, v.options or {})
            for item in items
            for slug in (item.slug, item.alternative_slug)
            for v in item.variants
        }
        for variant in Variant.objects.filter(sku__in=self._asked - set(self.by_sku)):
            self.by_sku[variant.sku] = variant
        external = _external_query(
            pair for item in items for v in item.variants for pair in v.external_ids.items()
        )
        if external:
            same = {v.pk: v for v in self.by_sku.values()}
            rows = ExternalId.objects.filter(external, variant__isnull=False)
            for row in rows.select_related("variant"):
                variant = same.get(row.variant_id, row.variant)
                self.variant_by_external[row.source, row.external_id] = variant

    def sku_owner(self, sku: str) -> Variant | None:
        """The variant that has a SKU, in the shop or since a moment in this batch."""
        if sku not in self.by_sku and sku not in self._asked:
            found = Variant.objects.filter(sku=sku).first()
            if found is not None:
                self.by_sku[sku] = found
        return self.by_sku.get(sku)

    def _read(self, products: list[int]) -> None:
        for variant in Variant.objects.filter(product__in=products).order_by("position", "pk"):
            self.variants_of[variant.product_id].append(variant)
        for option in Option.objects.filter(product__in=products):
            self.options_of[option.product_id][option.name] = option
        for value in OptionValue.objects.filter(option__product__in=products):
            self.values_of[value.option_id][value.value] = value
        chosen = Variant.option_values.through.objects.filter(variant__product__in=products)
        for variant_id, name, value in chosen.values_list(
            "variant_id", "optionvalue__option__name", "optionvalue__value"
        ):
            self.chosen[variant_id][name] = value
        for image in ProductImage.objects.filter(product__in=products).order_by("position", "pk"):
            if address := address_of(image):
                self.images_of[image.product_id].setdefault(address, image)
        for product_id, tag_id in Product.tags.through.objects.filter(
            product__in=products
        ).values_list("product_id", "tag_id"):
            self.tags_of[product_id].add(tag_id)
        for product_id, category_id in Product.categories.through.objects.filter(
            product__in=products
        ).values_list("product_id", "category_id"):
            self.categories_of[product_id].add(category_id)
        published = Publication.objects.filter(product__in=products).prefetch_related("groups")
        for publication in published:
            self.publications_of[publication.product_id][publication.store_id] = publication


def made_sku(slug: str, options: dict[str, str]) -> str:
    """The SKU of a variant that came without one: the same in every import of it."""
    sku = ".".join([slug, *(slugify(value) or digest(value) for value in options.values())])
    return sku if len(sku) <= MAX_SKU else f"{sku[: MAX_SKU - 9]}-{digest(sku)}"


def _external_query(pairs: Iterable[tuple[str, str]]) -> Q:
    by_source: dict[str, set[str]] = defaultdict(set)
    for source, external_id in pairs:
        by_source[source].add(external_id)
    query = Q()
    for source, ids in by_source.items():
        query |= Q(source=source, external_id__in=ids)
    return query
