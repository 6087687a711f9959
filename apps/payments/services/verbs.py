"""What this room lets staff do with many orders at once."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from apps.orders.services.bulk import Verb, register_verb
from apps.payments.services.capturing import capture_order

register_verb(
    Verb(
        name="capture",
        label=_("Capture payments"),
        permission="payments.capture_payment",
        run=lambda order, data: capture_order(order=order),
        # It asks the gateway: outside of a transaction, and safe to repeat.
        is_atomic=False,
    )
)
