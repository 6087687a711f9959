"""Telling those who wait, each once: an alert is claimed in the transaction that writes its mail.

Events only say when to look. What is told is read anew from the stock and the till, so that
events that come twice, late or in another order tell nothing wrong; the sweep by the clock finds
what no event told of, such as a promotion that began by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from apps.notifications.services import notify
from apps.orders.services.mails import money_text
from apps.products.models import Variant
from apps.storefront.selectors.addresses import page_url
from apps.stores.models import Store
from apps.stores.selectors import active_stores
from apps.wishlists.models import Alert
from apps.wishlists.selectors.alerts import Offer, alert_url, offers, told_key

# Variants looked at together; mails to those who wait for one of them before it is looked at again.
CHUNK, BATCH = 200, 100
# Mails of one event, and of one run by the clock: the rest waits for the next.
MOST_BY_EVENT, MOST_BY_CLOCK = 500, 5_000


def tell_about(*, kind: str, product_ids: Sequence[str]) -> int:
    """Something happened to these products (their public ids): the number of alerts told."""
    concerned = Alert.objects.waiting(kind).filter(variant__product__public_id__in=product_ids)
    return _tell(kind, concerned, MOST_BY_EVENT)


def tell_due() -> int:
    """Whatever can be told now, the number of alerts."""
    return sum(_tell(kind, Alert.objects.waiting(kind), MOST_BY_CLOCK) for kind in Alert.Kind)


def _tell(kind: str, waiting: QuerySet[Alert], most: int) -> int:
    """Tell everybody who waits for what has come, in batches, the longest waiting first."""
    total, told = 0, 1
    while told and total < most and waiting.exists():
        told = 0
        for batch in _round(kind, waiting):
            told += batch
            if total + told >= most:
                break
        total += told
    return total


def _round(kind: str, waiting: QuerySet[Alert]) -> Iterator[int]:
    """At most one batch for each variant; how many were told by each."""
    for store in active_stores():
        for currency in store.all_currencies:
            for chunk in _chunks(waiting.filter(store=store, currency=currency)):
                yield from _tell_chunk(kind, store, currency, chunk)


def _chunks(waiting: QuerySet[Alert]) -> Iterator[list[int]]:
    """The ids of the variants that are waited for, a few at a time."""
    last, ids = 0, waiting.order_by("variant").values_list("variant", flat=True).distinct()
    while chunk := list(ids.filter(variant__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1]


def _tell_chunk(
    kind: str, store: Store, currency: str, variant_ids: Sequence[int]
) -> Iterator[int]:
    variants = Variant.objects.filter(pk__in=variant_ids)
    asked = Alert.objects.waiting(kind).filter(store=store, currency=currency)
    named = asked.filter(variant__in=variant_ids).order_by()
    # What is only for a group is told to nobody else.
    for group_id in named.values_list("customer__group", flat=True).distinct():
        found = offers(
            store=store,
            currency=currency,
            variants=variants,
            at=timezone.now(),
            group_id=group_id,
        )
        for offer in found.values():
            waiting = asked.filter(variant=offer.variant, customer__group=group_id)
            if kind == Alert.Kind.PRICE:
                waiting = waiting.filter(threshold__gte=offer.price)
            elif not offer.is_available:
                continue
            yield sum(_tell_one(alert, store, offer) for alert in waiting.order_by("pk")[:BATCH])


@transaction.atomic
def _tell_one(alert: Alert, store: Store, offer: Offer) -> bool:
    """False if somebody else told it meanwhile, or it was given up."""
    now, mine = timezone.now(), Alert.objects.waiting(alert.kind).filter(pk=alert.pk)
    if not mine.update(status=Alert.Status.TOLD, told_at=now, updated_at=now):
        return False
    variant, language = offer.variant, alert.language or store.language
    is_price = alert.kind == Alert.Kind.PRICE
    notify(
        kind="alerts/cheaper" if is_price else "alerts/back_in_stock",
        recipient=alert.email,
        language=language,
        context={
            "store_name": store.name,
            "store_email": store.email,
            "name": offer.name,
            "price": money_text(offer.price, alert.currency, language),
            "before": money_text(alert.seen_price or 0, alert.currency, language),
            "product_url": page_url(
                settings.VARIANT_URL, store, slug=variant.product.slug, sku=variant.sku
            ),
            "alert_url": alert_url(alert),
        },
        dedupe_key=told_key(alert.public_id),
    )
    return True
