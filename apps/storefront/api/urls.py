"""Addresses of the shopper's read side, without prefix."""

from django.urls import path

from apps.storefront.api import views

storefront = [
    path("products/", views.ProductListView.as_view()),
    path("products/facets/", views.ProductFacetsView.as_view()),
    path("products/<slug:slug>/", views.ProductPageView.as_view()),
    path("categories/", views.CategoryTreeView.as_view()),
    path("categories/<slug:slug>/", views.CategoryView.as_view()),
    path("collections/", views.CollectionListView.as_view()),
    path("collections/<slug:slug>/", views.CollectionView.as_view()),
]
