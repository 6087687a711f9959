"""Products from other systems: found again, compared, and only their differences written."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from apps.core.errors import DomainError
from apps.core.events import publish
from apps.products.events import ProductChanged, ProductsChanged
from apps.products.models import (
    Brand,
    ExternalId,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductType,
    Publication,
    Tag,
    Variant,
)
from apps.products.services.attributes import index_attributes
from apps.products.services.product_data import (
    ImageData,
    Problem,
    ProductData,
    StoreWindow,
    UpsertResult,
    VariantData,
)
from apps.products.services.slugs import release_slugs
from apps.products.services.upsert_known import Known
from apps.products.services.upsert_labels import Labels
from apps.products.services.upsert_plan import Claims, Plan
from apps.products.services.upsert_planner import Planner
from apps.stores.models import Store

__all__ = [
    "Claims",
    "ImageData",
    "Labels",
    "Problem",
    "ProductData",
    "ProductRefused",
    "StoreWindow",
    "UpsertResult",
    "VariantData",
    "upsert_product",
    "upsert_products",
]


class ProductRefused(DomainError):
    code = "product_refused"


def upsert_product(
    *, data: ProductData, store: Store, update: bool = True, dry_run: bool = False
) -> UpsertResult:
    """Make one product what `data` says; see `upsert_products()`. Raises ProductRefused."""
    labels = Labels(dry_run=dry_run)
    (result,) = upsert_products(items=[data], store=store, update=update, labels=labels)
    if result.problem:
        raise ProductRefused(result.problem.reason, field=result.problem.field)
    return result


@transaction.atomic
def upsert_products(
    *,
    items: Sequence[ProductData],
    store: Store,
    update: bool,
    labels: Labels,
    claims: Claims | None = None,
) -> list[UpsertResult]:
    """Make products what the data say, in a constant number of queries; a result for each.

    A product is found by an external id, else by its slug; a variant by an external id, its SKU,
    or its options. Without `update` products that exist are left alone. What the data don't name
    stays: no variant and no image is ever removed. New products are published in `store`.
    HTML is sanitised, images are noted for the task that fetches them, and every product that
    changed is announced by ProductChanged, several by one ProductsChanged.

    `labels` (and, for a dry run, `claims`) serve all batches of one import. With
    `Labels(dry_run=True)` nothing is written. What can't be stored is a problem in the result,
    not an exception; an exception of the database (somebody took the SKU at this very moment)
    leaves nothing written.
    """
    labels.load(Brand, [item.brand or "" for item in items])
    labels.load(ProductType, [item.product_type or "" for item in items])
    labels.load(Tag, [tag for item in items for tag in item.tags or ()])
    labels.load_categories(path for item in items for path in item.categories or ())
    claims = claims or Claims()
    known = Known(items, deep=update)
    planner = Planner(known, labels, store=store, update=update, claims=claims)
    plans = [planner.plan(item) for item in items]
    accepted = [plan for plan in plans if not (plan.result.problem or plan.result.left_alone)]
    if labels.dry_run:
        for plan in accepted:
            claims.take(plan)
    else:
        _write([plan for plan in accepted if plan.new or _differs(plan)], known)
    return [plan.result for plan in plans]


def _differs(plan: Plan) -> bool:
    return bool(plan.external_ids or plan.result.changed)


def _write(plans: list[Plan], known: Known) -> None:
    new = [plan for plan in plans if plan.new]
    Product.objects.bulk_create([plan.product for plan in new])
    if new:
        release_slugs(model=Product, slugs=[plan.product.slug for plan in new])
    for plan in plans:
        if not plan.new and plan.fields:
            plan.product.save(update_fields=[*plan.fields, "updated_at"])
    ProductImage.objects.bulk_create([image for plan in plans for image in plan.new_images])
    for image in (image for plan in plans for image in plan.changed_images):
        image.save(update_fields=["alt", "updated_at"])
    _write_variants(plans)
    _stop_shipping([plan.product for plan in plans if "is_gift_card" in plan.fields])
    _write_options(plans, known)
    ExternalId.objects.bulk_create([row for plan in plans for row in plan.external_ids])
    _write_labels(plans)
    _write_publications(plans)
    for plan in plans:
        if plan.data.attributes is not None and (plan.new or "attributes" in plan.fields):
            index_attributes(product=plan.product)
    _announce([plan.product for plan in plans])


def _announce(products: Sequence[Product]) -> None:
    """New ETags, and one event for the batch: listings are rebuilt together."""
    now = timezone.now()
    Product.objects.filter(pk__in=[product.pk for product in products]).update(updated_at=now)
    for product in products:
        product.updated_at = now
    if len(products) == 1:
        publish(ProductChanged(product_id=str(products[0].public_id)))
    elif products:
        publish(ProductsChanged(product_ids=[str(product.public_id) for product in products]))


def _write_variants(plans: Iterable[Plan]) -> None:
    rows = [item for plan in plans for item in plan.variants]
    Variant.objects.bulk_create([item.variant for item in rows if item.new], batch_size=500)
    for item in rows:
        if not item.new and item.fields:
            # The image may have been unsaved when it was chosen.
            item.variant.image_id = item.variant.image.pk if item.variant.image else None
            item.variant.save(update_fields=[*item.fields, "updated_at"])


def _stop_shipping(products: Iterable[Product]) -> None:
    """Variants that the data don't name must not be shipped either once it is a gift card."""
    cards = [product.pk for product in products if product.is_gift_card]
    if cards:
        shipped = Variant.objects.filter(product__in=cards, requires_shipping=True)
        shipped.update(requires_shipping=False)


