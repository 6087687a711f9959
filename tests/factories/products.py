from __future__ import annotations

from typing import Any

import factory
from factory.django import DjangoModelFactory

from apps.products.models import (
    Attribute,
    Brand,
    Category,
    Collection,
    Product,
    ProductImage,
    ProductType,
    Publication,
    Tag,
    Variant,
)
from apps.stores.models import Store


class BrandFactory(DjangoModelFactory[Brand]):
    class Meta:
        model = Brand

    name = factory.Sequence(lambda n: f"Brand {n}")
    slug = factory.Sequence(lambda n: f"brand-{n}")


class TagFactory(DjangoModelFactory[Tag]):
    class Meta:
        model = Tag

    name = factory.Sequence(lambda n: f"Tag {n}")
    slug = factory.Sequence(lambda n: f"tag-{n}")


class ProductTypeFactory(DjangoModelFactory[ProductType]):
    class Meta:
        model = ProductType

    code = factory.Sequence(lambda n: f"type-{n}")
    name = factory.Sequence(lambda n: f"Type {n}")


class AttributeFactory(DjangoModelFactory[Attribute]):
    class Meta:
        model = Attribute

    code = factory.Sequence(lambda n: f"attribute-{n}")
    name = factory.Sequence(lambda n: f"Attribute {n}")
    kind = Attribute.Kind.TEXT
    is_filterable = True


class CategoryFactory(DjangoModelFactory[Category]):
    """A root, or with `parent=` a child."""

    class Meta:
        model = Category

    name = factory.Sequence(lambda n: f"Category {n}")
    slug = factory.Sequence(lambda n: f"category-{n}")

    @classmethod
    def _create(cls, model_class: type[Category], *args: Any, **kwargs: Any) -> Category:
        parent = kwargs.pop("parent", None)
        if parent is None:
            return model_class.objects.add_root(kwargs)
        parent.refresh_from_db()
        return model_class.objects.add_child(parent, kwargs)


class CollectionFactory(DjangoModelFactory[Collection]):
    class Meta:
        model = Collection

    name = factory.Sequence(lambda n: f"Collection {n}")
    slug = factory.Sequence(lambda n: f"collection-{n}")


class ProductFactory(DjangoModelFactory[Product]):
    """An active product with one variant; `stores=[store]` publishes it there.

    `variants=3` makes three variants, `variants=0` none; `categories=[…]`, `tags=[…]`.
    """

    class Meta:
        model = Product
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Product {n}")
    slug = factory.Sequence(lambda n: f"product-{n}")
    status = Product.Status.ACTIVE

    @factory.post_generation
    def stores(self: Product, create: bool, extracted: list[Store] | None, **kw: Any) -> None:
        for store in extracted or ():
            PublicationFactory(product=self, store=store)

    @factory.post_generation
    def variants(self: Product, create: bool, extracted: int | None, **kw: Any) -> None:
        for _ in range(1 if extracted is None else extracted):
            VariantFactory(product=self, **kw)

    @factory.post_generation
    def categories(
        self: Product, create: bool, extracted: list[Category] | None, **kw: Any
    ) -> None:
        self.categories.add(*(extracted or ()))

    @factory.post_generation
    def tags(self: Product, create: bool, extracted: list[Tag] | None, **kw: Any) -> None:
        self.tags.add(*(extracted or ()))


class PublicationFactory(DjangoModelFactory[Publication]):
    class Meta:
        model = Publication


class VariantFactory(DjangoModelFactory[Variant]):
    """A variant of a product without other variants, unless `product=` is given."""

    class Meta:
        model = Variant

    product = factory.SubFactory(ProductFactory, variants=0)
    sku = factory.Sequence(lambda n: f"SKU-{n}")
    weight = 500


class ProductImageFactory(DjangoModelFactory[ProductImage]):
    """A picture that is ready, in two widths (the files aren't there)."""

    class Meta:
        model = ProductImage

    product = factory.SubFactory(ProductFactory)
    alt = "A picture"
    status = ProductImage.Status.READY
    width, height = 640, 480

    @factory.lazy_attribute
    def renditions(self) -> list[dict[str, Any]]:
        return [
            {"width": 320, "height": 240, "path": "products/test-320.webp"},
            {"width": 640, "height": 480, "path": "products/test-640.webp"},
        ]

    file = "products/test-640.webp"
