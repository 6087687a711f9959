from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from apps.integrations.channels.base import Channel, Context, ExportProduct, Parsed, Row
from apps.integrations.channels.shopify import columns, reader, writer


class ShopifyChannel(Channel):
    """Shopify's product CSV. Rows of one handle are one product, wherever they stand."""

    code = "shopify"
    label = "Shopify"
    required = ("handle",)
    fields = {
        "slug": "handle",
        "external_id": "handle",
        "name": "title",
        "description": "body",
        "brand": "vendor",
        "product_type": "type",
        "categories": "category",
        "options": "option1_value",
        "weight": "grams",
        "gtin": "barcode",
        "alt": "image_alt",
        "backorders": "policy",
        "stock": "quantity",
    }

    def column(self, header: str) -> str | None:
        return columns.column(header)

    def identity(self, row: Row, previous: str | None) -> tuple[str | None, Sequence[str]]:
        """An empty handle continues the row above it, unless a new product begins."""
        if not row.text("handle") and row.text("title"):
            return f"line {row.line}", ()
        return row.text("handle").lower() or previous, ()

    def parse(self, rows: Sequence[Row], context: Context) -> Parsed:
        return reader.parse(rows, context)

    def header(self) -> Sequence[str]:
        return writer.HEADER

    def rows(self, products: Iterable[ExportProduct]) -> Iterator[Sequence[Any]]:
        for product in products:
            yield from writer.rows(product)
