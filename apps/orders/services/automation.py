"""Rules: what happens to orders by itself, so long after something happened to them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.apps import apps
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.context import Actor, acting
from apps.core.errors import DomainError
from apps.orders import states
from apps.orders.models import Order, OrderRule
from apps.orders.models.desk import TRIGGERS
from apps.orders.services.lifecycle import move_by_staff
from apps.orders.services.organizing import add_tags

# Orders of one rule that a run changes, and those it shows before.
MOST_AT_ONCE = 500
MOST_SHOWN = 20
_CHUNK = 100
_LATE = (OrderRule.Trigger.UNPAID, OrderRule.Trigger.PARTIALLY_PAID)
# Only what was never otherwise happens by itself: the others wait to be switched on.
READY: tuple[dict[str, Any], ...] = (
    {
        "code": "process-paid",
        "name": "Paid orders go into processing",
        "trigger": OrderRule.Trigger.PAID,
        "after_hours": 0,
        "action": OrderRule.Action.PROCESS,
        "is_active": False,
    },
    {
        "code": "complete-delivered",
        "name": "Delivered orders are completed after 14 days",
        "trigger": OrderRule.Trigger.DELIVERED,
        "after_hours": 14 * 24,
        "action": OrderRule.Action.COMPLETE,
        "is_active": True,
    },
    {
        "code": "cancel-unpaid",
        "name": "Unpaid orders are cancelled after 3 days",
        "trigger": OrderRule.Trigger.UNPAID,
        "after_hours": 3 * 24,
        "action": OrderRule.Action.CANCEL,
        "is_active": False,
    },
)


class WrongRule(DomainError):
    code = "wrong_rule"
    message = _("What the trigger says doesn't allow this action.")


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a rule would do now: to how many orders (counted up to a limit), the first of them."""

    rule: OrderRule
    count: int
    numbers: list[str]


def make_ready_rules(**kwargs: Any) -> None:
    """Receiver of `post_migrate`: the rules that come along are there; changed ones stay.

    A migration that stops before has no table yet; `flush` sends it without its state.
    """
    try:
        kwargs.get("apps", apps).get_model("orders", "OrderRule")
    except LookupError:
        return
    for rule in READY:
        OrderRule.objects.get_or_create(code=rule["code"], defaults=rule)


def check_rule(rule: OrderRule) -> None:
    """Raises WrongRule for an action that never is allowed when the trigger has happened."""
    if rule.action == OrderRule.Action.TAG:
        if rule.tag_id is None:
            raise WrongRule(_("Which tag?"), field="tag")
    elif not _statuses(rule):
        raise WrongRule(field="action")


def _statuses(rule: OrderRule) -> list[str]:
    """Those of its trigger in which its action is allowed; a tag always is."""
    statuses, _since = TRIGGERS[rule.trigger]
    if rule.action == OrderRule.Action.TAG:
        return list(statuses)
    return [status for status in statuses if states.target(status, rule.action)]


def due_orders(rule: OrderRule, *, now: datetime) -> QuerySet[Order]:
    """The orders that a rule would change now."""
    _all, since = TRIGGERS[rule.trigger]
    until = now - timedelta(hours=rule.after_hours)
    orders = Order.objects.filter(status__in=_statuses(rule), **{f"{since}__lte": until})
    if rule.trigger in Order.PaymentStatus.values:
        orders = orders.filter(payment_status=rule.trigger)
    if rule.trigger == OrderRule.Trigger.UNPAID:
        # One that still waits for its bank isn't late (`keep_waiting`).
        orders = orders.filter(Q(expires_at=None) | Q(expires_at__lt=now))
    if rule.action == OrderRule.Action.TAG:
        orders = orders.exclude(tags=rule.tag_id)
    if rule.store_id is not None:
        return orders.filter(store=rule.store_id)
    own = OrderRule.objects.filter(trigger=rule.trigger, action=rule.action, store__isnull=False)
    return orders.exclude(store__in=own.values("store"))


def active_rules() -> QuerySet[OrderRule]:
    return OrderRule.objects.filter(is_active=True).select_related("tag").order_by("pk")


def foresee(*, now: datetime | None = None) -> list[Outlook]:
    """What each active rule would do at this moment; nothing is changed."""
    moment = now or timezone.now()
    outlooks = []
    for rule in active_rules():
        orders = due_orders(rule, now=moment).order_by("pk")
        count = orders.order_by()[: MOST_AT_ONCE + 1].count()
        numbers = list(orders.values_list("number", flat=True)[:MOST_SHOWN])
        outlooks.append(Outlook(rule, count, numbers))
    return outlooks


def apply_rules(*, now: datetime | None = None, limit: int = MOST_AT_ONCE) -> dict[str, int]:
    """Let the active rules do their work; the number of orders each has changed, by its name.

    Every action stands on the order's timeline with the rule as its actor. Safe to run twice at
    once: an order that moved meanwhile is left alone. The rest waits for the next run.
    """
    moment = now or timezone.now()
    done: dict[str, int] = {}
    for rule in active_rules():
        with acting(Actor(label=f"rule: {rule.name}")):
            done[rule.name] = _apply(rule, moment, limit)
    return done


def _apply(rule: OrderRule, now: datetime, limit: int) -> int:
    changed = 0
    for order in _each(due_orders(rule, now=now)):
        try:
            changed += _act(rule, order)
        except DomainError:
            # Somebody was faster, or parts of it have shipped.
            continue
        if changed >= limit:
            break
    return changed


def _each(orders: QuerySet[Order]) -> Iterator[Order]:
    """By primary key, in chunks: what is refused doesn't stand in the way of what follows."""
    last = 0
    while chunk := list(orders.filter(pk__gt=last).order_by("pk")[:_CHUNK]):
        last = chunk[-1].pk
        yield from chunk


def _act(rule: OrderRule, order: Order) -> int:
    if rule.tag is not None:
        return int(add_tags(order=order, tags=[rule.tag.name]))
    target = states.target(order.status, rule.action)
    is_late = rule.action == OrderRule.Action.CANCEL and rule.trigger in _LATE
    reason = _("Not paid in time.") if is_late else ""
    move_by_staff(order=order, status=target or order.status, note=str(reason))
    return 1
