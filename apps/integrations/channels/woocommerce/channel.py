from __future__ import annotations

from collections.abc import Sequence

from apps.integrations.channels.base import Channel, Context, Parsed, Row
from apps.integrations.channels.woocommerce import columns, reader


class WooCommerceChannel(Channel):
    """WooCommerce's product CSV. A variation names its parent by SKU, or by "id:" and its ID."""

    code = "woocommerce"
    label = "WooCommerce"
    required = ("type", "name")
    fields = {
        "slug": "name",
        "external_id": "id",
        "brand": "brands",
        "options": "attribute:1:values",
        "image": "images",
        "price": "regular_price",
    }

    def column(self, header: str) -> str | None:
        return columns.column(header)

    def identity(self, row: Row, previous: str | None) -> tuple[str | None, Sequence[str]]:
        if "variation" in reader.kinds(row):
            parent = row.text("parent")
            if not parent:
                return None, ()
            return f"?{parent}" if parent.startswith("id:") else f"?sku:{parent}", ()
        names = []
        if number := row.text("id"):
            names.append(f"id:{number}")
        if sku := row.text("sku"):
            names.append(f"sku:{sku}")
        return (names[0] if names else None), names

    def parse(self, rows: Sequence[Row], context: Context) -> Parsed:
        return reader.parse(rows, context)
