"""Background work of the catalogue."""

from __future__ import annotations

from celery import shared_task

from apps.products.services import images


@shared_task(ignore_result=True)
def fetch_pending_images() -> int:
    """Fetch the next images that came by address; run by beat, any number at once."""
    return images.fetch_pending()
