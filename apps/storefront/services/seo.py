"""What search engines and social networks read of a product. No query is made here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings

from apps.core.html import plain_text
from apps.products.models import Product
from apps.reviews.models import STARS, Review
from apps.storefront.selectors.addresses import file_url, page_url
from apps.stores.models import Store

# What search results show, and what the longest of the readers takes.
SUMMARY, TEXT = 160, 5_000


def seo_json(
    product: Product, store: Store, page: dict[str, Any], reviews: Sequence[Review] = ()
) -> dict[str, Any]:
    """The `seo` of a product page, from the page (all of it but this) that it belongs to, and
    from some of its reviews.
    """
    title = product.seo_title or product.name
    text = plain_text(product.description)
    description = product.seo_description or text[:SUMMARY] or product.name
    url = page_url(settings.PRODUCT_URL, store, slug=product.slug)
    parts = urlsplit(url)
    return {
        "title": title,
        "description": description,
        "canonical_path": parts.path + (f"?{parts.query}" if parts.query else ""),
        "open_graph": _open_graph(store, page, {"title": title, "description": description}, url),
        "json_ld": _json_ld(store, page, text[:TEXT] or description, url) | _rating(page, reviews),
    }


def _open_graph(
    store: Store, page: dict[str, Any], texts: dict[str, str], url: str
) -> dict[str, str]:
    """https://ogp.me, and the price as product feeds of Meta name it."""
    image = {"og:image": _images(page)[0]} if page["images"] else {}
    return {
        "og:type": "product",
        "og:site_name": store.name,
        "og:title": texts["title"],
        "og:description": texts["description"],
        "og:url": url,
        **image,
        "product:price:amount": page["price"]["amount"],
        "product:price:currency": page["currency"],
        "product:availability": "in stock" if page["in_stock"] else "out of stock",
    }


def _json_ld(store: Store, page: dict[str, Any], description: str, url: str) -> dict[str, Any]:
    """https://schema.org/Product, as the structured data of Google's search wants it."""
    offers = [_offer(variant, page, store) for variant in page["variants"]]
    found: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Product",
        "name": page["name"],
        "description": description,
        "url": url,
    }
    if page["images"]:
        found["image"] = _images(page)
    if page["brand"]:
        found["brand"] = {"@type": "Brand", "name": page["brand"]}
    if len(offers) == 1:
        (offer,) = offers
        found |= {name: offer[name] for name in ("sku", "gtin") if name in offer}
        return {**found, "offers": offer}
    # Amounts of one currency: equal decimals, so the shorter one is the lower one.
    prices = sorted((offer["price"] for offer in offers), key=lambda text: (len(text), text))
    return {
        **found,
        "offers": {
            "@type": "AggregateOffer",
            "lowPrice": prices[0],
            "highPrice": prices[-1],
            "priceCurrency": page["currency"],
            "offerCount": len(offers),
            "offers": offers,
        },
    }


def _rating(page: dict[str, Any], reviews: Sequence[Review]) -> dict[str, Any]:
    """https://schema.org/AggregateRating and some of the reviews behind it."""
    rating = page["rating"]
    if not rating["count"]:
        return {}
    scale = {"bestRating": STARS[-1], "worstRating": STARS[0]}
    return {
        "aggregateRating": {
            "@type": "AggregateRating",
            "ratingValue": rating["average"],
            "reviewCount": rating["count"],
            **scale,
        },
        "review": [
            {
                "@type": "Review",
                "author": {"@type": "Person", "name": review.author},
                "datePublished": review.created_at.date().isoformat(),
                "name": review.title,
                "reviewBody": review.text,
                "reviewRating": {"@type": "Rating", "ratingValue": review.rating, **scale},
            }
            for review in reviews
        ],
    }


def _offer(variant: dict[str, Any], page: dict[str, Any], store: Store) -> dict[str, Any]:
    sku, there = variant["sku"], "InStock" if variant["in_stock"] else "OutOfStock"
    offer = {
        "@type": "Offer",
        "sku": sku,
        "url": page_url(settings.VARIANT_URL, store, slug=page["slug"], sku=sku),
        "price": variant["price"]["amount"],
        "priceCurrency": page["currency"],
        "availability": f"https://schema.org/{there}",
        "itemCondition": "https://schema.org/NewCondition",
    }
    return offer | ({"gtin": variant["gtin"]} if variant["gtin"] else {})


def _images(page: dict[str, Any]) -> Sequence[str]:
    return [file_url(image["url"]) for image in page["images"]]
