"""Background work of the shopper's read side."""

from __future__ import annotations

from celery import shared_task

from apps.storefront.services import indexing, listing, relating, searches


@shared_task(ignore_result=True)
def refresh_scheduled() -> int:
    """Rebuild what a price window changed; run by beat."""
    return listing.refresh_scheduled()


@shared_task(ignore_result=True)
def refresh_popularity() -> int:
    """Count what sells; run by beat."""
    return listing.refresh_popularity()


@shared_task(ignore_result=True)
def relate_products() -> int:
    """Count what is bought together, and what sells best in each category; run by beat."""
    return sum(relating.count_together()) + sum(relating.count_bests())


@shared_task(ignore_result=True)
def count_terms() -> None:
    """Count how frequent the words of the search are; run by beat."""
    indexing.count_terms()


@shared_task(ignore_result=True)
def prune_searches() -> int:
    """Delete counts of searches that have had their time; run by beat."""
    return searches.prune_searches()
