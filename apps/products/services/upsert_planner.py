"""What has to be written to make products what their data say: a plan, and nothing written."""

from __future__ import annotations

from typing import Any

from django.utils.translation import gettext as _

from apps.core.html import sanitize
from apps.products.models import (
    Brand,
    ExternalId,
    Product,
    ProductImage,
    ProductType,
    Publication,
    Tag,
    Variant,
)
from apps.products.services.attributes import InvalidAttributes, clean_attributes
from apps.products.services.product import VOUCHER_TAX_CLASS
from apps.products.services.product_data import (
    Problem,
    ProductData,
    StoreWindow,
    UpsertResult,
    VariantData,
    image_problem,
    product_problem,
    variant_problem,
)
from apps.products.services.upsert_known import Known, made_sku
from apps.products.services.upsert_labels import Labels, digest, ensure_attributes
from apps.products.services.upsert_plan import (
    Claims,
    Options,
    Plan,
    VariantPlan,
    assign,
    assign_terms,
)
from apps.stores.models import Store

_PRODUCT_FIELDS = (
    *("name", "status", "tax_class", "is_gift_card", "seo_title", "seo_description"),
)
_VARIANT_FIELDS = (
    *("sku", "name", "gtin", "weight", "length", "width", "height", "requires_shipping"),
    *("track_inventory", "hs_code", "origin_country", "is_active", "position"),
)


