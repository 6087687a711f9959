"""Promotions and their codes."""

from __future__ import annotations

import factory
from factory.django import DjangoModelFactory

from apps.promotions.models import Coupon, Promotion


class PromotionFactory(DjangoModelFactory):
    class Meta:
        model = Promotion

    code = factory.Sequence(lambda n: f"promotion-{n}")
    name = factory.LazyAttribute(lambda promotion: promotion.code.title())
    is_active = True
    effect = factory.LazyFunction(lambda: {"type": "percentage", "percent": "10", "of": "order"})


class CouponFactory(DjangoModelFactory):
    class Meta:
        model = Coupon

    promotion = factory.SubFactory(PromotionFactory, needs_code=True)
    code = factory.Sequence(lambda n: f"CODE{n}")
