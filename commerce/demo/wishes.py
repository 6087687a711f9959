"""What the demo's customers wish for and wait for."""

from __future__ import annotations

from django.utils import timezone

from apps.customers.models import Customer
from apps.inventory.models import StockLevel
from apps.inventory.selectors import availability
from apps.inventory.services import set_on_hand
from apps.products.models import Product, Variant
from apps.products.services.relations import set_related
from apps.stores.models import Store
from apps.wishlists.models import Alert
from apps.wishlists.services import alerts, viewing, wishes


def build_wishes(store: Store, customers: list[Customer]) -> None:
    """Two lists of the first customer, one shared; what many wait for; chosen companions."""
    shopper = customers[0]
    products = list(
        Product.objects.published(store.pk, timezone.now(), group_id=None).order_by("pk")[:12]
    )
    slugs = [product.slug for product in products]
    mine = wishes.default_wishlist(customer=shopper)
    birthday = wishes.create_wishlist(customer=shopper, name="Birthday")
    wishes.update_wishlist(wishlist=birthday, is_shared=True)
    for number, slug in enumerate(slugs[:6]):
        wishes.add_item(wishlist=(mine, birthday)[number % 2], store=store, slug=slug)
    viewing.note_viewed(customer=shopper, store=store, slugs=slugs[4:9])
    for number, variant in enumerate(_sell_out(store)):
        for customer in customers[: 1 + number % len(customers)]:
            _ask(store, customer, Alert.Kind.STOCK, variant.sku)
    _ask(store, shopper, Alert.Kind.PRICE, products[0].variants.all()[0].sku)
    set_related(product=products[0], related=products[5:7])


def _sell_out(store: Store) -> list[Variant]:
    """Empty the shelves of a few variants that no order waits for."""
    tracked = Variant.objects.filter(track_inventory=True, is_active=True)
    promised = StockLevel.objects.exclude(held=0, committed=0)
    tracked = tracked.exclude(pk__in=promised.values("variant")).order_by("-pk")
    chosen = list(tracked.select_related("product")[:40:8])
    for level in StockLevel.objects.filter(variant__in=chosen).select_related("location"):
        set_on_hand(variant=level.variant, location=level.location, quantity=0)
    free = availability(store_id=store.pk, variant_ids=[variant.pk for variant in chosen])
    return [variant for variant in chosen if not free[variant.pk]]


def _ask(store: Store, customer: Customer, kind: str, sku: str) -> None:
    wish = alerts.Wish(store=store, currency=store.default_currency, kind=kind, sku=sku)
    alerts.ask(wish=wish, customer=customer, language=customer.language)
