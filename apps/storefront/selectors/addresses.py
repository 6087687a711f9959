"""The addresses of the storefront's own pages, by the patterns of the settings."""

from __future__ import annotations

from urllib.parse import quote, urljoin, urlsplit

from django.conf import settings

from apps.stores.models import Store


def page_url(pattern: str, store: Store, *, slug: str, sku: str = "", language: str = "") -> str:
    """The address that `pattern` (PRODUCT_URL, …) gives, in the store's first language unless told.

    The store's domain stands for {domain}, without one the host of this shop.
    """
    return pattern.format(
        slug=quote(slug, safe=""),
        sku=quote(sku, safe=""),
        language=language or languages_of(store)[0],
        domain=store.domain or urlsplit(settings.SITE_URL).netloc,
        store=store.code,
    )


def site_url(store: Store) -> str:
    """Where the store is: its domain, without one the address of this shop."""
    return f"https://{store.domain}/" if store.domain else f"{settings.SITE_URL}/"


def languages_of(store: Store) -> list[str]:
    return store.languages or [settings.LANGUAGE_CODE]


def file_url(url: str) -> str:
    """The absolute address of a stored file, given what the storage calls it."""
    return urljoin(settings.SITE_URL, url)
