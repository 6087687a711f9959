"""Addresses of the catalogue's API for merchants, without prefix."""

from typing import Any

from django.urls import URLPattern, path

from apps.products.api import labels, views

_MANY = {"get": "list", "post": "create"}
_ONE = {"get": "retrieve", "patch": "partial_update", "delete": "destroy"}


def _pair(name: str, key: str, viewset: Any) -> list[URLPattern]:
    return [
        path(f"{name}/", viewset.as_view(_MANY)),
        path(f"{name}/<slug:{key}>/", viewset.as_view(_ONE)),
    ]


admin = [
    *_pair("products", "slug", views.ProductViewSet),
    path("products/<slug:slug>/variants/", views.ProductVariantViewSet.as_view(_MANY)),
    path("products/<slug:slug>/images/", views.ProductImageViewSet.as_view(_MANY)),
    path("images/<uuid:id>/", views.ImageViewSet.as_view(_ONE)),
    # SKUs of other systems have spaces, dots and slashes.
    path("variants/<path:sku>/", views.VariantViewSet.as_view(_ONE)),
    *_pair("categories", "slug", labels.CategoryViewSet),
    *_pair("collections", "slug", labels.CollectionViewSet),
    *_pair("brands", "slug", labels.BrandViewSet),
    *_pair("tags", "slug", labels.TagViewSet),
    *_pair("product-types", "code", labels.ProductTypeViewSet),
    *_pair("attributes", "code", labels.AttributeViewSet),
]
