"""The buttons of returns, on their own pages and on the order's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext_lazy as _

from apps.core.admin_actions import Action, extend_actions
from apps.orders.models import Approval, Order
from apps.orders.services import WAITS
from apps.payments.models import Refund
from apps.returns import services, states
from apps.returns.admin.forms import (
    APART,
    AskForm,
    DeclineForm,
    InspectForm,
    LabelForm,
    ReceiveForm,
    RefundForm,
)
from apps.returns.models import Inspection, ReturnLabel, ReturnRequest


def _ask(order: Order, data: Mapping[str, Any]) -> ReturnRequest:
    lines = {str(line.public_id): line.public_id for line in order.lines.all()}
    wishes = [
        services.Wish(lines[name], pieces, data["reason"], exchange_for=data["exchange"].strip())
        for name, pieces in data["pieces"].items()
        if pieces
    ]
    return services.request_return(
        order=order, wishes=wishes, kind=data["kind"], note=data["note"], by_staff=True
    )


def _receive(request: ReturnRequest, data: Mapping[str, Any]) -> ReturnRequest:
    ids = {str(line.public_id): line.public_id for line in request.lines.all()}
    came = {ids[name]: pieces for name, pieces in data["pieces"].items()}
    return services.receive_return(request=request, location=data["location"], quantities=came)


def _inspect(request: ReturnRequest, data: Mapping[str, Any]) -> ReturnRequest:
    findings = []
    for line in request.lines.all():
        left = line.received_quantity
        for outcome in APART:
            pieces = data["pieces"].get(f"{line.public_id}:{outcome}", 0)
            left -= pieces
            if pieces:
                findings.append(services.Finding(line.public_id, outcome, pieces))
        if left:
            # Below nothing it is refused by the service.
            findings.append(services.Finding(line.public_id, Inspection.Outcome.RESTOCK, left))
    return services.inspect_return(request=request, findings=findings)


def _buy_label(request: ReturnRequest, data: Mapping[str, Any]) -> Any:
    names = ("carrier", "service", "location")
    return services.buy_label(request=request, **{name: data[name] for name in names})


def _may_buy_label(request: ReturnRequest) -> bool:
    is_sent = request.status == states.APPROVED and not request.is_claim
    return is_sent and not request.labels.filter(is_alive=True).exists()


def _has_unused_label(request: ReturnRequest) -> bool:
    bought = request.labels.filter(status=ReturnLabel.Status.BOUGHT)
    return bought.filter(parcel_status="").exists()


def _may_send_now(request: ReturnRequest) -> bool:
    asked = request.status == states.REQUESTED
    return asked and request.lines.exclude(replacement=None).exists()


def _may_refund_instead(request: ReturnRequest) -> bool:
    is_open = bool(states.allowed_events(request.status)) and not request.replacement_order_id
    return is_open and request.lines.exclude(replacement=None).exists()


def _has_failed(request: ReturnRequest) -> bool:
    return request.payouts.filter(refund__status=Refund.Status.FAILED).exists()


def _refunded(made: ReturnRequest | Approval) -> Any:
    if isinstance(made, Approval):
        return WAITS
    return _("The refund is on its way.")


extend_actions(
    Order,
    Action(
        name="return",
        label=_("Take back"),
        done=_("The return is there."),
        permission="returns.decide_return",
        run=_ask,
        offered=lambda order: order.fulfillment_status != Order.FulfillmentStatus.UNFULFILLED,
        form=AskForm,
        icon="assignment_return",
    ),
)
extend_actions(
    ReturnRequest,
    Action(
        name="approve",
        label=_("Approve"),
        done=_("The return is approved."),
        permission="returns.decide_return",
        run=lambda request, data: services.approve_return(request=request),
        offered=lambda request: request.status == states.REQUESTED,
        icon="check_circle",
        in_list=True,
    ),
    Action(
        name="send-now",
        label=_("Approve, and send the replacement now"),
        done=_("The return is approved, and the replacement ordered."),
        permission="returns.decide_return",
        run=lambda request, data: services.approve_return(request=request, send_now=True),
        offered=_may_send_now,
        icon="local_shipping",
    ),
    Action(
        name="refund-instead",
        label=_("Refund, don't exchange"),
        done=_("It will be refunded."),
        permission="returns.decide_return",
        run=lambda request, data: services.refund_instead(request=request),
        offered=_may_refund_instead,
        icon="money",
    ),
    Action(
        name="label",
        label=_("Buy the return label"),
        done=_("The label is bought."),
        permission="returns.decide_return",
        run=_buy_label,
        offered=_may_buy_label,
        form=LabelForm,
        icon="label",
    ),
    Action(
        name="void-label",
        label=_("Give the return label back"),
        done=_("The label is given back."),
        permission="returns.decide_return",
        run=lambda request, data: services.void_label(request=request),
        offered=_has_unused_label,
        icon="label_off",
        is_danger=True,
    ),
    Action(
        name="receive",
        label=_("Receive"),
        done=_("The return is received."),
        permission="returns.receive_return",
        run=_receive,
        offered=lambda request: request.status == states.APPROVED and not request.is_claim,
        form=ReceiveForm,
        icon="move_to_inbox",
    ),
    Action(
        name="inspect",
        label=_("Inspect"),
        done=_("The return is inspected."),
        permission="returns.receive_return",
        run=_inspect,
        offered=lambda request: request.status == states.RECEIVED,
        form=InspectForm,
        icon="fact_check",
    ),
    Action(
        name="refund",
        label=_("Refund"),
        done=_refunded,
        permission="returns.refund_return",
        run=lambda request, data: services.refund_or_ask(request=request, **data),
        offered=lambda request: request.has_refund_due,
        form=RefundForm,
        icon="undo",
    ),
    Action(
        name="retry",
        label=_("Try the refund again"),
        done=_("The refund is on its way."),
        permission="returns.refund_return",
        run=lambda request, data: services.retry_refund(request=request),
        offered=_has_failed,
        icon="refresh",
    ),
    Action(
        name="give-up",
        label=_("It won't come"),
        done=_("The return is given up."),
        permission="returns.decide_return",
        run=lambda request, data: services.cancel_return(request=request),
        offered=lambda request: (
            request.status == states.APPROVED and request.kind != ReturnRequest.Kind.WITHDRAWAL
        ),
        icon="block",
        is_danger=True,
    ),
    Action(
        name="decline",
        label=_("Decline"),
        done=_("The return is declined."),
        permission="returns.decide_return",
        run=lambda request, data: services.decline_return(request=request, **data),
        offered=lambda request: request.status == states.REQUESTED,
        form=DeclineForm,
        icon="block",
        is_danger=True,
    ),
)
