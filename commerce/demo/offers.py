"""Promotions of the demo: one of each kind that a visitor can try."""

from __future__ import annotations

from typing import Any

from apps.promotions.models import Promotion
from apps.promotions.services import add_coupon, make_batch, save_promotion

# Amounts in every currency of the three stores.
FIFTY = {"EUR": "50.00", "USD": "50.00", "GBP": "50.00"}
OFFERS: tuple[dict[str, Any], ...] = (
    {
        "code": "kitchen-sale",
        "name": "Kitchen sale",
        "is_catalogue": True,
        "effect": {"type": "percentage", "percent": "15", "of": "items"},
        "conditions": {"items": {"category": ["kitchen"]}},
    },
    {
        "code": "welcome",
        "name": "Welcome",
        "needs_code": True,
        "effect": {"type": "percentage", "percent": "10", "of": "order"},
        "usage_limit_per_customer": 1,
        "stacking_group": "codes",
    },
    {
        "code": "newsletter",
        "name": "Newsletter",
        "needs_code": True,
        "effect": {"type": "amount_off", "amount": {"EUR": "5.00", "USD": "5.00", "GBP": "5.00"}},
        "conditions": {"min_spend": {"EUR": "25.00", "USD": "25.00", "GBP": "25.00"}},
        "stacking_group": "codes",
    },
    {
        "code": "three-for-two",
        "name": "Three for two",
        "effect": {"type": "buy_x_get_y", "buy": 2, "get": 1},
        "conditions": {"items": {"category": ["children"]}},
    },
    {
        "code": "free-shipping",
        "name": "Free standard shipping",
        "effect": {"type": "free_shipping", "methods": ["standard"]},
        "conditions": {"min_spend": FIFTY},
    },
    {
        "code": "lunch-hour",
        "name": "Lunch hour",
        "effect": {"type": "percentage", "percent": "5", "of": "order"},
        "is_active": False,
        "weekdays": [0, 1, 2, 3, 4],
    },
)


def build_promotions() -> None:
    """Try WELCOME10 in a cart; the newsletter's codes work once each."""
    made = {}
    for offer in OFFERS:
        made[offer["code"]] = save_promotion(promotion=Promotion(**{"is_active": True, **offer}))
    add_coupon(promotion=made["welcome"], code="WELCOME10")
    for _rows in make_batch(promotion=made["newsletter"], batch="demo", count=50, prefix="NEWS-"):
        pass
