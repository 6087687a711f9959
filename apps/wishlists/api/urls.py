"""Addresses of wishlists, alerts and recently viewed products, without prefix."""

from django.urls import path

from apps.wishlists.api import alerts, views

storefront = [
    path("me/wishlists/", views.MyWishlistViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "me/wishlists/<uuid:id>/",
        views.MyWishlistViewSet.as_view(
            {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}
        ),
    ),
    path(
        "me/wishlists/<uuid:wishlist_id>/items/",
        views.MyWishViewSet.as_view({"get": "list", "post": "create"}),
    ),
    path(
        "me/wishlists/<uuid:wishlist_id>/items/<uuid:item_id>/",
        views.MyWishViewSet.as_view({"patch": "partial_update", "delete": "destroy"}),
    ),
    path(
        "me/wishlists/<uuid:wishlist_id>/items/<uuid:item_id>/move-to-cart/",
        views.MyWishViewSet.as_view({"post": "move_to_cart"}),
    ),
    path("wishlists/<str:token>/", views.SharedWishlistView.as_view({"get": "retrieve"})),
    path("wishlists/<str:token>/items/", views.SharedWishView.as_view({"get": "list"})),
    path(
        "me/recently-viewed/",
        views.RecentlyViewedView.as_view(
            {"get": "retrieve", "post": "create", "delete": "destroy"}
        ),
    ),
    path("me/alerts/", alerts.MyAlertViewSet.as_view({"get": "list", "post": "create"})),
    path("me/alerts/<uuid:id>/", alerts.MyAlertViewSet.as_view({"delete": "destroy"})),
    path("alerts/", alerts.GuestAlertView.as_view({"post": "create"})),
    path(
        "alerts/<str:token>/",
        alerts.AlertByTokenView.as_view({"get": "retrieve", "delete": "destroy"}),
    ),
    path("alerts/<str:token>/confirm/", alerts.AlertByTokenView.as_view({"post": "confirm"})),
]

admin = [
    path("stock-alerts/", alerts.WantedViewSet.as_view({"get": "list"})),
]
