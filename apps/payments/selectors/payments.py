"""Reads of payments, and the truths that must hold about them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from django.db.models import Case, F, OuterRef, Q, QuerySet, Subquery, Sum, When
from django.db.models.functions import Coalesce
from django.utils.translation import gettext_lazy as _

from apps.core.errors import NotFound
from apps.core.invariants import invariant
from apps.orders import states
from apps.orders.models import Order, OrderLine
from apps.payments.models import (
    Capture,
    PayLink,
    Payment,
    PaymentEntry,
    Payout,
    ReconciliationDifference,
    Refund,
)

UNDECIDED = (
    Payment.Status.CREATED,
    Payment.Status.REQUIRES_ACTION,
    Payment.Status.PROCESSING,
)
_AUTHORIZED = Payment.Status.AUTHORIZED
ALIVE = (*UNDECIDED, _AUTHORIZED, Payment.Status.CAPTURED)


def payments_of(order: Order) -> list[Payment]:
    """All payments of an order, the first one first."""
    return list(Payment.objects.filter(order=order).order_by("pk"))


def living_payment(payments: Sequence[Payment]) -> Payment | None:
    """Of an order's, the one that its next attempt must respect: still open, or successful."""
    return next((payment for payment in reversed(payments) if payment.status in ALIVE), None)


def open_attempt(payments: Sequence[Payment]) -> Payment | None:
    """Of an order's, the one that isn't decided yet: it is gone on with, or ended, before another
    begins."""
    return next((payment for payment in reversed(payments) if payment.status in UNDECIDED), None)


def due(order: Order, payments: Sequence[Payment]) -> int:
    """Minor units that none of the order's payments covers yet: `Order.outstanding` of payments
    just read, which the order may not have been told of."""
    return max(0, missing(order, payments))


def missing(order: Order, payments: Sequence[Payment]) -> int:
    """The same; below zero what is covered beyond the order's total."""
    is_pending = order.status == states.PENDING
    lost = order.lost(
        refunded=sum(payment.refunded_amount for payment in payments),
        settled=0 if is_pending else settled_of(payments),
    )
    return order.total - covered(payments) + lost


def covered(payments: Sequence[Payment]) -> int:
    """What was captured, and what may still be, in minor units, whatever was given back."""
    return sum(
        payment.authorized_amount if payment.status == _AUTHORIZED else payment.captured_amount
        for payment in payments
    )


def kept(payments: Sequence[Payment]) -> int:
    """Minor units captured and not given back: pending refunds count as gone."""
    pending = Refund.objects.filter(payment__in=payments, status=Refund.Status.PENDING)
    taken = sum(payment.captured_amount - payment.refunded_amount for payment in payments)
    return taken - _sum(pending)


def excess(order: Order, payments: Sequence[Payment]) -> int:
    """Minor units that are kept beyond what the order costs; below zero what is missing of it.

    What went back for returned goods is neither: the total still has them.
    """
    refunds = Refund.objects.filter(payment__in=payments, is_for_goods=True)
    returned = _sum(refunds.exclude(status=Refund.Status.FAILED))
    return kept(payments) + returned - order.total


def settled_of(payments: Sequence[Payment]) -> int:
    """Minor units that went back, or will, because the order came to less."""
    settled = Refund.objects.filter(payment__in=payments, is_settlement=True)
    return _sum(settled.exclude(status=Refund.Status.FAILED))


def _sum(refunds: QuerySet[Refund]) -> int:
    return int(refunds.aggregate(n=Sum("amount"))["n"] or 0)


def propose_refund(order: Order, amount: int) -> list[tuple[Payment, int]]:
    """How to give `amount` minor units back: the last payment first, and the cards, which paid
    first, last. Shorter than asked where less was captured."""
    parts = []
    amount = min(amount, left_of(order))
    payments = Payment.objects.filter(order=order, captured_amount__gt=0)
    for payment in payments.order_by("-pk"):
        part = min(amount, kept([payment]))
        if part > 0:
            parts.append((payment, part))
            amount -= part
    return parts


def sums_of(payments: Sequence[Payment]) -> dict[str, int]:
    """Authorized, captured, refunded and settled over all payments of an order, in minor units.

    What was let go isn't authorized any more; what was settled went back because the order came
    to less.
    """
    refunded = any(payment.refunded_amount for payment in payments)
    return {
        "settled": settled_of(payments) if refunded else 0,
        "authorized": covered(payments),
        "captured": sum(payment.captured_amount for payment in payments),
        "refunded": sum(payment.refunded_amount for payment in payments),
    }


