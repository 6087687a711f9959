"""What a guest ordered becomes the account's once its address is proved."""

from __future__ import annotations

from uuid import UUID

from apps.accounts.models import User
from apps.core.emails import email_key
from apps.customers.services.registration import get_or_create_for_user
from apps.orders.models import Order
from apps.orders.services.figures import refresh_figures


def adopt_guest_orders(*, user_id: str) -> int:
    """Orders without a customer that were placed with this very address; how many.

    An address that merely leads to the same mailbox may be written otherwise by somebody else.
    """
    user = User.objects.filter(
        public_id=UUID(user_id), is_active=True, email_verified_at__isnull=False
    ).first()
    if user is None:
        return 0
    guests = Order.objects.filter(
        customer=None, email_key=email_key(user.email), email__iexact=user.email
    )
    customer = get_or_create_for_user(user=user)
    adopted = guests.update(customer=customer)
    refresh_figures(customer_id=customer.pk)
    return adopted
