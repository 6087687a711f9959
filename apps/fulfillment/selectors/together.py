"""Which orders may travel in one parcel."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from apps.core.addresses import address_key
from apps.fulfillment.models import Fulfillment
from apps.fulfillment.selectors.requests import crosses_customs, duties_paid
from apps.orders.models import Order
from apps.shipping.models import ShippingMethod

# Orders that are looked through for those of a page, the newest first.
MOST = 1000


def companions(orders: Iterable[Order]) -> dict[int, list[str]]:
    """With which others each of `orders` may be shipped: their numbers, by its primary key.

    Both wait to be shipped, are of one customer and store, and go to the same address. One query.
    """
    keys = {order.pk: key for order in orders if (key := _key(order))}
    emails = {order.email_key for order in orders if order.pk in keys}
    if not emails:
        return {}
    waiting = Order.objects.to_ship().filter(email_key__in=emails).order_by("-pk")
    names = ("pk", "number", "store_id", "customer_id", "email_key", "shipping_address")
    numbers: dict[tuple[object, ...], dict[int, str]] = {}
    for other in waiting.only(*names)[:MOST]:
        numbers.setdefault(_key(other), {})[other.pk] = other.number
    found = {}
    for pk, key in keys.items():
        alike = numbers.get(key, {})
        if pk in alike and len(alike) > 1:
            found[pk] = sorted(number for other, number in alike.items() if other != pk)
    return found


def _key(order: Order) -> tuple[object, ...]:
    """Who gets it where; () where that isn't known."""
    address = address_key(order.shipping_address)
    if not address or not order.email_key:
        return ()
    return (order.store_id, order.customer_id, order.email_key, address)


def obstacle(shipments: Sequence[Fulfillment]) -> str:
    """Why these can't share a parcel: "customer", "address", "store", "pickup", or, where goods
    are declared, "currency" or "terms" (who bears the duties); "" if they can."""
    orders = list({each.order_id: each.order for each in shipments}.values())
    first = orders[0]
    for other in orders[1:]:
        if other.store_id != first.store_id:
            return "store"
        if (other.customer_id, other.email_key) != (first.customer_id, first.email_key):
            return "customer"
        if not _key(first) or _key(other) != _key(first):
            return "address"
    methods = ShippingMethod.objects.filter(
        store=first.store_id, code__in={order.shipping_method for order in orders}
    )
    if methods.filter(kind=ShippingMethod.Kind.PICKUP).exists():
        return "pickup"
    if crosses_customs(shipments[0]):
        if len({order.currency for order in orders}) > 1:
            return "currency"
        if len({duties_paid(each) for each in shipments}) > 1:
            return "terms"
    return ""
