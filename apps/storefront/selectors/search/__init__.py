"""The seam of the search: whom SEARCH_BACKEND names, finds."""

from __future__ import annotations

from functools import cache

from django.conf import settings
from django.utils.module_loading import import_string

from apps.storefront.selectors.search.base import Document, SearchBackend

__all__ = ["Document", "SearchBackend", "backend"]


def backend() -> SearchBackend:
    """The search that this installation uses."""
    return _backend(settings.SEARCH_BACKEND)


@cache
def _backend(path: str) -> SearchBackend:
    found: SearchBackend = import_string(path)()
    return found
