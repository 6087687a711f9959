"""Reads of imports: the jobs that wait, what the shop has already."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from typing import IO

from django.db.models import Q, QuerySet

from apps.core.errors import NotFound
from apps.integrations.channels.registry import channels
from apps.integrations.models import ImportJob
from apps.inventory.models import Location, StockLevel
from apps.inventory.selectors import locations_of
from apps.pricing.models import Price
from apps.products.models import Product, ProductRelation, Variant


def rights_of(file_format: str) -> tuple[str, ...]:
    """What somebody holds, besides the right to import, to see or make imports of this format."""
    channel = channels().get(file_format)
    return ("customers.add_customer",) if channel and channel.subject == "customers" else ()


def refused_rows(job: ImportJob) -> tuple[IO[bytes], str]:
    """The file of the rows that weren't taken, and its name. Raises NotFound if there is none."""
    if not job.error_file:
        raise NotFound()
    name = job.original_name.rpartition(".")[0] or job.original_name
    return job.error_file.open("rb"), f"{name}-refused.csv"


def default_location(store_id: int) -> Location | None:
    """Where the stock of a file lies that names no location."""
    return locations_of(store_id).first()


def waiting_jobs(now: datetime) -> QuerySet[ImportJob]:
    """Jobs nobody works on at this moment, the oldest first."""
    return ImportJob.objects.filter(
        Q(lease_until__isnull=True) | Q(lease_until__lt=now),
        status__in=(ImportJob.Status.QUEUED, ImportJob.Status.RUNNING),
    ).order_by("pk")


def prices_by_scope(variant_ids: Iterable[int]) -> dict[str, Price]:
    """The stored prices of variants by their scope."""
    return {price.scope: price for price in Price.objects.filter(variant_id__in=variant_ids)}


def levels_by_place(variant_ids: Iterable[int]) -> dict[tuple[int, int], StockLevel]:
    """The stock rows of variants by (variant, location)."""
    rows = StockLevel.objects.filter(variant_id__in=variant_ids)
    return {(level.variant_id, level.location_id): level for level in rows}


def named_products(names: Iterable[str]) -> dict[str, int]:
    """Products by the slugs, else the SKUs that they are named by. Two statements at most."""
    wanted = set(names)
    if not wanted:
        return {}
    found = dict(Product.objects.filter(slug__in=wanted).values_list("slug", "pk"))
    if others := wanted - found.keys():
        by_sku = Variant.objects.filter(sku__in=others).values_list("sku", "product_id")
        found = dict(by_sku) | found
    return found


def related_of(product_ids: Iterable[int]) -> dict[int, list[int]]:
    """What is chosen to be shown beside products, in order."""
    related: dict[int, list[int]] = defaultdict(list)
    rows = ProductRelation.objects.filter(product__in=list(product_ids))
    for product_id, related_id in rows.values_list("product_id", "related_id"):
        related[product_id].append(related_id)
    return related
