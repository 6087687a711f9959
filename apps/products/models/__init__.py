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

__all__ = [
    "Attribute",
    "AttributeIndex",
    "Brand",
    "Category",
    "Collection",
    "CollectionProduct",
    "ExternalId",
    "Option",
    "OptionValue",
    "Product",
    "ProductImage",
    "ProductType",
    "Publication",
    "Tag",
    "Variant",
]
