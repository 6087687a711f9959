"""What search engines should know of: sitemaps, https://www.sitemaps.org/protocol.html."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet

from apps.core.xml import DECLARATION, xml_text
from apps.products.models import Collection, Product
from apps.products.selectors import shown_categories
from apps.storefront.models import Listing
from apps.storefront.selectors.addresses import languages_of, page_url
from apps.stores.models import Store

# Of one file; the protocol's bounds are this, and 50 MiB.
MAX_URLS = 50_000
BATCH = 1_000
SECTIONS = {
    "products": "PRODUCT_URL",
    "categories": "CATEGORY_URL",
    "collections": "COLLECTION_URL",
}
_INDEX = '<sitemapindex xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
_URLS = (
    '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9"'
    ' xmlns:xhtml="http://www.w3.org/1999/xhtml">\n'
)


def sitemap_index(addresses: Iterable[str]) -> str:
    """The file that names the other ones."""
    entries = (f"<sitemap><loc>{xml_text(url)}</loc></sitemap>\n" for url in addresses)
    return "".join([DECLARATION, _INDEX, *entries, "</sitemapindex>\n"])


def sitemap_pages(
    *, section: str, store: Store, at: datetime, size: int | None = None
) -> Iterator[str]:
    """What each file of a section begins after: "", then a slug. A statement for each file."""
    rows, after = _rows(section, store, at), ""
    size = size or _size(_languages(section, store))
    if not rows.exists():
        return
    yield after
    # The last of this file, and one that makes another file.
    while len(edge := _behind(rows, after).values_list("slug", flat=True)[size - 1 : size + 1]) > 1:
        after = edge[0]
        yield after


def sitemap(
    *, section: str, store: Store, at: datetime, after: str = "", size: int | None = None
) -> Iterator[str]:
    """The lines of one file: the pages behind a slug, in each language of the store.

    A statement for every `BATCH` of them.
    """
    pattern, languages = getattr(settings, SECTIONS[section]), _languages(section, store)
    yield DECLARATION
    yield _URLS
    for slug, changed in _read(_rows(section, store, at), after, size or _size(languages)):
        urls = {each: page_url(pattern, store, slug=slug, language=each) for each in languages}
        links = _alternates(urls) if len(urls) > 1 else ""
        for url in urls.values():
            lastmod = changed.isoformat(timespec="seconds")
            yield f"<url><loc>{xml_text(url)}</loc><lastmod>{lastmod}</lastmod>{links}</url>\n"
    yield "</urlset>\n"


def _rows(section: str, store: Store, at: datetime) -> QuerySet[Any]:
    if section == "categories":
        return shown_categories()
    if section == "collections":
        return Collection.objects.filter(is_active=True)
    visible = Listing.objects.visible(store_id=store.pk, currency=store.default_currency, at=at)
    return Product.objects.filter(Exists(visible.filter(product=OuterRef("pk"))))


def _languages(section: str, store: Store) -> list[str]:
    languages = languages_of(store)
    return languages if "{language}" in getattr(settings, SECTIONS[section]) else languages[:1]


def _size(languages: list[str]) -> int:
    """Pages in one file: each is a URL for each language, and names all languages."""
    return max(1, MAX_URLS // len(languages) ** 2)


def _behind(rows: QuerySet[Any], after: str) -> QuerySet[Any]:
    return rows.filter(slug__gt=after).order_by("slug")


def _read(rows: QuerySet[Any], after: str, size: int) -> Iterator[tuple[str, datetime]]:
    while size > 0:
        wanted = min(BATCH, size)
        found = list(_behind(rows, after).values_list("slug", "updated_at")[:wanted])
        yield from found
        if len(found) < wanted:
            return
        after, size = found[-1][0], size - wanted


def _alternates(urls: dict[str, str]) -> str:
    """https://developers.google.com/search/docs/specialty/international/localized-versions"""
    named = {**urls, "x-default": next(iter(urls.values()))}
    return "".join(
        f'<xhtml:link rel="alternate" hreflang="{xml_text(language)}" href="{xml_text(url)}"/>'
        for language, url in named.items()
    )
