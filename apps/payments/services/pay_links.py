"""Pay links: mailed to the customer, resent and revoked by staff, closed when nothing is owed."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import F, QuerySet
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import override

from apps.core import audit
from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.inventory.services import HOLD_LIFETIME
from apps.notifications.services import notify
from apps.orders import services as orders
from apps.orders import states
from apps.orders.models import Order
from apps.orders.services.mails import mail_context, money_text
from apps.payments.models import PayLink, Payment
from apps.payments.selectors import due, payments_of
from apps.payments.services.starting import OrderNotPayable, start_payment

LIFETIME = timedelta(days=14)


class NothingOutstanding(Conflict):
    code = "nothing_outstanding"
    message = _("Nothing is left to pay.")


class PayLinkClosed(Conflict):
    """In `extra["state"]` why: "paid", "revoked" or "expired"."""

    code = "pay_link_closed"
    message = _("This link can't be used any more.")


@transaction.atomic
def create_pay_link(*, order: Order, is_mailed: bool = True, occasion: str = "") -> PayLink:
    """Open a link for what `order` owes and mail it; an open one is used again, its time anew.

    A link is mailed once for an amount, and once more for each `occasion`; not `is_mailed`, another
    mail tells of it. An order that was never paid keeps its stock as long. Raises
    NothingOutstanding and OrderNotPayable (cancelled).
    """
    order = locked(Order.objects.filter(pk=order.pk)).get()
    if order.status == states.CANCELLED:
        raise OrderNotPayable()
    amount = due(order, payments_of(order))
    if not amount:
        raise NothingOutstanding()
    expires_at = timezone.now() + LIFETIME
    _close_expired(order)
    link, created = PayLink.objects.get_or_create(
        open_key=str(order.public_id), defaults={"order": order, "expires_at": expires_at}
    )
    if created:
        audit.record("payment.pay_link", link, {"amount": amount})
        orders.record_event(order=order, kind="pay_link_opened", data={"amount": amount})
    else:
        PayLink.objects.filter(pk=link.pk).update(expires_at=expires_at)
        link.expires_at = expires_at
    if order.status == states.PENDING:
        orders.keep_waiting(order=order, until=expires_at)
    if is_mailed:
        suffix = f":{occasion}" if occasion else ""
        _mail(link, amount, f"pay-link:{link.public_id}:{amount}{suffix}")
    return link


@transaction.atomic
def resend_pay_link(*, link: PayLink) -> PayLink:
    """Mail an open link again, with what is owed now. Raises PayLinkClosed, NothingOutstanding."""
    order, link = _locked(link)
    amount = due(order, payments_of(order))
    if not amount:
        raise NothingOutstanding()
    PayLink.objects.filter(pk=link.pk).update(mails=F("mails") + 1, updated_at=timezone.now())
    link.refresh_from_db()
    audit.record("payment.pay_link_resent", link)
    _mail(link, amount, f"pay-link:{link.public_id}:again:{link.mails}")
    return link


@transaction.atomic
def revoke_pay_link(*, link: PayLink) -> PayLink:
    """End an open link; a payment begun by it goes on. Raises PayLinkClosed.

    An order that was never paid keeps its stock no longer than a checkout does, unless its bank
    takes its time.
    """
    order, link = _locked(link)
    waits = any(each.status == Payment.Status.PROCESSING for each in payments_of(order))
    if order.status == states.PENDING and not waits:
        orders.keep_waiting(order=order, until=timezone.now() + HOLD_LIFETIME)
    _close(PayLink.objects.filter(pk=link.pk), revoked_at=timezone.now())
    link.refresh_from_db()
    audit.record("payment.pay_link_revoked", link)
    orders.record_event(order=order, kind="pay_link_revoked")
    return link


def pay_by_link(
    *, link: PayLink, gateway_code: str, method: str = "", return_url: str = ""
) -> Payment:
    """Begin (or go on with) paying what is owed now. Raises PayLinkClosed, NothingOutstanding, and
    what `start_payment` raises."""
    if link.state != PayLink.State.OPEN:
        raise PayLinkClosed(extra={"state": link.state})
    order = link.order
    if not due(order, payments_of(order)):
        raise NothingOutstanding()
    return start_payment(
        order=order, gateway_code=gateway_code, method=method, return_url=return_url
    )


@transaction.atomic
def close_pay_link(*, order: Order) -> None:
    """Close the open link of an order that owes nothing any more, or was cancelled. Repeatable."""
    order = locked(Order.objects.filter(pk=order.pk)).get()
    links = PayLink.objects.filter(open_key=str(order.public_id))
    if order.status == states.CANCELLED:
        _close(links, revoked_at=timezone.now())
    elif not due(order, payments_of(order)):
        _close(links, paid_at=timezone.now())
    else:
        _close_expired(order)


def close_pay_links(*, limit: int = 200) -> int:
    """The same for all that are open and have something to be closed for; how many were seen."""
    links = PayLink.objects.filter(open_key__isnull=False).select_related("order")
    # Who was looked at longest ago comes first.
    found = list(links.order_by("updated_at", "pk")[:limit])
    for link in found:
        PayLink.objects.filter(pk=link.pk).update(updated_at=timezone.now())
        close_pay_link(order=link.order)
    return len(found)


def _locked(link: PayLink) -> tuple[Order, PayLink]:
    order = locked(Order.objects.filter(pk=link.order_id)).get()
    link = locked(PayLink.objects.filter(pk=link.pk)).get()
    if link.state != PayLink.State.OPEN:
        raise PayLinkClosed(extra={"state": link.state})
    return order, link


def _close_expired(order: Order) -> None:
    now = timezone.now()
    _close(PayLink.objects.filter(open_key=str(order.public_id), expires_at__lte=now))


def _close(links: QuerySet[PayLink], **at: datetime) -> None:
    links.update(open_key=None, updated_at=timezone.now(), **at)


def link_context(link: PayLink) -> dict[str, str]:
    """What a mail shows of a link, whose order comes with it."""
    with override(link.order.language):
        until = date_format(timezone.localtime(link.expires_at), "DATE_FORMAT")
    return {"until": until, "pay_url": settings.PAY_URL.format(token=link.token)}


def _mail(link: PayLink, amount: int, key: str) -> None:
    order = link.order
    notify(
        kind="orders/pay_link",
        recipient=order.email,
        language=order.language,
        context={
            **mail_context(order),
            **link_context(link),
            "amount": money_text(amount, order.currency, order.language),
        },
        dedupe_key=key,
    )
