"""A batch of parsed products into the catalogue, the price lists and the shelves."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.translation import gettext as _

from apps.integrations.channels.base import Channel, Item, Parsed, PriceRow, Refusal
from apps.integrations.models import ImportJob
from apps.integrations.selectors import (
    default_location,
    levels_by_place,
    named_products,
    prices_by_scope,
    related_of,
)
from apps.inventory.models import Location
from apps.inventory.services import Snapshot, StockPromised, apply_snapshots, set_backorder
from apps.pricing.models import PriceList
from apps.pricing.services import PriceData, set_prices
from apps.pricing.services.prices import MAX_PRICE
from apps.products.models import Variant
from apps.products.services.upsert import Claims, Labels, UpsertResult, upsert_products
from apps.stores.models import Store

# More than any shelf holds.
MAX_PIECES = 1_000_000_000


@dataclass(slots=True)
class Outcome:
    """What became of one group of rows. `lines` of a refused product are all refused."""

    parsed: Parsed
    result: UpsertResult | None = None
    refusals: list[Refusal] = field(default_factory=list)
    changed: list[str] = field(default_factory=list)
    # What is to be shown beside it, where that differs: set when all products are there.
    related: list[str] | None = None

    @property
    def accepted(self) -> bool:
        return self.result is not None and self.result.problem is None

    def counts(self) -> dict[str, int]:
        """What it adds to the job's counts."""
        result, data = self.result, self.parsed.product
        if result is None or not self.accepted:
            return {}
        kind = "created" if result.created else "updated" if self.changed else "unchanged"
        counts = {"products": 1, kind: 1}
        if data is not None:
            urls = {image.url for image in data.images}
            urls |= {v.image for v in data.variants if v.image}
            refused = 0 if result.left_alone else len(result.variant_problems)
            counts["images"] = len(urls) - len(result.image_problems)
            counts["variants"] = len(data.variants) - refused
        return counts

    def preview(self) -> dict[str, Any] | None:
        """What the preview tells of it, if it is new or differs."""
        result, data = self.result, self.parsed.product
        if result is None or data is None or not self.accepted or result.product is None:
            return None
        if not (result.created or self.changed):
            return None
        return {
            "line": self.parsed.line,
            "action": "create" if result.created else "update",
            "slug": result.product.slug,
            "name": result.product.name,
            "variants": len(data.variants) - len(result.variant_problems),
            "changes": self.changed,
        }


@dataclass(slots=True)
class _Wanted:
    """A price or a stock that a line asks for, on its way to the service that sets it."""

    outcome: Outcome
    item: Item
    variant: Variant


