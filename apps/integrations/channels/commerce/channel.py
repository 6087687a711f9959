from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.integrations.channels.base import Channel, Context, ExportProduct, Parsed, Row
from apps.integrations.channels.commerce import reader, writer
from apps.integrations.channels.commerce.columns import HEADER


class CommerceChannel(Channel):
    """Our own CSV: what it exports, an empty shop imports and exports again byte by byte."""

    code = "commerce"
    label = _("Commerce (complete)")
    required = ("slug",)
    restores = True
    fields = {
        "external_id": "external_ids",
        "image": "image_url",
        "alt": "image_alt",
        "variant.name": "variant_name",
        "variant.options": "variant_options",
        "variant.image": "variant_image",
        "variant.external_id": "variant_external_ids",
        "weight": "weight_grams",
        "length": "length_mm",
        "width": "width_mm",
        "height": "height_mm",
        "backorders": "backorder_limits",
    }

    def column(self, header: str) -> str | None:
        name = header.lstrip("\ufeff").strip().lower()
        return name if name in HEADER else None

    def identity(self, row: Row, previous: str | None) -> tuple[str | None, Sequence[str]]:
        """An empty slug continues the row above it."""
        return row.text("slug").strip() or previous, ()

    def parse(self, rows: Sequence[Row], context: Context) -> Parsed:
        return reader.parse(rows, context)

    def header(self) -> Sequence[str]:
        return HEADER

    def rows(self, products: Iterable[ExportProduct]) -> Iterator[Sequence[Any]]:
        for product in products:
            yield from writer.rows(product)
