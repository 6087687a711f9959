"""What customers do about events."""

from __future__ import annotations

from apps.core.events import receives
from apps.customers.events import CustomerRegistered
from apps.customers.models import Customer
from apps.customers.selectors import welcome_context
from apps.notifications.services import notify


@receives(CustomerRegistered)
def send_welcome(event: CustomerRegistered) -> None:
    customer = Customer.objects.filter(public_id=event.customer_id).first()
    if customer is None:
        return
    notify(
        kind="accounts/welcome",
        recipient=customer.email,
        language=customer.language,
        context=welcome_context(customer, event.store),
        dedupe_key=f"welcome:{event.customer_id}",
    )
