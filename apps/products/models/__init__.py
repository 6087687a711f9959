from apps.products.models.attributes import Attribute, AttributeIndex, ProductType
from apps.products.models.catalogue import Brand, Category, Collection, CollectionProduct, Tag
from apps.products.models.media import ProductImage
from apps.products.models.product import (
    ExternalId,
    Option,
    OptionValue,
    Product,
    Publication,
    Variant,
)
from apps.products.models.relations import ProductRelation
from apps.products.models.slugs import FormerSlug

__all__ = [
    "Attribute",
    "AttributeIndex",
    "Brand",
    "Category",
    "Collection",
    "CollectionProduct",
    "ExternalId",
    "FormerSlug",
    "Option",
    "OptionValue",
    "Product",
    "ProductImage",
    "ProductRelation",
    "ProductType",
    "Publication",
    "Tag",
    "Variant",
]
