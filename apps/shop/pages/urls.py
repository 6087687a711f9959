"""Addresses of the shop."""

from django.urls import path
from django.views.i18n import set_language

from apps.shop.pages import catalogue, choices

app_name = "shop"
urlpatterns = [
    path("", catalogue.HomePage.as_view(), name="home"),
    path("search/", catalogue.ListPage.as_view(), name="search"),
    path("categories/<slug:slug>/", catalogue.CategoryPage.as_view(), name="category"),
    path("collections/<slug:slug>/", catalogue.CollectionPage.as_view(), name="collection"),
    path("products/<slug:slug>/", catalogue.ProductPage.as_view(), name="product"),
    path("currency/", choices.CurrencyChoice.as_view(), name="currency"),
    path("language/", set_language, name="language"),
]
