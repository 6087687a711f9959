"""Moving a return along its states. Every move is a conditional UPDATE with its timeline row."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.context import current_actor
from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.orders.models import Order
from apps.returns import states
from apps.returns.models import ReturnEvent, ReturnRequest


class ReturnRefused(Conflict):
    """`extra["allowed"]`: the events that its state allows."""

    code = "return_refused"
    message = _("The return can't do that in its present state.")


def hold(request: ReturnRequest) -> tuple[Order, ReturnRequest]:
    """The order and the return as they are now, locked until the transaction ends."""
    order = locked(Order.objects.filter(pk=request.order_id)).select_related("store").get()
    row = locked(ReturnRequest.objects.filter(pk=request.pk)).get()
    row.order = order
    return order, row


@transaction.atomic(savepoint=False)
def move(*, request: ReturnRequest, event: str, message: str = "", **changes: Any) -> None:
    """Apply `event` of the transition table, and set `changes` with it. Raises ReturnRefused."""
    before = request.status
    target = states.TRANSITIONS.get((before, event))
    written = {**changes, "status": target, "updated_at": timezone.now()}
    here = ReturnRequest.objects.filter(pk=request.pk, status=before)
    if target is None or not here.update(**written):
        allowed = states.allowed_events(before)
        raise ReturnRefused(extra={"return_status": before, "allowed": allowed})
    for name, value in written.items():
        setattr(request, name, value)
    enter(request=request, kind=event, message=message, before=before)
    audit.record(f"return.{event}", request, {"status": [before, target]})


def enter(*, request: ReturnRequest, kind: str, message: str = "", before: str = "") -> None:
    """Write on the timeline that the return came to its present state."""
    ReturnEvent.objects.create(
        request=request,
        kind=kind,
        message=message,
        from_status=before,
        to_status=request.status,
        actor=current_actor().label,
    )
