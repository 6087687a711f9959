"""The seam of the search: whom SEARCH_BACKEND names, finds."""

from __future__ import annotations

from django.conf import settings

from apps.core.providers import provider
from apps.storefront.selectors.search.base import Asked, Document, SearchBackend

__all__ = ["Asked", "Document", "SearchBackend", "backend"]


def backend() -> SearchBackend:
    """The search that this installation uses."""
    found: SearchBackend = provider(settings.SEARCH_BACKEND)
    return found
