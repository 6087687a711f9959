"""What is personal in the catalogue: nothing."""

from apps.core.personal import impersonal
from apps.products.models import (
    Attribute,
    AttributeIndex,
    Brand,
    Category,
    Collection,
    ExternalId,
    FormerSlug,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductType,
    Tag,
    Variant,
)

impersonal(
    Attribute,
    AttributeIndex,
    Brand,
    Category,
    Collection,
    ExternalId,
    FormerSlug,
    Option,
    OptionValue,
    Product,
    ProductImage,
    ProductType,
    Tag,
    Variant,
)
