"""Addresses of the promotions' API, without prefix."""

from django.urls import path
from django.urls.resolvers import URLPattern

from apps.promotions.api.views import CouponViewSet, PromotionViewSet, RedemptionViewSet

storefront: list[URLPattern] = []

_MANY = {"get": "list", "post": "create"}
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

admin = [
    path("promotions/", PromotionViewSet.as_view(_MANY)),
    path("promotions/<slug:code>/", PromotionViewSet.as_view(_ONE)),
    path("promotions/<slug:code>/end/", PromotionViewSet.as_view({"post": "end"})),
    path("promotions/<slug:code>/coupons/", CouponViewSet.as_view(_MANY)),
    path("promotions/<slug:code>/coupons/batch/", CouponViewSet.as_view({"post": "batch"})),
    path(
        "promotions/<slug:code>/coupons/<slug:coupon>/",
        CouponViewSet.as_view({"patch": "partial_update"}),
    ),
    path("promotions/<slug:code>/redemptions/", RedemptionViewSet.as_view({"get": "list"})),
]
