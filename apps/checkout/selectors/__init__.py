from apps.checkout.selectors.carts import (
    CartView,
    LineView,
    Problem,
    cart_for_shopper,
    carts_for_reading,
    open_cart_of,
    order_of,
    pieces_in,
    view_cart,
)
from apps.checkout.selectors.documents import cart_json, explanation_json, offers_json

__all__ = [
    "CartView",
    "LineView",
    "Problem",
    "cart_for_shopper",
    "cart_json",
    "carts_for_reading",
    "explanation_json",
    "offers_json",
    "open_cart_of",
    "order_of",
    "pieces_in",
    "view_cart",
]
