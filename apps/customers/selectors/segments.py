"""Segments: customers by rule, asked of the database as a set.

A condition is an object of a `field` and one of its operators (`FIELDS`):

    {"field": "orders", "at_least": 3}
    {"field": "spent", "at_most": {"amount": "100.00", "currency": "EUR"}}
    {"field": "last_order", "within_days": 90}, or "before_days": ordered, but not since
    {"field": "country", "in": ["ES", "PT"]}, likewise language, tag and group
    {"field": "registered", "is": true}, likewise accepts_marketing
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Exists, OuterRef, Q, QuerySet, Subquery, Sum
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError
from apps.core.money import Money, MoneyError
from apps.core.tags import tag_key
from apps.customers.models import Address, Customer, CustomerFigures, Segment, SegmentMember

MOST_CONDITIONS = 10
MOST_VALUES = 100
MOST_NUMBER = 1_000_000
FIELDS: Mapping[str, tuple[str, ...]] = {
    "orders": ("at_least", "at_most"),
    "spent": ("at_least", "at_most"),
    "last_order": ("within_days", "before_days"),
    "country": ("in",),
    "language": ("in",),
    "tag": ("in",),
    "group": ("in",),
    "registered": ("is",),
    "accepts_marketing": ("is",),
}


class InvalidSegment(DomainError):
    code = "invalid_segment"
    message = _("These aren't conditions of customers.")


def matching(
    *, conditions: Sequence[Mapping[str, Any]], match: str, at: datetime | None = None
) -> QuerySet[Customer]:
    """The customers whom all, or any, of the conditions fit at a moment. Raises InvalidSegment."""
    at = at or timezone.now()
    check_conditions(conditions)
    wanted = Q()
    for condition in conditions:
        one = _condition(condition, at)
        wanted = wanted | one if match == Segment.Match.ANY else wanted & one
    return Customer.objects.filter(wanted, erased_at=None).order_by("pk")


def check_conditions(conditions: Any) -> None:
    """Raises InvalidSegment for anything but 1 to 10 conditions."""
    if not isinstance(conditions, list) or not 0 < len(conditions) <= MOST_CONDITIONS:
        raise InvalidSegment(_("1 to 10 conditions."), field="conditions")
    for condition in conditions:
        name = condition.get("field") if isinstance(condition, dict) else None
        operators = FIELDS.get(name, ()) if isinstance(name, str) else ()
        named = condition.keys() - {"field"} if operators else set()
        if len(named) != 1 or not named <= set(operators):
            raise InvalidSegment(
                _("A condition is a field and one of its operators: %s")
                % "; ".join(f"{field} {'/'.join(ops)}" for field, ops in FIELDS.items()),
                field="conditions",
            )
        _condition(condition, timezone.now())


def segments_of(customer_id: int | None) -> frozenset[str]:
    """The codes of the segments that a customer is in."""
    rows = SegmentMember.objects.filter(customer=customer_id)
    return frozenset(rows.values_list("segment__code", flat=True) if customer_id else ())


def _condition(condition: Mapping[str, Any], at: datetime) -> Q:
    name = condition["field"]
    ((operator, value),) = ((key, v) for key, v in condition.items() if key != "field")
    return _READERS[name](operator, value, at)


def _figures(**wanted: Any) -> Exists:
    return Exists(CustomerFigures.objects.filter(customer=OuterRef("pk"), **wanted))


def _orders(operator: str, value: Any, at: datetime) -> Q:
    count = _number(value)
    rows = CustomerFigures.objects.filter(customer=OuterRef("pk")).order_by().values("customer")
    total = Coalesce(Subquery(rows.annotate(n=Sum("orders")).values("n")), 0)
    compare = GreaterThanOrEqual if operator == "at_least" else LessThanOrEqual
    return Q(compare(total, count))


def _spent(operator: str, value: Any, at: datetime) -> Q:
    if not isinstance(value, dict) or value.keys() != {"amount", "currency"}:
        raise _wrong(value)
    try:
        money = Money.of(str(value["amount"]), str(value["currency"]))
    except MoneyError as error:
        raise _wrong(value) from error
    # Who has no figures has spent nothing.
    if operator == "at_least":
        return Q(_figures(currency=money.currency, spent__gte=money.amount))
    return ~Q(_figures(currency=money.currency, spent__gt=money.amount))


def _last_order(operator: str, value: Any, at: datetime) -> Q:
    since = at - timedelta(days=_number(value, most=36_500))
    recently = Q(_figures(last_order_at__gte=since))
    return recently if operator == "within_days" else Q(_figures(orders__gt=0)) & ~recently


def _country(operator: str, value: Any, at: datetime) -> Q:
    countries = [country.upper() for country in _texts(value)]
    rows = Address.objects.filter(customer=OuterRef("pk"), country__in=countries)
    return Q(Exists(rows))


def _tag(operator: str, value: Any, at: datetime) -> Q:
    rows = Customer.tags.through.objects.filter(
        customer=OuterRef("pk"), customertag__key__in=[tag_key(name) for name in _texts(value)]
    )
    return Q(Exists(rows))


def _registered(operator: str, value: Any, at: datetime) -> Q:
    return Q(user__isnull=not _flag(value))


_READERS: Mapping[str, Callable[[str, Any, datetime], Q]] = {
    "orders": _orders,
    "spent": _spent,
    "last_order": _last_order,
    "country": _country,
    "language": lambda operator, value, at: Q(language__in=_texts(value)),
    "tag": _tag,
    "group": lambda operator, value, at: Q(group__code__in=_texts(value)),
    "registered": _registered,
    "accepts_marketing": lambda operator, value, at: Q(accepts_marketing=_flag(value)),
}


def _number(value: Any, most: int = MOST_NUMBER) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise _wrong(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise _wrong(value)
    return value


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list) or not 0 < len(value) <= MOST_VALUES:
        raise _wrong(value)
    if not all(
        isinstance(text, str) and 0 < len(text) <= 60 and "\0" not in text for text in value
    ):
        raise _wrong(value)
    return value


def _wrong(value: Any) -> InvalidSegment:
    message = _("%s isn't a value of this condition.") % str(value)[:60]
    return InvalidSegment(message, field="conditions")
