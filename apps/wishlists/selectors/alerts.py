"""Reads of alerts: what can be told now, who waits for what, and what must always hold."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings
from django.core import signing
from django.db.models import Count, IntegerField, Min, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce

from apps.core.errors import NotFound
from apps.core.invariants import invariant
from apps.core.scopes import scoped
from apps.customers.models import Customer
from apps.inventory.selectors import availability
from apps.notifications.models import Notification
from apps.pricing.selectors.shelf import shelf_prices
from apps.products.models import Product, Variant
from apps.stores.models import Store
from apps.wishlists.models import Alert, WantedVariant

_SIGNER = signing.Signer(salt="wishlists.alert")
_CHECKED_AT_ONCE = 500


@dataclass(frozen=True, slots=True)
class Offer:
    """A variant that a store sells now: what everybody pays, and whether there is any."""

    variant: Variant
    price: int
    is_available: bool

    @property
    def name(self) -> str:
        """The product's, and what tells the variant apart from the others."""
        variant = self.variant
        told = variant.name or ", ".join(value.value for value in variant.option_values.all())
        product = variant.product.name
        return f"{product} ({told})" if told and told != product else product


def offers(
    *,
    store: Store,
    currency: str,
    variants: QuerySet[Variant],
    at: datetime,
    group_id: int | None,
) -> dict[int, Offer]:
    """What of `variants` is for sale in a store at a moment, by variant id; to customers of a
    group, or to everybody.

    From the stock and the till's own prices: the listing may be a moment late. The number of
    statements doesn't depend on that of the variants.
    """
    published = Product.objects.published(store.pk, at, group_id=group_id)
    found = list(
        variants.filter(is_active=True, product__in=published)
        .select_related("product")
        .prefetch_related("option_values")
    )
    if not found:
        return {}
    prices = shelf_prices(store=store, currency=currency, variants=found, at=at)
    free = availability(store_id=store.pk, variant_ids=[v.pk for v in found if v.track_inventory])
    return {
        variant.pk: Offer(variant, prices[variant.pk].amount, free.get(variant.pk, 1) > 0)
        for variant in found
        if variant.pk in prices
    }


def alert_token(alert: Alert) -> str:
    """What opens the alert to whoever got its mail."""
    return _SIGNER.sign(str(alert.public_id))


def alert_url(alert: Alert) -> str:
    """The page on which an alert is confirmed or given up."""
    return settings.ALERT_URL.format(token=alert_token(alert))


def alert_of(token: str) -> Alert:
    """The alert of a token. Raises NotFound for one that isn't ours, or whose alert is gone."""
    try:
        public_id = UUID(_SIGNER.unsign(token))
    except (signing.BadSignature, ValueError) as error:
        raise NotFound() from error
    found = alerts().filter(public_id=public_id).first()
    if found is None:
        raise NotFound()
    return found


def alerts() -> QuerySet[Alert]:
    """Alerts with what they are about."""
    return Alert.objects.select_related("store", "variant__product")


def alerts_of(customer: Customer | None) -> QuerySet[Alert]:
    """What a customer asked to be told, told already or not."""
    return alerts().filter(customer=customer)


def wanted_variants() -> QuerySet[WantedVariant]:
    """The variants that somebody waits for, in stores that the acting staff may see.

    How many wait for it to be back (`waiting`) or cheaper (`cheaper`), and since when.
    """

    def of(*kinds: str) -> QuerySet[Alert]:
        mine = scoped(Alert.objects.all()).filter(
            kind__in=kinds, status=Alert.Status.WAITING, variant=OuterRef("pk")
        )
        return mine.order_by().values("variant")

    def number(kind: str) -> Coalesce:
        counted = of(kind).annotate(n=Count("pk")).values("n")
        return Coalesce(Subquery(counted, IntegerField()), 0)

    asked = scoped(Alert.objects.all()).filter(
        kind__in=Alert.Kind.values, status=Alert.Status.WAITING
    )
    since = of(*Alert.Kind.values).annotate(at=Min("created_at")).values("at")
    return (
        WantedVariant.objects.filter(pk__in=asked.values("variant"))
        .select_related("product")
        .annotate(
            waiting=number(Alert.Kind.STOCK),
            cheaper=number(Alert.Kind.PRICE),
            since=Subquery(since),
        )
    )


@invariant("an alert is told by exactly one mail")
def _told_once() -> Iterator[str]:
    told = Alert.objects.filter(status=Alert.Status.TOLD)
    yield from _wrong(told, mailed=False)
    yield from _wrong(Alert.objects.exclude(status=Alert.Status.TOLD), mailed=True)


def _wrong(alerts: QuerySet[Alert], *, mailed: bool) -> Iterator[str]:
    chunk: list[str] = []
    for public_id in alerts.values_list("public_id", flat=True).iterator():
        chunk.append(told_key(public_id))
        if len(chunk) == _CHECKED_AT_ONCE:
            yield from _in_log(chunk, mailed)
            chunk = []
    yield from _in_log(chunk, mailed)


def _in_log(keys: list[str], mailed: bool) -> Iterator[str]:
    sent = Notification.objects.filter(dedupe_key__in=keys)
    known = set(sent.values_list("dedupe_key", flat=True))
    for key in keys:
        if (key in known) == mailed:
            yield f"{key}: " + ("mailed, and still waiting" if mailed else "told without a mail")


def told_key(public_id: UUID) -> str:
    """Names the one mail of an alert in the delivery log."""
    return f"alert:{public_id}"
