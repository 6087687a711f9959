"""Asking buyers for a review, some days after their order has arrived."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from apps.customers.selectors import group_id_of
from apps.notifications.services import notify
from apps.orders.models import Order, OrderLine
from apps.products.models import Product
from apps.reviews.models import Review, ReviewInvitation, ReviewSettings

# Who was delivered longer ago isn't asked any more: a store that begins to ask begins with today's.
WINDOW = timedelta(days=14)
BATCH = 200


def invite_buyers() -> int:
    """Ask, once an order; the number of orders that were looked at.

    Only customers who can sign in, since only they can write; and only for what they haven't
    reviewed. Safe to run several times at once.
    """
    done = 0
    for rules in ReviewSettings.objects.filter(
        ask_after_days__isnull=False, store__is_active=True
    ).select_related("store"):
        until = timezone.now() - timedelta(days=rules.ask_after_days or 0)
        due = (
            Order.objects.sold()
            .filter(
                store=rules.store,
                delivered_at__lte=until,
                delivered_at__gt=until - WINDOW,
                customer__user__is_active=True,
                review_invitation__isnull=True,
            )
            .exclude(payment_status=Order.PaymentStatus.REFUNDED)
        )
        for order in due.select_related("store", "customer").order_by("pk")[:BATCH]:
            _invite(order)
            done += 1
    return done


def _invite(order: Order) -> None:
    try:
        with transaction.atomic():
            ReviewInvitation.objects.create(order=order)
            products = _to_review(order)
            if products:
                notify(
                    kind="reviews/invitation",
                    recipient=order.email,
                    language=order.language,
                    context={
                        "store_name": order.store.name,
                        "store_email": order.store.email,
                        "number": order.number,
                        "products": products,
                    },
                    dedupe_key=f"review-invitation:{order.public_id}",
                )
    except IntegrityError:
        # Another worker asks right now.
        return


def _to_review(order: Order) -> list[dict[str, str]]:
    """Name and page of what is still for sale there, and isn't reviewed by them yet."""
    bought = OrderLine.objects.filter(order=order).values("variant__product")
    reviewed = Review.objects.filter(customer=order.customer_id).values("product")
    products = (
        Product.objects.published(
            order.store_id, timezone.now(), group_id=group_id_of(order.customer)
        )
        .filter(pk__in=bought)
        .exclude(pk__in=reviewed)
        .order_by("pk")
    )
    names = {
        "language": order.language,
        "domain": order.store.domain or "",
        "store": order.store.code,
    }
    return [
        {"name": product.name, "url": settings.PRODUCT_URL.format(slug=product.slug, **names)}
        for product in products
    ]
