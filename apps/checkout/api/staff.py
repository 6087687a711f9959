"""An order in one call, for channels and ERPs."""

from __future__ import annotations

from apps.checkout.api.views import OneCallView
from apps.core.api.permissions import Staff
from apps.customers.models import Customer


class StaffOneCallView(OneCallView):
    """Staff order for somebody else, who is a guest unless they claim it."""

    permission_classes = [Staff]
    required_permissions = {"create": "orders.add_order"}

    def _customer(self) -> Customer | None:
        return None
