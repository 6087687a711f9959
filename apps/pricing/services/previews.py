"""What a promotion that nobody has saved would do to a basket. Nothing is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.emails import email_key
from apps.core.errors import DomainError
from apps.customers.models import CustomerGroup
from apps.pricing.engines.quote import Quote
from apps.pricing.services.lines import Item, Situation
from apps.pricing.services.quotes import quote_items
from apps.products.models import Variant
from apps.promotions.models import Promotion
from apps.promotions.selectors import rule_of
from apps.promotions.services import check_promotion
from apps.stores.models import Store


class UnknownSku(DomainError):
    code = "unknown_sku"
    message = _("There is no such SKU, or it has no price here.")


@dataclass(frozen=True, slots=True)
class Sample:
    """A basket to try a promotion on: (SKU, pieces), and for whom, where and when.

    Without a moment it is now, or when the promotion begins if that is later.
    """

    store: Store
    lines: Sequence[tuple[str, int]]
    currency: str = ""
    country: str = ""
    region: str = ""
    shipping_method: str = ""
    group: CustomerGroup | None = None
    email: str = ""
    first_order: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PromotionPreview:
    """The same basket without the promotion and with it."""

    before: Quote
    after: Quote


def preview_promotion(*, promotion: Promotion, sample: Sample) -> PromotionPreview:
    """Price a sample without a promotion, saved or not, and with it as it stands here.

    It counts as active, and its code as typed; its limits aren't looked at. Raises
    InvalidPromotion and UnknownSku.
    """
    check_promotion(promotion)
    pieces: dict[str, int] = {}
    for sku, quantity in sample.lines:
        pieces[sku] = pieces.get(sku, 0) + quantity
    found = Variant.objects.filter(sku__in=pieces).select_related("product").order_by("pk")
    items = [Item(variant.sku, variant, pieces[variant.sku]) for variant in found]
    _refuse(pieces.keys() - {item.key for item in items})
    situation = _situation(promotion, sample)
    rule = rule_of(promotion, situation.currency)
    method = sample.shipping_method
    before = quote_items(
        situation=situation,
        items=items,
        shipping_method=method,
        amend=lambda offered: offered.without(rule.code),
    )
    _refuse(set(before.unpriced))
    after = quote_items(
        situation=situation,
        items=items,
        shipping_method=method,
        explain=True,
        amend=lambda offered: offered.with_draft(rule),
    )
    return PromotionPreview(before.quote, after.quote)


def _refuse(skus: set[str]) -> None:
    if skus:
        message = f"{UnknownSku.message} {', '.join(sorted(skus))[:200]}"
        raise UnknownSku(message, field="lines")


def _situation(promotion: Promotion, sample: Sample) -> Situation:
    at = sample.at or timezone.now()
    if sample.at is None and promotion.starts_at is not None:
        at = max(at, promotion.starts_at)
    address = {"country": sample.country or sample.store.country, "region": sample.region}
    return Situation(
        store=sample.store,
        currency=sample.currency or sample.store.default_currency,
        at=at,
        address=address,
        group_id=sample.group.pk if sample.group else None,
        group=sample.group.code if sample.group else "",
        customer_key=email_key(sample.email),
        is_first_order=lambda: sample.first_order,
    )