class Applier:
    """Applies batches of one import: the same store, location, labels for all of them."""

    def __init__(self, job: ImportJob, channel: Channel) -> None:
        self.channel = channel
        self.dry_run = job.dry_run
        self.update = job.update_existing
        self.store: Store = job.store
        self.labels = Labels(dry_run=job.dry_run)
        self.claims = Claims()
        self.stores = {store.code: store.pk for store in Store.objects.all()}
        self.price_lists = dict(PriceList.objects.values_list("code", "pk"))
        self.locations: dict[str, Location] = {row.code: row for row in Location.objects.all()}
        if (home := job.location or default_location(self.store.pk)) is not None:
            self.locations[""] = home

    def forget(self) -> None:
        """After a rollback."""
        self.labels.forget()

    def notes(self) -> list[str]:
        """What the merchant should know before it begins."""
        if "" in self.locations:
            return []
        return [_("There is no location: stock isn't imported.")]

    def apply(self, batch: Sequence[Parsed]) -> list[Outcome]:
        """Write a batch, or find out what writing it would change; in one transaction."""
        outcomes = [Outcome(parsed, refusals=list(parsed.refusals)) for parsed in batch]
        chosen = [outcome for outcome in outcomes if outcome.parsed.product is not None]
        results = upsert_products(
            items=[outcome.parsed.product for outcome in chosen if outcome.parsed.product],
            store=self.store,
            update=self.update,
            labels=self.labels,
            claims=self.claims if self.dry_run else None,
        )
        wanted: list[_Wanted] = []
        for outcome, result in zip(chosen, results, strict=True):
            outcome.result = result
            outcome.changed = list(result.changed)
            self._refuse(outcome, result)
            if result.problem or result.left_alone:
                continue
            wanted += [
                _Wanted(outcome, item, variant)
                for item, variant in zip(outcome.parsed.items, result.variants, strict=True)
                if variant is not None
            ]
        self._prices(wanted)
        self._stock(wanted)
        self._related(chosen)
        return outcomes

    def _refuse(self, outcome: Outcome, result: UpsertResult) -> None:
        parsed, key_of = outcome.parsed, self.channel.key_of
        if result.problem and not parsed.items and parsed.refusals:
            # It has no variant because their rows are refused: that is reason enough.
            return
        if result.problem:
            column = key_of(result.problem.field)
            outcome.refusals.append(Refusal(parsed.line, column, result.problem.reason))
            return
        for index, problem in result.variant_problems.items():
            column = key_of(problem.field, variant=True)
            outcome.refusals.append(Refusal(parsed.items[index].line, column, problem.reason))
        for index, problem in result.image_problems.items():
            column = key_of(problem.field)
            outcome.refusals.append(Refusal(parsed.image_lines[index], column, problem.reason))

    def _related(self, outcomes: Sequence[Outcome]) -> None:
        told: dict[int, tuple[Outcome, list[str]]] = {}
        for index, outcome in enumerate(outcomes):
            data, result = outcome.parsed.product, outcome.result
            if data is None or result is None or result.left_alone or result.problem:
                continue
            if data.related is not None:
                told[index] = outcome, data.related
        if not told:
            return
        named = named_products(name for _outcome, names in told.values() for name in names)
        pks = [o.result.product.pk for o, _names in told.values() if o.result and o.result.product]
        known = related_of([pk for pk in pks if pk])
        for outcome, names in told.values():
            product = outcome.result.product if outcome.result else None
            now = known.get(product.pk, []) if product and product.pk else []
            if [named.get(name) for name in names] != now:
                outcome.related = names
                _note(outcome, "related")

    def _prices(self, wanted: Sequence[_Wanted]) -> None:
        known = prices_by_scope([w.variant.pk for w in wanted if w.variant.pk])
        changes: list[PriceData] = []
        for want in wanted:
            for price in want.item.prices:
                data = self._price(want, price)
                if isinstance(data, str):
                    self._refuse_cell(want, "price", data)
                    continue
                old = known.get(data.row().scope) if data.variant_id else None
                new = (data.amount, data.compare_at, data.valid_to)
                if old is None or (old.amount, old.compare_at, old.valid_to) != new:
                    changes.append(data)
                    _note(want.outcome, "price")
        if changes and not self.dry_run:
            set_prices(changes)

    def _price(self, want: _Wanted, price: PriceRow) -> PriceData | str:
        """The price as it is set, or why it can't be."""
        store_id: int | None = None
        if price.store == "" and not self.store.is_default:
            store_id = self.store.pk
        elif price.store not in ("", "*"):
            if price.store not in self.stores:
                return _("There is no such store: %s") % price.store
            store_id = self.stores[price.store]
        if price.price_list and price.price_list not in self.price_lists:
            return _("There is no such price list: %s") % price.price_list
        if max(price.amount, price.compare_at or 0) > MAX_PRICE:
            return _("The price is too high.")
        if price.valid_from and price.valid_to and price.valid_from >= price.valid_to:
            return _("A price can't end before it starts.")
        return PriceData(
            variant_id=want.variant.pk or 0,
            currency=price.currency,
            amount=price.amount,
            compare_at=price.compare_at,
            store_id=store_id,
            price_list_id=self.price_lists.get(price.price_list),
            min_quantity=price.min_quantity,
            valid_from=price.valid_from,
            valid_to=price.valid_to,
        )

    def _stock(self, wanted: Sequence[_Wanted]) -> None:
        """Higher backorder limits first and lower ones last: what is promised stays covered."""
        levels = levels_by_place([w.variant.pk for w in wanted if w.variant.pk])
        snapshots: list[Snapshot] = []
        raised: list[tuple[_Wanted, Location, int]] = []
        lowered: list[tuple[_Wanted, Location, int]] = []
        for want in wanted:
            for code, quantity in want.item.stock.items():
                location = self._location(want, "stock", code, quantity)
                if location is None:
                    continue
                level = levels.get((want.variant.pk, location.pk))
                if level is None or level.last_snapshot != quantity:
                    snapshots.append(Snapshot(want.variant.pk or 0, location.pk, quantity))
                    _note(want.outcome, "stock")
            for code, limit in want.item.backorders.items():
                location = self._location(want, "backorders", code, limit)
                if location is None:
                    continue
                level = levels.get((want.variant.pk, location.pk))
                before = level.backorder_limit if level else 0
                if limit != before:
                    _note(want.outcome, "backorders")
                    (raised if limit > before else lowered).append((want, location, limit))
        if self.dry_run:
            return
        self._set_backorders(raised)
        if snapshots:
            apply_snapshots(snapshots)
        self._set_backorders(lowered)

    def _set_backorders(self, changes: Sequence[tuple[_Wanted, Location, int]]) -> None:
        for want, location, limit in changes:
            try:
                set_backorder(variant=want.variant, location=location, limit=limit)
            except StockPromised as error:
                self._refuse_cell(want, "backorders", str(error))

    def _location(self, want: _Wanted, name: str, code: str, number: int) -> Location | None:
        location = self.locations.get(code)
        if location is None and code:
            self._refuse_cell(want, name, _("There is no such location: %s") % code)
        elif location is not None and number > MAX_PIECES:
            self._refuse_cell(want, name, _("The number is too high."))
            return None
        return location

    def _refuse_cell(self, want: _Wanted, name: str, reason: str) -> None:
        """One cell isn't taken; the rest of its row is."""
        column = self.channel.key_of(name, variant=True)
        want.outcome.refusals.append(Refusal(want.item.line, column, reason))


def _note(outcome: Outcome, change: str) -> None:
    """An existing product changed in this; a new one is new in everything."""
    if outcome.result and not outcome.result.created and change not in outcome.changed:
        outcome.changed.append(change)
