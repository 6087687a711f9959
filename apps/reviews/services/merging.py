"""Reviews of two customers who become one."""

from __future__ import annotations

from apps.customers.models import Customer
from apps.customers.services.merging import moves
from apps.reviews.models import Review


@moves(Review)
def move_reviews(kept: Customer, merged: Customer) -> None:
    """Where both reviewed one product, the second review stays without a customer, like those of
    people who were erased."""
    twice = Review.objects.filter(customer=kept).values_list("product_id", flat=True)
    rows = Review.objects.filter(customer=merged)
    rows.filter(product_id__in=list(twice)).update(customer=None)
    rows.update(customer=kept)
