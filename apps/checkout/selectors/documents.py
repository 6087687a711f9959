"""Carts as the API shapes them."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.core.files.storage import default_storage

from apps.checkout.selectors.carts import CartView, LineView
from apps.core.money import money_json
from apps.payments.selectors import Tender
from apps.pricing.engines.quote import Quote
from apps.pricing.services import Offer
from apps.products.models import ProductImage

THUMBNAIL_WIDTH = 160


def _first_images(view: CartView) -> dict[int, ProductImage]:
    """The first image of each product in the cart, by product id."""
    products = {line.line.variant.product_id for line in view.lines}
    ready = ProductImage.objects.filter(status=ProductImage.Status.READY, product__in=products)
    first: dict[int, ProductImage] = {}
    for image in ready.order_by("position", "pk"):
        first.setdefault(image.product_id, image)
    return first


def _thumbnail(image: ProductImage) -> dict[str, Any] | None:
    for rendition in image.renditions:
        if rendition["width"] >= THUMBNAIL_WIDTH or rendition is image.renditions[-1]:
            return {
                "url": default_storage.url(rendition["path"]),
                "alt": image.alt,
                "width": rendition["width"],
                "height": rendition["height"],
            }
    return None


def _line_json(view: LineView, image: ProductImage | None, currency: str) -> dict[str, Any]:
    variant = view.line.variant
    enough = view.available is None or view.available >= view.line.quantity
    in_stock = "in_stock" if enough else "out_of_stock"
    status = in_stock if view.sellable else "unavailable"
    return {
        "id": str(view.line.public_id),
        "sku": variant.sku,
        "product": {
            "slug": variant.product.slug,
            "name": variant.product.name,
            "thumbnail": _thumbnail(image) if image else None,
        },
        "options": {v.option.name: v.value for v in variant.option_values.all()},
        "quantity": view.line.quantity,
        "unit_price": _money(view.unit_price, currency),
        "compare_at_price": _money(
            view.list_price if view.list_price != view.unit_price else None, currency
        ),
        "line_total": money_json(view.line_total, currency),
        "gift_card": view.line.gift_card or None,
        "availability": {"status": status, "available_quantity": view.available},
    }


def _money(amount: int | None, currency: str) -> dict[str, str] | None:
    return None if amount is None else money_json(amount, currency)


def discounts_json(quote: Quote) -> list[dict[str, Any]]:
    """What promotions took off. Those of target "shipping" are off the shipping price already."""
    return [
        {
            "code": discount.coupon or discount.code,
            "name": discount.name,
            "amount": money_json(discount.amount, quote.currency),
            "target": discount.target,
        }
        for discount in quote.discounts
    ]


def _codes_json(view: CartView) -> list[dict[str, Any]]:
    """The typed codes: whether each applies, and if not, why (a stable code)."""
    reasons = {v["coupon"]: v["reason"] for v in view.quotation.verdicts if v["coupon"]}
    return [
        {
            "code": code,
            "applied": reasons.get(code) == "applied",
            "reason": reasons.get(code, "unknown"),
        }
        for code in view.cart.codes
    ]


def _gifts_json(view: CartView) -> list[dict[str, Any]]:
    return [
        {
            "sku": line.sku,
            "product": {
                "slug": view.quotation.gifts[line.key].product.slug,
                "name": view.quotation.gifts[line.key].product.name,
            },
            "quantity": line.quantity,
            "unit_price": money_json(line.unit_price, view.cart.currency),
        }
        for line in view.quote.lines
        if line.is_gift
    ]


def explanation_json(view: CartView) -> list[dict[str, Any]]:
    """Every step that led to the total: promotions with their verdicts, shipping, taxes.

    Amounts in it are minor units of the cart's currency.
    """
    return [asdict(step) for step in view.quote.trace]


def _tender_json(tender: Tender, currency: str) -> dict[str, Any]:
    """A balance, and what of it pays; one that doesn't pay any more pays nothing."""
    return {
        "balance": money_json(0 if tender.problem else tender.balance, currency),
        "amount": money_json(tender.amount, currency),
    }


def cart_json(view: CartView) -> dict[str, Any]:
    """The cart document of the API."""
    cart, quote, images = view.cart, view.quote, _first_images(view)
    return {
        "id": cart.public_id,
        "status": cart.status,
        "currency": cart.currency,
        "lines": [
            _line_json(line, images.get(line.line.variant.product_id), cart.currency)
            for line in view.lines
        ],
        "totals": {
            **{
                name: money_json(getattr(quote, name), cart.currency)
                for name in ("subtotal", "discount", "shipping", "tax", "total")
            },
            "due": money_json(view.due, cart.currency),
            "tax_included": quote.tax_included,
        },
        "discounts": discounts_json(quote),
        "codes": _codes_json(view),
        "gifts": _gifts_json(view),
        "gift_cards": [
            {"last4": tender.last4, **_tender_json(tender, cart.currency)}
            for tender in view.tenders
            if tender.last4
        ],
        "store_credit": next(
            (_tender_json(t, cart.currency) for t in view.tenders if not t.last4), None
        ),
        "email": cart.email,
        "shipping_address": cart.shipping_address or None,
        "billing_address": cart.billing_address or None,
        "shipping_method": cart.shipping_method or None,
        "note": cart.note,
        "problems": [
            {
                "code": problem.code,
                "message": str(problem.message),
                "line_id": problem.line_id,
                **problem.data,
            }
            for problem in view.problems
        ],
    }


def offers_json(offers: list[Offer], currency: str) -> list[dict[str, Any]]:
    """Shipping methods with their prices."""
    return [
        {
            "code": offer.code,
            "name": offer.name,
            "price": money_json(offer.price, currency),
            "estimated_days": {"min": offer.min_days, "max": offer.max_days},
            "estimated_delivery": {
                "earliest": offer.estimate.earliest.isoformat(),
                "latest": offer.estimate.latest.isoformat(),
            },
            "kind": offer.kind,
        }
        for offer in offers
    ]
