"""Addresses of carts and checkout, without prefix. Merchants' `orders/` is in commerce/api.py."""

from django.urls import path

from apps.checkout.api.staff import CombineView, SplitView
from apps.checkout.api.views import CartView, ClaimView, OneCallView

_CART = "carts/<str:cart_id>/"

storefront = [
    path("carts/", CartView.as_view({"post": "create"})),
    path(
        _CART,
        CartView.as_view({"get": "retrieve", "patch": "partial_update", "delete": "destroy"}),
    ),
    path(f"{_CART}lines/", CartView.as_view({"post": "add_line"})),
    path(
        f"{_CART}lines/<uuid:line_id>/",
        CartView.as_view({"patch": "change_line", "delete": "remove_line"}),
    ),
    path(f"{_CART}discounts/", CartView.as_view({"post": "add_code"})),
    path(f"{_CART}discounts/<str:code>/", CartView.as_view({"delete": "remove_code"})),
    path(f"{_CART}gift-cards/<str:last4>/", CartView.as_view({"delete": "remove_gift_card"})),
    path(
        f"{_CART}store-credit/",
        CartView.as_view({"post": "use_store_credit", "delete": "leave_store_credit"}),
    ),
    path(f"{_CART}duties/", CartView.as_view({"get": "duties"})),
    path(f"{_CART}shipping-methods/", CartView.as_view({"get": "shipping_methods"})),
    path(f"{_CART}checkout/", CartView.as_view({"post": "checkout"})),
    path(f"{_CART}claim/", ClaimView.as_view({"post": "claim"})),
    path("checkout/", OneCallView.as_view({"post": "create"})),
]

admin = [
    path("orders/<str:number>/combine/", CombineView.as_view({"post": "combine"})),
    path("orders/<str:number>/split/", SplitView.as_view({"post": "split"})),
]
