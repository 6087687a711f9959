"""What happens around issuing: on the store's choice, after events, for what was missed."""

from __future__ import annotations

from uuid import UUID

from django.utils.translation import override

from apps.core.errors import DomainError
from apps.invoices.models import Invoice, InvoiceSettings
from apps.invoices.selectors import drifting_orders, orders_due, worth
from apps.invoices.services.issuing import bring_up_to_date, issue_invoice
from apps.orders.models import Order
from apps.payments.models import Refund
from apps.payments.selectors import reason_text
from apps.returns.models import Payout
from apps.stores.models import Store


def issue_if_due(*, order: Order) -> Invoice | None:
    """Invoice an order if its store wants that by now; None where it doesn't (yet).

    Repeatable. Raises SellerIncomplete, LinesDisagree.
    """
    if not orders_due(order.store).filter(pk=order.pk).exists() or not worth(order):
        return None
    return issue_invoice(order=order)


def issue_missing(*, store: Store, limit: int = 200) -> tuple[int, list[str]]:
    """Invoice what should have been by the store's choice, and correct papers that aren't what
    their orders are worth; the number of orders seen to, and what was refused.

    For orders from before the store began to invoice, and for news that no event brought: money
    that was given back at a gateway's own pages.
    """
    done, refused = 0, []
    drifting = [order for order, _net in drifting_orders(store)]
    for order in [*orders_due(store)[:limit], *drifting]:
        try:
            issue_if_due(order=order) or bring_up_to_date(order=order)
            done += 1
        except DomainError as error:
            refused.append(f"{order.number}: {error}")
    return done, refused


def issue_all_missing() -> int:
    """`issue_missing()` for every store that invoices; the number of orders seen to."""
    known = InvoiceSettings.objects.exclude(issue_on=InvoiceSettings.IssueOn.MANUAL)
    return sum(issue_missing(store=each.store)[0] for each in known.select_related("store"))


def credit_refund(*, refund_id: str) -> list[Invoice]:
    """The credit note of a refund that succeeded; once."""
    refund = Refund.objects.select_related("payment__order").get(public_id=UUID(refund_id))
    order = refund.payment.order
    with override(order.language):
        reason = reason_text(refund)
    return bring_up_to_date(order=order, reason=reason, refund=refund)


def credit_return(*, return_id: str) -> list[Invoice]:
    """The credit note of a return that gave store credit or a gift card; once.

    One whose money went back has those of its refunds.
    """
    payouts = Payout.objects.filter(request__public_id=UUID(return_id), refund__isnull=True)
    payout = payouts.select_related("request__order").first()
    if payout is None:
        return []
    return bring_up_to_date(order=payout.request.order, reason=payout.request.number)


def follow_edit(*, order: Order) -> None:
    """An order was changed: it may be due only now, and its papers are those of another one.

    Repeatable. Raises SellerIncomplete, LinesDisagree.
    """
    if issue_if_due(order=order) is None:
        bring_up_to_date(order=order)


def follow_split(*, order: Order, new: Order) -> None:
    """A part of `order` became `new`: its invoice is credited and issued anew, and what it said
    of the other part is invoiced too.

    Repeatable. Raises SellerIncomplete, LinesDisagree.
    """
    follow_edit(order=order)
    was_invoiced = Invoice.objects.filter(order=order).exists()
    if issue_if_due(order=new) is None and was_invoiced and worth(new):
        issue_invoice(order=new)
