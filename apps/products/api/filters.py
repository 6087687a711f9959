"""Filters of the merchant's list of products."""

from __future__ import annotations

from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet
from django_filters import rest_framework as filters

from apps.products.models import Category, Product, Variant


class ProductFilter(filters.FilterSet):
    status = filters.ChoiceFilter(choices=Product.Status.choices)
    brand = filters.CharFilter(field_name="brand__slug")
    category = filters.CharFilter(method="in_category", label="It and everything below it")
    search = filters.CharFilter(method="found", label="In the name or a SKU")

    class Meta:
        model = Product
        fields: tuple[str, ...] = ()

    def in_category(self, products: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        category = Category.objects.filter(slug=value).first()
        if category is None:
            return products.none()
        inside = Product.categories.through.objects.filter(category__path__startswith=category.path)
        return products.filter(pk__in=inside.values("product_id"))

    def found(self, products: QuerySet[Any], name: str, value: str) -> QuerySet[Any]:
        for word in value.split()[:5]:
            sku = Variant.objects.filter(product=OuterRef("pk"), sku__icontains=word[:100])
            products = products.filter(Q(name__icontains=word[:100]) | Exists(sku))
        return products
