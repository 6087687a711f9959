"""What a customer's orders come to."""

from __future__ import annotations

from collections.abc import Iterator

from django.db import transaction
from django.db.models import Count, F, Max, Min, Q, Sum

from apps.core.locks import locked
from apps.customers.models import Customer
from apps.customers.services.figures import set_figures
from apps.orders.models import Order

_PAGE = 1000


@transaction.atomic
def refresh_figures(*, customer_id: int) -> None:
    """Count a customer's orders anew, whatever was counted before."""
    # Whoever counts later sees what came meanwhile.
    customer = locked(Customer.objects.filter(pk=customer_id)).first()
    if customer is None:
        return
    kept = ~Q(status=Order.Status.CANCELLED)
    counted = (
        Order.objects.filter(customer=customer, confirmed_at__isnull=False)
        .order_by("currency")
        .values("currency")
        .annotate(
            orders=Count("pk", filter=kept),
            spent=Sum(F("captured_amount") - F("refunded_amount")),
            first_order_at=Min("confirmed_at", filter=kept),
            last_order_at=Max("confirmed_at", filter=kept),
        )
    )
    set_figures(customer=customer, counted=counted)


def rebuild_figures(*, after: int = 0) -> Iterator[int]:
    """Count every customer's orders anew, one by one; yields each one's number. May be stopped, and
    gone on with after a number."""
    while page := list(
        Customer.objects.filter(pk__gt=after).order_by("pk").values_list("pk", flat=True)[:_PAGE]
    ):
        for after in page:
            refresh_figures(customer_id=after)
            yield after
