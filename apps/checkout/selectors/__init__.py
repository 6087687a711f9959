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
from apps.checkout.selectors.duties import duties_of_cart

__all__ = [
    "CartView",
    "LineView",
    "Problem",
    "cart_for_shopper",
    "cart_json",
    "carts_for_reading",
    "duties_of_cart",
    "explanation_json",
    "offers_json",
    "open_cart_of",
    "order_of",
    "pieces_in",
    "view_cart",
]