def _write_options(plans: Sequence[Plan], known: Known) -> None:
    """Options and values as rows, and which variant has which: three inserts for the batch."""
    changed = [plan for plan in plans if any(item.options is not None for item in plan.variants)]
    changed += [plan for plan in plans if plan.data.options and plan not in changed]
    options = {id(plan): dict(known.options_of.get(plan.product.pk, {})) for plan in changed}
    fresh_options, fresh_values = [], []
    for plan in changed:
        for name in _named(plan):
            if name not in options[id(plan)]:
                option = Option(product=plan.product, name=name, position=len(options[id(plan)]))
                options[id(plan)][name] = option
                fresh_options.append(option)
    Option.objects.bulk_create(fresh_options, batch_size=500)
    values: dict[tuple[int, str], OptionValue] = {}
    for plan in changed:
        for name, wanted in _named(plan).items():
            option = options[id(plan)][name]
            there = known.values_of[option.pk]
            for value in wanted:
                if value not in there:
                    there[value] = OptionValue(option=option, value=value, position=len(there))
                    fresh_values.append(there[value])
                values[option.pk, value] = there[value]
    OptionValue.objects.bulk_create(fresh_values, batch_size=500)
    through = Variant.option_values.through
    links, cleared = [], []
    for plan in changed:
        for item in plan.variants:
            if item.options is None:
                continue
            if not item.new:
                cleared.append(item.variant.pk)
            for name, value in item.options.items():
                row = values[options[id(plan)][name].pk, value]
                links.append(through(variant_id=item.variant.pk, optionvalue_id=row.pk))
    if cleared:
        through.objects.filter(variant__in=cleared).delete()
    through.objects.bulk_create(links, batch_size=500)
    _drop_unused_options([plan for plan in changed if not plan.new], options)


def _named(plan: Plan) -> dict[str, list[str]]:
    """The options of a product in order, each with its values in order."""
    named = {name: dict.fromkeys(values) for name, values in (plan.data.options or {}).items()}
    for item in plan.variants:
        for name, value in (item.options or {}).items():
            named.setdefault(name, {})[value] = None
    return {name: list(values) for name, values in named.items()}


def _drop_unused_options(plans: Iterable[Plan], options: dict[int, dict[str, Option]]) -> None:
    """An option that was renamed in the file leaves one behind that no variant has."""
    gone = [
        option.pk
        for plan in plans
        for name, option in options[id(plan)].items()
        if name not in _named(plan)
    ]
    if gone:
        used = Variant.option_values.through.objects.filter(optionvalue__option__in=gone).values(
            "optionvalue__option_id"
        )
        Option.objects.filter(pk__in=gone).exclude(pk__in=used).delete()


def _write_labels(plans: Iterable[Plan]) -> None:
    tag_rows, category_rows = [], []
    tags, categories = Product.tags.through, Product.categories.through
    for plan in plans:
        if plan.tags is not None and not plan.new:
            plan.product.tags.set(plan.tags)
        elif plan.tags:
            tag_rows += [tags(product_id=plan.product.pk, tag_id=tag.pk) for tag in plan.tags]
        if plan.categories is not None and not plan.new:
            plan.product.categories.set(plan.categories)
        elif plan.categories:
            category_rows += [
                categories(product_id=plan.product.pk, category_id=category.pk)
                for category in plan.categories
            ]
    tags.objects.bulk_create(tag_rows, batch_size=500)
    categories.objects.bulk_create(category_rows, batch_size=500)


def _write_publications(plans: Iterable[Plan]) -> None:
    wanted = [pair for plan in plans for pair in plan.publications]
    changed = [row for row, _groups in wanted if row.pk is not None]
    new = [row for row, _groups in wanted if row.pk is None]
    Publication.objects.bulk_create(new, batch_size=500)
    for row in changed:
        row.save()
    members = Publication.groups.through
    if changed:
        members.objects.filter(publication__in=changed).delete()
    members.objects.bulk_create(
        [
            members(publication_id=row.pk, customergroup_id=group.pk)
            for row, groups in wanted
            for group in groups
        ],
        batch_size=500,
    )
    gone = [row.pk for plan in plans for row in plan.gone_publications]
    if gone:
        Publication.objects.filter(pk__in=gone).delete()
