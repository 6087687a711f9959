"""Reads of shipments, and the truths that must hold about them."""

from __future__ import annotations

from collections.abc import Iterator

from django.db.models import F, Sum
from django.db.models.functions import Coalesce

from apps.core.invariants import invariant
from apps.orders.models import OrderLine


@invariant("what shipped is what the shipments say, and at most what was ordered")
def _shipped() -> Iterator[str]:
    lines = OrderLine.objects.annotate(shipped=Coalesce(Sum("fulfillment_lines__quantity"), 0))
    for line in lines.exclude(fulfilled_quantity=F("shipped"), shipped__lte=F("quantity")):
        yield f"line {line.pk}: {line.fulfilled_quantity} fulfilled, {line.shipped} shipped"
