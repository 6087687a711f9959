"""Orders of the demo, in every state, each brought there by the services."""

from __future__ import annotations

from collections.abc import Iterator

from apps.checkout.services import PaymentChoice, Wish, order_in_one_call
from apps.core.context import Actor, acting
from apps.core.errors import DomainError
from apps.customers.models import Customer
from apps.fulfillment.services import fulfill, mark_delivered
from apps.inventory.models import StockLevel
from apps.orders import services as orders
from apps.orders.models import Order
from apps.payments import services as payments
from apps.payments.models import Payment
from apps.stores.models import Store
from commerce.demo.words import ADDRESSES

STEPS = (
    "pending",
    "declined",
    "confirmed",
    "paid",
    "processing",
    "partly shipped",
    "shipped",
    "delivered",
    "completed",
    "cancelled",
    "refunded",
    "partly refunded",
)


def build_orders(store: Store, customers: list[Customer], rounds: int = 4) -> Iterator[Order]:
    """A few orders for each step a merchant may meet."""
    in_stock = (
        StockLevel.objects.filter(on_hand__gt=12)
        .select_related("variant")
        .order_by("variant__product_id", "pk")
    )
    skus = list(dict.fromkeys(level.variant.sku for level in in_stock))
    number = 0
    for turn in range(rounds):
        for step in STEPS:
            guest = number % 5 == 4
            customer = None if guest else customers[number % len(customers)]
            picks = [skus[(number * 13 + i * 29) % len(skus)] for i in range(1 + number % 3)]
            with acting(Actor(label=customer.email if customer else "guest")):
                order = _place(store, customer, picks, step, number)
            with acting(Actor(label="merchant@example.com")):
                _bring_to(order, step)
            number += 1
            yield order
        del turn


def _place(
    store: Store, customer: Customer | None, skus: list[str], step: str, number: int
) -> Order:
    abroad = number % 4 >= 2
    wish = Wish(
        lines=[(sku, 1 + i) for i, sku in enumerate(dict.fromkeys(skus))],
        email=customer.email if customer else "guest@example.com",
        shipping_address=ADDRESSES[number % len(ADDRESSES)],
        shipping_method="europe" if abroad else ("standard", "express")[number % 2],
        note="Please leave it with the neighbour." if number % 6 == 0 else "",
    )
    choice = {
        "pending": PaymentChoice("stripe"),
        "declined": PaymentChoice("stripe", "pm_card_chargeDeclined"),
        "confirmed": PaymentChoice("manual"),
    }.get(step, PaymentChoice("stripe", "pm_card_visa"))
    try:
        _cart, placed = order_in_one_call(store=store, wish=wish, payment=choice, customer=customer)
    except payments.PaymentDeclined as declined:
        return Order.objects.get(number=declined.extra["order"]["number"])
    return placed.order


def _bring_to(order: Order, step: str) -> None:
    if step == "processing":
        orders.transition(order=order, event="process")
        orders.add_note(order=order, message="Packed on Monday.")
    elif step == "partly shipped":
        line = order.lines.all()[0]
        fulfill(order=order, quantities={str(line.public_id): 1}, carrier="Correos")
    elif step in ("shipped", "delivered", "completed"):
        shipment = fulfill(
            order=order,
            carrier="Correos Express",
            tracking_number=f"ES{order.pk:09d}",
            tracking_url=f"https://carrier.example/track/ES{order.pk:09d}",
        )
        if step != "shipped":
            mark_delivered(shipment=shipment)
        if step == "completed":
            orders.transition(order=order, event="complete")
    elif step == "cancelled":
        orders.cancel(order=order, reason="Ordered twice.")
    elif step in ("refunded", "partly refunded"):
        payment = Payment.objects.filter(order=order).order_by("-pk").first()
        amount = order.total // 3 if step == "partly refunded" else None
        if payment is None:
            raise DomainError(f"{order.number} has no payment")
        payments.refund(payment=payment, amount=amount, reason="Arrived with a scratch.")