def capturable(payment: Payment) -> int:
    """Minor units of an authorization that may still be captured: what is under way, or is looked
    at by the gateway, counts as taken."""
    if payment.status != _AUTHORIZED:
        return 0
    asked = {
        status: sum(each.amount for each in payment.captures.all() if each.status == status)
        for status in (Capture.Status.SUCCEEDED, Capture.Status.PENDING)
    }
    taken = max(payment.captured_amount, asked[Capture.Status.SUCCEEDED])
    return max(0, payment.authorized_amount - taken - asked[Capture.Status.PENDING])


def to_capture(payment: Payment) -> int:
    """What its order still needs of an authorization, in minor units; all that is left where the
    order needs nothing."""
    left, missing = capturable(payment), missing_of(payment.order)
    return min(left, missing) if missing > 0 else left


def shipped_due(order: Order, payments: Sequence[Payment]) -> int:
    """Minor units that what an order has shipped costs beyond what was captured; below zero where
    more was. `order` comes with its lines."""
    taken = sum(payment.captured_amount for payment in payments) - settled_of(payments)
    return shipped_share(order.total, order.lines.all()) - taken


def shipped_share(total: int, lines: Iterable[OrderLine]) -> int:
    """What of an order's total its shipped pieces bring: their part of their line each, the last
    of all the rest, as shipping."""
    lines = list(lines)
    if all(line.fulfilled_quantity >= line.quantity for line in lines):
        return total
    share = sum(line.total * line.fulfilled_quantity // line.quantity for line in lines)
    return min(share, total)


def missing_of(order: Order) -> int:
    """Minor units of the total that aren't kept, authorized or not; below zero for too much."""
    return -excess(order, payments_of(order))


def refundable(payment: Payment) -> int:
    """Minor units that may still be refunded: pending refunds count as gone, and so does what of
    the order's money was given back otherwise."""
    left = kept([payment])
    return min(left, left_of(payment.order)) if payment.order.credited_amount else left


def left_of(order: Order) -> int:
    """Minor units of the order's money that were given back neither by refunds nor otherwise."""
    return max(0, kept(payments_of(order)) - order.credited_amount)


def fee_of(payment: Payment) -> int | None:
    """Minor units that its provider kept of it, as payouts told; None where none told of it yet.

    Of the payout's currency, which is the payment's unless the account's is another one.
    """
    lines = payment.payout_lines.filter(payout__currency=payment.currency)
    return lines.aggregate(n=Sum("fee"))["n"]


# What providers call the reasons that they know; others are the staff's own words.
_REASONS = {
    "duplicate": _("It was paid twice."),
    "fraudulent": _("The payment was fraudulent."),
    "requested_by_customer": _("Refunded at the customer's request."),
}


def reason_text(refund: Refund) -> str:
    """Why it went back, for people, in the active language."""
    if refund.reason not in _REASONS:
        return refund.reason
    if refund.payment.order.status == states.CANCELLED:
        return str(_("The order was cancelled."))
    if refund.is_settlement:
        return str(_("The order was changed, and costs less."))
    return str(_REASONS[refund.reason])


def pay_link_for(token: str) -> PayLink:
    """The link of that token, with its order. Raises NotFound."""
    link = PayLink.objects.select_related("order__store").filter(token=token[:40]).first()
    if link is None:
        raise NotFound()
    return link


def payments_for_reading() -> QuerySet[Payment]:
    return Payment.objects.select_related("order").prefetch_related(
        "captures", "refunds", "disputes"
    )


@invariant("0 <= refunded <= captured <= authorized <= amount, for every payment")
def _ordered() -> Iterator[str]:
    wrong = Payment.objects.exclude(
        refunded_amount__gte=0,
        refunded_amount__lte=F("captured_amount"),
        captured_amount__lte=F("authorized_amount"),
        authorized_amount__lte=F("amount"),
    )
    for payment in wrong:
        yield f"payment {payment.public_id}"


@invariant("payments equal their ledger")
def _ledger() -> Iterator[str]:
    kinds = {"authorized": "authorize", "captured": "capture", "refunded": "refund"}
    sums = Payment.objects.annotate(
        **{
            f"ledger_{name}": Sum("entries__amount", filter=Q(entries__kind=kind))
            for name, kind in kinds.items()
        }
    )
    for payment in sums.iterator(chunk_size=1000):
        for name in kinds:
            have, told = getattr(payment, f"{name}_amount"), getattr(payment, f"ledger_{name}")
            if have != (told or 0):
                yield f"payment {payment.public_id}: {name} {have}, ledger {told or 0}"


@invariant("refunds above the store's limit were approved by another person")
def _approved() -> Iterator[str]:
    limits = "payment__order__store__approval_limits"
    alone = Refund.objects.filter(
        approval=None,
        is_settlement=False,
        amount__gt=F(f"{limits}__amount"),
        payment__order__currency=F(f"{limits}__currency"),
        created_at__gt=F(f"{limits}__updated_at"),
    )
    # What a cancelled order was paid goes back by itself.
    for refund in alone.exclude(payment__order__status=states.CANCELLED):
        yield f"refund {refund.public_id}: {refund.amount}"


@invariant("an order's money is the sum of its payments")
def _orders() -> Iterator[str]:
    orders = Order.objects.annotate(
        sum_captured=Sum("payments__captured_amount"),
        sum_refunded=Sum("payments__refunded_amount"),
        sum_covered=Sum(
            Case(
                When(payments__status=_AUTHORIZED, then="payments__authorized_amount"),
                default="payments__captured_amount",
            )
        ),
    )
    for order in orders.iterator(chunk_size=1000):
        if (order.captured_amount, order.refunded_amount) != (
            order.sum_captured or 0,
            order.sum_refunded or 0,
        ):
            yield f"{order.number}: captured {order.captured_amount}, {order.sum_captured}"
        if order.authorized_amount != (order.sum_covered or 0):
            yield f"{order.number}: authorized {order.authorized_amount}, {order.sum_covered}"


@invariant("no order has more than one successful payment beyond its total")
def _double() -> Iterator[str]:
    paid = Order.objects.annotate(
        net=Sum(F("payments__captured_amount") - F("payments__refunded_amount"))
    )
    for order in paid.filter(net__gt=F("total")):
        # What is on its way back counts as gone.
        if kept(payments_of(order)) > order.total:
            yield f"{order.number}: {order.net} kept of {order.total}"


@invariant("refunds never exceed what was captured")
def _refunds() -> Iterator[str]:
    given = Payment.objects.annotate(
        given=Sum("refunds__amount", filter=~Q(refunds__status=Refund.Status.FAILED))
    )
    for payment in given.filter(given__gt=F("captured_amount")):
        yield f"payment {payment.public_id}: {payment.given} of {payment.captured_amount}"


@invariant("captures asked for never exceed what is authorized")
def _captures() -> Iterator[str]:
    # Captured before a part of it was given to an order that was split off.
    given = PaymentEntry.objects.filter(
        payment=OuterRef("pk"), kind=PaymentEntry.Kind.AUTHORIZE, amount__lt=0
    )
    given_away = given.order_by().values("payment").annotate(n=Sum("amount")).values("n")
    asked = Payment.objects.annotate(
        asked=Sum("captures__amount", filter=~Q(captures__status=Capture.Status.FAILED)),
        authorized_once=F("authorized_amount") - Coalesce(Subquery(given_away), 0),
    )
    for payment in asked.filter(asked__gt=F("authorized_once")):
        yield f"payment {payment.public_id}: {payment.asked} of {payment.authorized_once}"


@invariant("a payout's lines sum up to it, or staff were told")
def _payouts() -> Iterator[str]:
    payouts = Payout.objects.filter(is_complete=True).annotate(net=Sum("lines__net"))
    told = ReconciliationDifference.objects.filter(kind=ReconciliationDifference.Kind.PAYOUT_SUM)
    wrong = payouts.exclude(net=F("amount")).exclude(net__isnull=True, amount=0)
    for payout in wrong.exclude(pk__in=told.values("payout_id")):
        yield f"{payout}: lines {payout.net}, paid out {payout.amount}"


@invariant("an order has one open pay link at most, and it is its own")
def _links() -> Iterator[str]:
    links = PayLink.objects.filter(open_key__isnull=False).select_related("order")
    for link in links.iterator(chunk_size=1000):
        closed = link.paid_at or link.revoked_at
        if closed or link.open_key != str(link.order.public_id):
            yield f"pay link {link.public_id}"


@invariant("confirmed orders are covered by payments")
def _covered() -> Iterator[str]:
    uncovered = Order.objects.exclude(status__in=("pending", "cancelled")).filter(
        total__gt=0, payments__isnull=True
    )
    for order in uncovered:
        yield f"{order.number} is {order.status} without a payment"
