"""What is known of a checkout when it is judged."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db.models import Count, Q, QuerySet

from apps.checkout.models import Cart
from apps.checkout.selectors import view_cart
from apps.checkout.selectors.carts import source_of
from apps.core.context import current_actor
from apps.core.emails import email_key
from apps.fraud.engines.base import Facts
from apps.fraud.models import Assessment, FraudRule

_Kind = FraudRule.Kind


def facts_of(cart: Cart, rules: Iterable[FraudRule], at: datetime) -> Facts:
    """The facts that `rules` are about."""
    shipped = cart.shipping_address or cart.billing_address
    billed = cart.billing_address or shipped
    ip, mail = current_actor().ip, email_key(cart.email)
    hours: dict[str, set[int]] = {_Kind.MAIL_VELOCITY: set(), _Kind.IP_VELOCITY: set()}
    for rule in rules:
        hours.get(rule.kind, set()).add(rule.hours)
    others = Assessment.objects.filter(store_id=cart.store_id).exclude(source=source_of(cart))
    return Facts(
        email=cart.email,
        ip=ip,
        billed_to=billed.get("country", ""),
        shipped_to=shipped.get("country", ""),
        currency=cart.currency,
        total=view_cart(cart, at=at).quote.total,
        by_mail=_counts(others.filter(email_key=mail), hours[_Kind.MAIL_VELOCITY], at),
        by_ip=_counts(others.filter(ip=ip), hours[_Kind.IP_VELOCITY], at) if ip else {},
    )


def _counts(rows: QuerySet[Assessment], hours: set[int], at: datetime) -> dict[int, int]:
    """By hours back, with the checkout itself; one query."""
    if not hours:
        return {}
    windows = {
        f"h{back}": Count("pk", filter=Q(created_at__gt=at - timedelta(hours=back)))
        for back in hours
    }
    found = rows.filter(created_at__gt=at - timedelta(hours=max(hours))).aggregate(**windows)
    return {back: found[f"h{back}"] + 1 for back in hours}
