"""Addresses of the shopper's read side, without prefix; `crawled` stands at the site's root."""

from django.urls import path

from apps.storefront.api import crawlers, mine, views
from apps.storefront.api.availability import ProductAvailabilityView
from apps.storefront.api.reports import SearchReportView
from apps.storefront.api.rules import SearchRedirectViewSet, SearchSynonymViewSet

storefront = [
    path("products/", views.ProductListView.as_view()),
    path("products/facets/", views.ProductFacetsView.as_view()),
    path("products/suggest/", views.SuggestView.as_view()),
    path("products/<slug:slug>/", views.ProductPageView.as_view()),
    path("products/<slug:slug>/availability/", ProductAvailabilityView.as_view()),
    path("me/products/", mine.MyProductListView.as_view()),
    path("me/products/facets/", mine.MyProductFacetsView.as_view()),
    path("me/products/suggest/", mine.MySuggestView.as_view()),
    path("me/products/<slug:slug>/", mine.MyProductPageView.as_view()),
    path("me/products/<slug:slug>/availability/", mine.MyProductAvailabilityView.as_view()),
    path("categories/", views.CategoryTreeView.as_view()),
    path("categories/<slug:slug>/", views.CategoryView.as_view()),
    path("collections/", views.CollectionListView.as_view()),
    path("collections/<slug:slug>/", views.CollectionView.as_view()),
]

crawled = [
    path("robots.txt", crawlers.RobotsView.as_view()),
    path("sitemap.xml", crawlers.SitemapIndexView.as_view()),
    path("feeds/google.xml", crawlers.FeedView.as_view(feed="google")),
    path("feeds/meta.csv", crawlers.FeedView.as_view(feed="meta")),
    path("sitemap-<slug:section>.xml", crawlers.SitemapView.as_view()),
]

_MANY = {"get": "list", "post": "create"}
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}

admin = [
    path("search-report/", SearchReportView.as_view({"get": "retrieve"})),
    path("search-synonyms/", SearchSynonymViewSet.as_view(_MANY)),
    path("search-synonyms/<uuid:id>/", SearchSynonymViewSet.as_view(_ONE)),
    path("search-redirects/", SearchRedirectViewSet.as_view(_MANY)),
    path("search-redirects/<uuid:id>/", SearchRedirectViewSet.as_view(_ONE)),
]
