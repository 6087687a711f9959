"""What gateways keep for customers: looked after, removed, and charged while they aren't here."""

from __future__ import annotations

from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order
from apps.payments.gateways import UnknownGateway, gateway
from apps.payments.gateways.base import GatewayError
from apps.payments.models import GatewayAccount, PayLink, Payment, SavedMethod
from apps.payments.selectors import due, open_attempt, payments_of, usable_methods
from apps.payments.services.applying import card_fields
from apps.payments.services.operations import GatewayRefused, GatewayUnreachable, void
from apps.payments.services.pay_links import NothingOutstanding, create_pay_link
from apps.payments.services.starting import (
    Means,
    OrderNotPayable,
    PaymentDeclined,
    drive,
    write,
)


class NoSavedMethod(Conflict):
    code = "no_saved_method"
    message = _("The customer has no saved payment method that could be charged.")


class PaymentPending(Conflict):
    code = "payment_pending"
    message = _("Another payment of this order isn't decided yet.")


class ChargeDeclined(PaymentDeclined):
    """In `extra["decline_code"]` why. The customer is mailed a link to pay."""

    message = _("The payment was declined; the customer is sent a link to pay.")


def charge_saved(*, order: Order) -> Payment:
    """Charge what is due to the saved method of the order's customer, who isn't here.

    The default method, else the newest. Run many times at once, it charges once, and never more
    than is due. Raises NothingOutstanding, OrderNotPayable (cancelled), PaymentPending,
    NoSavedMethod, and ChargeDeclined: then the customer gets a pay link, also when the decline is
    only heard of later. An answer that never came leaves the payment "created".
    """
    payment = drive(_intend_charge(order))
    if payment.status == Payment.Status.REQUIRES_ACTION:
        # Nobody is here to do it.
        payment = void(payment=payment)
    if payment.status in (Payment.Status.FAILED, Payment.Status.VOIDED):
        raise ChargeDeclined(
            extra={"decline_code": payment.error_code, "payment": str(payment.public_id)}
        )
    return payment


@transaction.atomic
def _intend_charge(order: Order) -> Payment:
    order = locked(Order.objects.filter(pk=order.pk)).get()
    if order.status == states.CANCELLED:
        raise OrderNotPayable()
    payments = payments_of(order)
    if open_attempt(payments) is not None:
        raise PaymentPending()
    amount = due(order, payments)
    if not amount:
        raise NothingOutstanding()
    methods = usable_methods(order.customer, order.store_id)
    if not methods:
        raise NoSavedMethod()
    means = Means.of_saved(methods[0], is_off_session=True)
    payment = write(order=order, means=means, amount=amount)
    data = {"method": str(methods[0].public_id), "amount": amount}
    audit.record("payment.charge_saved", payment, data)
    orders.record_event(order=order, kind="saved_method_charged", message=str(methods[0]))
    return payment


def send_link_instead(*, payment_id: str) -> PayLink | None:
    """Mail a pay link for what a declined saved method should have paid; None if nothing is owed
    any more. Repeatable."""
    payment = Payment.objects.select_related("order").get(public_id=UUID(payment_id))
    try:
        return create_pay_link(order=payment.order, occasion=f"declined:{payment_id}")
    except (NothingOutstanding, OrderNotPayable):
        return None


@transaction.atomic
def set_default_method(*, method: SavedMethod, is_default: bool) -> SavedMethod:
    """Make a method its customer's default in place of any other, or the default no longer."""
    rows = list(locked(SavedMethod.objects.filter(customer=method.customer_id)))
    for row in rows:
        wanted = is_default if row.pk == method.pk else row.is_default and not is_default
        if row.is_default != wanted:
            row.is_default = wanted
            row.save(update_fields=["is_default", "updated_at"])
    method.refresh_from_db()
    return method


def remove_method(*, method: SavedMethod) -> None:
    """Have the gateway keep a method no longer, and forget it. Repeatable.

    Raises GatewayRefused and GatewayUnreachable; then it stays. Where its account isn't set up any
    more, it is only forgotten.
    """
    try:
        gateway(method.gateway, method.account).detach(method.provider_id)
    except UnknownGateway:
        pass
    except GatewayError as error:
        if error.permanent:
            raise GatewayRefused(extra={"provider_code": error.code}) from error
        raise GatewayUnreachable() from error
    _forget(method)


def forget_methods(*, customer_id: str) -> None:
    """Have gateways keep no method of a customer any more, who is to be forgotten. Repeatable.

    Raises GatewayUnreachable; the others are forgotten. What a gateway refuses to let go of, it
    doesn't have any more.
    """
    unreachable: GatewayUnreachable | None = None
    for method in SavedMethod.objects.filter(customer__public_id=customer_id):
        try:
            remove_method(method=method)
        except GatewayRefused:
            _forget(method)
        except GatewayUnreachable as error:
            unreachable = error
    if unreachable:
        raise unreachable


def look_at_method(*, gateway_code: str, account: GatewayAccount | None, method_id: str) -> bool:
    """Bring a saved method to what its gateway says of it; False if it isn't one of ours.

    Raises GatewayError.
    """
    ours = SavedMethod.objects.filter(gateway=gateway_code, account=account)
    method = ours.filter(provider_id=method_id).first()
    if method is None:
        return False
    card = gateway(gateway_code, account).saved_card(method_id)
    if card is None or card.customer != method.provider_customer:
        _forget(method)
    else:
        ours.filter(pk=method.pk).update(**card_fields(card))
    return True


@transaction.atomic
def _forget(method: SavedMethod) -> None:
    gone, _rows = SavedMethod.objects.filter(pk=method.pk).delete()
    if gone:
        audit.record("payment.method_removed", method, {"method": str(method)})
