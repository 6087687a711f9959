"""Importing this package registers the pages of promotions and hangs up their buttons."""

from apps.promotions.admin.buttons import BatchForm, CodeForm
from apps.promotions.admin.coupons import CouponAdmin
from apps.promotions.admin.promotions import PromotionAdmin
from apps.promotions.admin.redemptions import RedemptionAdmin

__all__ = ["BatchForm", "CodeForm", "CouponAdmin", "PromotionAdmin", "RedemptionAdmin"]
