"""What gateways keep for customers: on the customer's page, and charged from the order's."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from apps.core.admin import ReadOnlyTabularInline, extend, money_text
from apps.core.admin_actions import Action, ActionForm, extend_actions
from apps.customers.models import Customer
from apps.orders.models import Order
from apps.payments import services
from apps.payments.admin.pay_links import may_owe
from apps.payments.models import SavedMethod
from apps.payments.selectors import due, payments_of, usable_methods


class ChargeForm(ActionForm):
    """Says what is charged, and to what."""

    def __init__(self, order: Order, *args: Any, **kwargs: Any) -> None:
        super().__init__(order, *args, **kwargs)
        methods = usable_methods(order.customer, order.store_id)
        if methods:
            text = _("%(amount)s will be charged to %(method)s; the customer isn't asked.")
            amount = money_text(due(order, payments_of(order)), order.currency)
            self.intro = text % {"amount": amount, "method": methods[0]}


def _has_method(order: Order) -> bool:
    return may_owe(order) and bool(usable_methods(order.customer, order.store_id))


extend_actions(
    Order,
    Action(
        name="charge-saved",
        label=_("Charge saved card"),
        done=_("The saved card is being charged."),
        permission="payments.capture_payment",
        run=lambda order, data: services.charge_saved(order=order),
        offered=_has_method,
        form=ChargeForm,
        icon="credit_score",
    ),
)


class SavedMethodInline(ReadOnlyTabularInline):
    model = SavedMethod
    fields = ("created_at", "gateway", "brand", "last4", "expiry", "is_default")
    readonly_fields = ("created_at", "expiry")

    def get_queryset(self, request: HttpRequest) -> QuerySet[SavedMethod]:
        return super().get_queryset(request).order_by("-is_default", "-pk")


extend(Customer, SavedMethodInline)
