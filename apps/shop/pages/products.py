"""One product: which of its variants, when it arrives, what search engines read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.reviews.selectors import product_on_sale, published_reviews
from apps.shop.pages.base import Page
from apps.shop.pages.reviews import shown as shown_review
from apps.shop.pages.seo import product_head
from apps.shop.pages.viewed import last_viewed, remember_viewed
from apps.storefront.selectors.availability import availability_json
from apps.storefront.selectors.moved import moved_product
from apps.storefront.services.showing import show_product

# Pick-up points, and reviews, that are shown at once.
POINTS, REVIEWS = 5, 3


@dataclass(frozen=True, slots=True)
class Value:
    """A value of an option, and the variant it leads to.

    `mark` is "" where that is in stock, "sold_out", or "other" where the chosen values of the
    other options don't go with it.
    """

    label: str
    sku: str
    chosen: bool
    mark: str


def option_groups(product: dict[str, Any], chosen: dict[str, Any]) -> list[dict[str, Any]]:
    """Each option with its values; variants without options are the values of one of no name."""
    variants, options = product["variants"], product["options"]
    if not options and len(variants) > 1:
        names = {"name": _("Variant"), "values": [v["name"] or v["sku"] for v in variants]}
        options = [names]
        variants = [{**v, "options": {names["name"]: v["name"] or v["sku"]}} for v in variants]
        chosen = next(v for v in variants if v["sku"] == chosen["sku"])
    return [
        {
            "name": option["name"],
            "values": [
                _value(option["name"], text, variants, chosen["options"])
                for text in option["values"]
            ],
        }
        for option in options
    ]


def _value(name: str, text: str, variants: list[dict[str, Any]], chosen: dict[str, str]) -> Value:
    wanted = {**chosen, name: text}

    def likeness(variant: dict[str, Any]) -> tuple[int, bool]:
        same = sum(variant["options"].get(key) == value for key, value in wanted.items())
        return same, variant["in_stock"]

    having = [variant for variant in variants if variant["options"].get(name) == text]
    nearest = max(having, key=likeness)
    exact = nearest["options"] == wanted
    mark = "" if exact and nearest["in_stock"] else "sold_out" if exact else "other"
    return Value(text, nearest["sku"], chosen.get(name) == text, mark)


class ProductPage(Page):
    def get(self, request: HttpRequest, slug: str) -> HttpResponse:
        shown = show_product(slug=slug, **self._asked)
        product = json.loads(shown.body)
        variants = product["variants"]
        fallback = next((v for v in variants if v["in_stock"]), variants[0])
        asked = request.GET.get("variant")
        chosen = next((v for v in variants if v["sku"] == asked), fallback)
        found = availability_json(
            store=self.store,
            currency=self.currency,
            variants=[chosen],
            address=self.place,
            at=self._asked["at"],
        )
        response = self.show(
            "product",
            seo=product_head(self.store, product),
            product={**product, "images": _pictures(product["images"], chosen["image"])},
            chosen=chosen,
            options=option_groups(product, chosen),
            arrival=_arrival(found),
            reviews=self._reviews(slug) if product["rating"]["count"] else [],
            sold_out=[variant for variant in variants if not variant["in_stock"]],
            viewed=last_viewed(self, but=slug),
        )
        remember_viewed(self, response, slug)
        return response

    def _reviews(self, slug: str) -> list[dict[str, Any]]:
        product = product_on_sale(store=self.store, slug=slug, group_id=self.group_id)
        newest = published_reviews(product=product, store=self.store).order_by("-pk")
        return [shown_review(review) for review in newest[:REVIEWS]]

    def present_slug(self, slug: str) -> str | None:
        return moved_product(slug=slug, **self._asked)

    @cached_property
    def _asked(self) -> dict[str, Any]:
        """Where, when and for whom products are looked up."""
        return {
            "store_id": self.store.pk,
            "currency": self.currency,
            "at": timezone.now(),
            "group_id": self.group_id,
        }

    @property
    def place(self) -> dict[str, str]:
        """Where it would go: to the cart's address, else somewhere in the store's country."""
        address = self.open_cart.shipping_address if self.open_cart else {}
        return address if address.get("country") else {"country": self.store.country}


def _pictures(images: list[dict[str, Any]], shown: dict[str, Any] | None) -> list[dict[str, Any]]:
    """The variant's own picture first."""

    def is_other(image: dict[str, Any]) -> bool:
        return all(rendition["url"] != shown["url"] for rendition in image["renditions"])

    return sorted(images, key=is_other) if shown else images


def _arrival(found: dict[str, Any]) -> dict[str, Any]:
    """The one variant's availability, its points with their names."""
    (variant,) = found["variants"] or [{"pickup": [], "availability": "none", "delivery": None}]
    points = {point["id"]: point for point in found["pickup_points"]}
    pickup = [{**points[p["point"]], **p} for p in variant["pickup"][:POINTS]]
    return {**variant, "pickup": pickup, "country": found["country"]}
