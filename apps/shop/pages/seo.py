"""What search engines and social networks read in the head of a page."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from apps.core.html import plain_text
from apps.storefront.selectors.addresses import languages_of, page_url, site_url
from apps.stores.models import Store

# What search results show.
SUMMARY = 160
# In a script element only this could end it; the rest is for those who read it as HTML.
_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}
# Slug and name of what stands above a page.
Above = Sequence[Mapping[str, Any]]


def head(
    store: Store,
    *,
    title: str,
    description: str,
    json_ld: Sequence[dict[str, Any]],
    open_graph: Mapping[str, str] | None = None,
    alternates: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The `seo` that templates/shop/_head.html writes."""
    graph = {
        "og:type": "website",
        "og:site_name": store.name,
        "og:title": title,
        "og:description": description,
    }
    return {
        "title": title,
        "description": description,
        "open_graph": {**graph, **(open_graph or {})},
        "json_ld": [json.dumps(data).translate(_ESCAPES) for data in json_ld],
        "alternates": alternates or {},
    }


def home_head(store: Store) -> dict[str, Any]:
    """https://schema.org/WebSite with the address of its search."""
    site = site_url(store)
    search = {
        "@type": "SearchAction",
        "target": {
            "@type": "EntryPoint",
            "urlTemplate": f"{site}search/?search={{search_term_string}}",
        },
        "query-input": "required name=search_term_string",
    }
    website = {"@type": "WebSite", "name": store.name, "url": site, "potentialAction": search}
    company = {"@type": "Organization", "name": store.name, "url": site}
    text = _("Good things, well made, sent quickly.")
    return head(
        store,
        title=store.name,
        description=f"{store.name}: {text}",
        json_ld=[_schema(website), _schema(company)],
        open_graph={"og:url": site},
    )


def list_head(store: Store, heading: Mapping[str, Any], *, pattern: str) -> dict[str, Any]:
    """Of a category or a collection, whose addresses `pattern` makes; else of all products."""
    if not heading:
        title = _("All products")
        return head(store, title=title, description=f"{store.name}: {title}", json_ld=[])
    text = plain_text(heading["description"])[:SUMMARY]
    return head(
        store,
        title=heading["seo"]["title"],
        description=heading["seo"]["description"] or text or f"{heading['name']} – {store.name}",
        json_ld=[_crumbs(store, heading.get("ancestors", ()), heading, pattern)],
        open_graph={"og:url": page_url(pattern, store, slug=heading["slug"])},
        alternates=_alternates(store, heading["slug"], pattern),
    )


def product_head(store: Store, product: Mapping[str, Any]) -> dict[str, Any]:
    """The stored `seo` of a product page, with the way to it."""
    seo, above = product["seo"], product["categories"][:1]
    return head(
        store,
        title=seo["title"],
        description=seo["description"],
        json_ld=[seo["json_ld"], _crumbs(store, above, product, settings.PRODUCT_URL)],
        open_graph=seo["open_graph"],
        alternates=_alternates(store, product["slug"], settings.PRODUCT_URL),
    )


def _schema(data: dict[str, Any]) -> dict[str, Any]:
    return {"@context": "https://schema.org/", **data}


def _crumbs(store: Store, above: Above, here: Mapping[str, Any], pattern: str) -> dict[str, Any]:
    """https://schema.org/BreadcrumbList, as _crumbs.html shows it."""
    steps = [(_("Home"), site_url(store))]
    for category in above:
        url = page_url(settings.CATEGORY_URL, store, slug=category["slug"])
        steps.append((category["name"], url))
    steps.append((here["name"], page_url(pattern, store, slug=here["slug"])))
    items = [
        {"@type": "ListItem", "position": position, "name": name, "item": url}
        for position, (name, url) in enumerate(steps, 1)
    ]
    return _schema({"@type": "BreadcrumbList", "itemListElement": items})


def _alternates(store: Store, slug: str, pattern: str) -> dict[str, str]:
    """The page in each language of the store, where its address says the language."""
    languages = languages_of(store)
    if "{language}" not in pattern or len(languages) < 2:
        return {}
    urls = {each: page_url(pattern, store, slug=slug, language=each) for each in languages}
    return {**urls, "x-default": urls[languages[0]]}