class Planner:
    """Compares the data of a batch with what is known of the shop."""

    def __init__(
        self, known: Known, labels: Labels, *, store: Store, update: bool, claims: Claims
    ) -> None:
        self.known = known
        self.labels = labels
        self.store = store
        self.update = update
        self.claims = claims

    def plan(self, data: ProductData) -> Plan:
        """The plan for one product; refused ones have a problem in their result."""
        result = UpsertResult()
        plan = Plan(data, Product(slug=data.slug, status=Product.Status.ACTIVE), True, result)
        result.problem = product_problem(data) or self._match(plan)
        result.product = plan.product
        if result.problem or result.left_alone:
            return plan
        result.created = plan.new
        result.problem = self._product(plan)
        if result.problem is None:
            self._labels(plan)
            self._images(plan)
            self._publications(plan)
            self._variants(plan)
        if result.problem is None and plan.new and not any(result.variants):
            first = next(iter(result.variant_problems.values()), None)
            result.problem = first or Problem("sku", _("A new product needs a variant."))
        if result.problem:
            for item in plan.variants:
                if item.new:
                    self.known.by_sku.pop(item.variant.sku, None)
            return plan
        self._external_ids(plan)
        if plan.new:
            self.known.by_slug[plan.product.slug] = plan.product
        return plan

    def _match(self, plan: Plan) -> Problem | None:
        """Find the product that is meant, or the slug of a new one."""
        data, known = plan.data, self.known
        found = next(
            (known.by_external[p] for p in data.external_ids.items() if p in known.by_external),
            None,
        )
        for slug in (data.slug, data.alternative_slug):
            if found is not None or not slug:
                break
            there = known.by_slug.get(slug)
            if there is None and not self.claims.has("slug", slug):
                plan.product.slug = slug
                return None if data.name else Problem("name", _("A new product needs a name."))
            if there is not None and not self._is_anothers(there, data):
                found = there
        if found is None:
            return Problem("slug", _("This slug belongs to another product."))
        if found.pk is None:
            return Problem("slug", _("The same product stands twice in the file."))
        plan.product, plan.new = found, False
        plan.result.left_alone = not self.update
        return None

    def _is_anothers(self, product: Product, data: ProductData) -> bool:
        if product.pk is None:
            return True
        theirs = self.known.external_of.get(product.pk, {})
        return any(theirs.get(source, own) != own for source, own in data.external_ids.items())

    def _product(self, plan: Plan) -> Problem | None:
        data, product = plan.data, plan.product
        wanted: dict[str, Any] = {name: getattr(data, name) for name in _PRODUCT_FIELDS}
        gift_card = product.is_gift_card if data.is_gift_card is None else data.is_gift_card
        if gift_card:
            wanted["tax_class"] = VOUCHER_TAX_CLASS
        if data.description is not None:
            wanted["description"] = sanitize(data.description)
        if data.metadata is not None:
            wanted["metadata"] = {**product.metadata, **data.metadata}
        if data.brand is not None:
            wanted["brand"] = self.labels.get(Brand, data.brand)
        if data.product_type is not None:
            wanted["product_type"] = self.labels.get(ProductType, data.product_type)
        plan.fields = assign(product, wanted)
        if data.attributes is not None:
            try:
                plan.fields += assign(product, {"attributes": self._attributes(plan)})
            except InvalidAttributes as error:
                code, message = next(iter(error.problems.items()))
                return Problem("attributes", f"{code}: {message}")
        if not plan.new:
            plan.result.changed += plan.fields
        return None

    def _attributes(self, plan: Plan) -> dict[str, Any]:
        values = {code: v for code, v in (plan.data.attributes or {}).items() if v is not None}
        product_type = plan.product.product_type
        # Without a type nothing tells what they are; in a dry run what isn't defined is not yet.
        if product_type is None or self.labels.dry_run or not values:
            return values
        ensure_attributes(product_type=product_type, values=values)
        return clean_attributes(product_type=product_type, values=values)

    def _labels(self, plan: Plan) -> None:
        data, pk = plan.data, plan.product.pk
        if data.tags is not None:
            tags = [self.labels.get(Tag, name) for name in data.tags]
            plan.tags = list({tag.slug: tag for tag in tags if tag}.values())
            if not plan.new and {t.pk for t in plan.tags} == self.known.tags_of[pk]:
                plan.tags = None
        if data.categories is not None:
            paths = dict.fromkeys(data.categories)
            plan.categories = [self.labels.category(path) for path in paths]
            if not plan.new and {c.pk for c in plan.categories} == self.known.categories_of[pk]:
                plan.categories = None
        if not plan.new:
            plan.result.changed += ["tags"] if plan.tags is not None else []
            plan.result.changed += ["categories"] if plan.categories is not None else []

    def _images(self, plan: Plan) -> None:
        if not plan.new:
            plan.images = dict(self.known.images_of[plan.product.pk])
        told: set[str] = set()
        for index, data in enumerate(plan.data.images):
            if data.url in told:
                continue
            told.add(data.url)
            if problem := image_problem(data):
                plan.result.image_problems[index] = problem
                continue
            image = plan.images.get(data.url)
            if image is None:
                self._add_image(plan, data.url, data.alt)
            elif data.alt is not None and image.alt != data.alt:
                image.alt = data.alt
                if image.pk is not None:
                    plan.changed_images.append(image)
        if not plan.new and (plan.new_images or plan.changed_images):
            plan.result.changed.append("images")

    def _add_image(self, plan: Plan, url: str, alt: str | None) -> ProductImage:
        last = max((image.position for image in plan.images.values()), default=-1)
        image = ProductImage(product=plan.product, source_url=url, alt=alt or "", position=last + 1)
        plan.images[url] = image
        plan.new_images.append(image)
        plan.result.images_added += 1
        return image

    def _publications(self, plan: Plan) -> None:
        data = plan.data
        there = {} if plan.new else self.known.publications_of[plan.product.pk]
        for window in data.publications or ():
            if window.store not in self.known.stores:
                plan.result.problem = Problem(
                    "publications", _("There is no such store: %s") % window.store[:40]
                )
                return
            if unknown := sorted(set(window.groups or ()) - set(self.known.groups)):
                plan.result.problem = Problem(
                    "publications", _("There is no such group: %s") % unknown[0][:40]
                )
                return
        for window in self._windows(plan):
            store = self.known.stores[window.store]
            old = there.get(store.pk)
            row = old or Publication(product=plan.product, store=store)
            audience = None if window.groups is None else sorted({*window.groups})
            terms = (window.starts_at, window.ends_at, audience)
            if old is None or (old.starts_at, old.ends_at, old.audience) != terms:
                row.starts_at, row.ends_at = window.starts_at, window.ends_at
                row.members_only = audience is not None
                groups = [self.known.groups[code] for code in audience or ()]
                plan.publications.append((row, groups))
        if data.publications is not None:
            wanted = {self.known.stores[window.store].pk for window in data.publications}
            plan.gone_publications = [row for pk, row in there.items() if pk not in wanted]
        elif data.published is False and self.store.pk in there:
            plan.gone_publications = [there[self.store.pk]]
        if not plan.new and (plan.publications or plan.gone_publications):
            plan.result.changed.append("published")

    def _windows(self, plan: Plan) -> list[StoreWindow]:
        data = plan.data
        if data.publications is not None:
            return data.publications
        if data.published or (data.published is None and plan.new):
            there = {} if plan.new else self.known.publications_of[plan.product.pk]
            # A window somebody set by hand stays.
            return [] if self.store.pk in there else [StoreWindow(self.store.code)]
        return []

    def _variants(self, plan: Plan) -> None:
        result = plan.result
        options = Options()
        if not plan.new:
            for variant in self.known.variants_of[plan.product.pk]:
                options.give(variant, self.known.chosen.get(variant.pk, {}))
        seen: set[int] = set()
        for index, data in enumerate(plan.data.variants):
            found = variant_problem(data) or self._variant(plan, data, options, seen)
            if isinstance(found, Problem):
                result.variant_problems[index] = found
                result.variants.append(None)
                continue
            result.variants.append(found.variant)
            plan.variants.append(found)
            changed = bool(found.fields) or found.options is not None
            result.variants_created += found.new
            result.variants_updated += changed and not found.new
            result.variants_unchanged += not changed and not found.new
        if not plan.new and (result.variants_created or result.variants_updated):
            result.changed.append("variants")

    def _variant(
        self,
        plan: Plan,
        data: VariantData,
        options: Options,
        seen: set[int],
    ) -> VariantPlan | Problem:
        variant = self._find_variant(plan, data, options)
        if isinstance(variant, Problem):
            return variant
        if id(variant) in seen:
            return Problem("sku", _("The same variant stands twice in the file."))
        if data.options and options.who(data.options) not in (None, variant):
            return Problem("options", _("Another variant of the product has the same options."))
        seen.add(id(variant))
        new = variant.pk is None
        if data.sku and self.known.sku_owner(data.sku) not in (None, variant):
            return Problem("sku", _("This SKU belongs to another variant."))
        wanted = {name: getattr(data, name) for name in _VARIANT_FIELDS}
        wanted["sku"] = data.sku or None
        if plan.product.is_gift_card:
            wanted["requires_shipping"] = False
        if new and data.position is None:
            wanted["position"] = len(options)
        if data.metadata is not None:
            wanted["metadata"] = {**variant.metadata, **data.metadata}
        if data.image:
            wanted["image"] = plan.images.get(data.image) or self._add_image(plan, data.image, None)
        planned = VariantPlan(variant, new, assign(variant, wanted) + assign_terms(variant, data))
        if data.options is not None and data.options != options.of(variant):
            planned.options = data.options
        options.give(variant, options.of(variant) if data.options is None else data.options)
        self.known.by_sku[variant.sku] = variant
        return planned

    def _find_variant(self, plan: Plan, data: VariantData, options: Options) -> Variant | Problem:
        for pair in data.external_ids.items():
            if found := self.known.variant_by_external.get(pair):
                return self._own(plan, found)
        if data.sku:
            owner = self.known.sku_owner(data.sku)
            if owner is not None:
                return self._own(plan, owner)
            if self.claims.has("sku", data.sku):
                return Problem("sku", _("This SKU belongs to another product."))
            return self._renamed(plan, data, options) or Variant(product=plan.product, sku=data.sku)
        return options.who(data.options or {}) or self._made(plan, data)

    def _renamed(self, plan: Plan, data: VariantData, options: Options) -> Variant | None:
        """The variant that has these options under a SKU the data no longer know."""
        if data.options is None or plan.new:
            return None
        if not data.options and (len(options) != 1 or len(plan.data.variants) != 1):
            return None
        found = options.who(data.options)
        told = {variant.sku for variant in plan.data.variants}
        return found if found is not None and found.sku not in told else None

    def _made(self, plan: Plan, data: VariantData) -> Variant | Problem:
        """A variant without a SKU gets one of its own."""
        options = data.options or {}
        sku = made_sku(plan.product.slug, options)
        owner = self.known.sku_owner(sku)
        if (owner is not None and not self._is_own(plan, owner)) or self.claims.has("sku", sku):
            sku = f"{sku[:91]}-{digest(plan.product.slug + repr(options))}"
            owner = self.known.sku_owner(sku)
        return Variant(product=plan.product, sku=sku) if owner is None else self._own(plan, owner)

    def _own(self, plan: Plan, variant: Variant) -> Variant | Problem:
        if self._is_own(plan, variant):
            return variant
        return Problem("sku", _("This SKU belongs to another product."))

    def _is_own(self, plan: Plan, variant: Variant) -> bool:
        if variant.product_id is None:
            return variant.product is plan.product
        return variant.product_id == plan.product.pk

    def _external_ids(self, plan: Plan) -> None:
        theirs = self.known.external_of[plan.product.pk] if not plan.new else {}
        for source, external_id in plan.data.external_ids.items():
            if theirs.get(source) == external_id:
                continue
            self.known.by_external[source, external_id] = plan.product
            plan.external_ids.append(
                ExternalId(source=source, external_id=external_id, product=plan.product)
            )
            theirs[source] = external_id
        for data, variant in zip(plan.data.variants, plan.result.variants, strict=True):
            for pair in data.external_ids.items() if variant else ():
                if pair not in self.known.variant_by_external:
                    self.known.variant_by_external[pair] = variant
                    source, external_id = pair
                    plan.external_ids.append(
                        ExternalId(source=source, external_id=external_id, variant=variant)
                    )
