"""What catalogue promotions made of the prices, for the history that no price leaves out."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Max

from apps.pricing.models import PricePoint
from apps.pricing.selectors import ResolvedPrice
from apps.stores.models import Store


def note_promoted(*, store: Store, currency: str, prices: Mapping[int, ResolvedPrice]) -> int:
    """Note which prices that lists show (by variant id) a promotion reduces; the number of lines.

    A line is written when such a price begins, changes or ends, and none otherwise. Two queries,
    however many prices.
    """
    points = PricePoint.objects.filter(
        store=store, currency=currency, variant_id__in=list(prices)
    ).exclude(promotion="")
    newest = points.order_by().values("variant").annotate(newest=Max("pk")).values("newest")
    known = {point.variant_id: point for point in PricePoint.objects.filter(pk__in=newest)}
    lines = []
    for variant_id, price in prices.items():
        before = known.get(variant_id)
        now = _line(store, currency, variant_id, price)
        if now is None and before is not None and before.amount is not None:
            now = PricePoint(
                variant_id=variant_id, store=store, currency=currency, promotion=before.promotion
            )
        if now is not None and (before is None or _said(before) != _said(now)):
            lines.append(now)
    PricePoint.objects.bulk_create(lines)
    return len(lines)


def _line(store: Store, currency: str, variant_id: int, price: ResolvedPrice) -> PricePoint | None:
    rule = price.reduced_by
    if rule is None:
        return None
    return PricePoint(
        variant_id=variant_id,
        store=store,
        currency=currency,
        amount=price.amount,
        compare_at=price.compare_at,
        valid_from=rule.window.starts_at,
        valid_to=rule.window.ends_at,
        promotion=rule.code,
    )


def _said(point: PricePoint) -> tuple[object, ...]:
    return point.promotion, point.amount, point.compare_at, point.valid_from, point.valid_to
