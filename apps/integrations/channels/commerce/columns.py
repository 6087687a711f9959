"""Our own format: everything the catalogue knows of a product, in columns a person can read.

The first row of a product has the product; each of its rows a variant, an image, or both.
"""

PRODUCT = (
    *("slug", "name", "description", "status", "brand", "product_type", "tags", "categories"),
    *(
        "tax_class",
        "is_gift_card",
        "seo_title",
        "seo_description",
        "options",
        "attributes",
        "metadata",
    ),
    *("external_ids", "publications", "related"),
)
VARIANT = (
    *("sku", "variant_name", "variant_options", "gtin", "weight_grams", "length_mm", "width_mm"),
    *("height_mm", "requires_shipping", "track_inventory", "hs_code", "origin_country"),
    *(
        "active",
        "position",
        "contents",
        "quantities",
        "variant_image",
        "variant_metadata",
        "variant_external_ids",
    ),
    *("currency", "price", "compare_at_price", "more_prices", "stock", "backorder_limits"),
)
IMAGE = ("image_url", "image_alt")
HEADER = (*PRODUCT, *VARIANT, *IMAGE)
