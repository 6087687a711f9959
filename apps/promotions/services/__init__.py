"""Writes of promotions: making them, their codes, and using them up."""

from apps.promotions.services.coupons import (
    MAX_BATCH,
    CodeTaken,
    InvalidCode,
    add_coupon,
    finish_batch,
    make_batch,
    normalised_code,
    set_coupon_active,
    start_batch,
)
from apps.promotions.services.promotions import (
    InvalidPromotion,
    PromotionInUse,
    check_promotion,
    delete_promotion,
    end_promotion,
    save_promotion,
    set_active,
)
from apps.promotions.services.redemptions import (
    PromotionUsedUp,
    Use,
    pass_on,
    redeem,
    redeem_again,
    release,
    share,
)

__all__ = [
    "MAX_BATCH",
    "CodeTaken",
    "InvalidCode",
    "InvalidPromotion",
    "PromotionInUse",
    "PromotionUsedUp",
    "Use",
    "add_coupon",
    "check_promotion",
    "delete_promotion",
    "end_promotion",
    "finish_batch",
    "make_batch",
    "normalised_code",
    "pass_on",
    "redeem",
    "redeem_again",
    "release",
    "save_promotion",
    "set_active",
    "set_coupon_active",
    "share",
    "start_batch",
]
