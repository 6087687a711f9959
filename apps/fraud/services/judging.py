"""The checkout guard: every checkout is judged before anything of it is ordered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.checkout.models import Cart
from apps.checkout.selectors.carts import source_of
from apps.core.emails import email_key
from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.core.remote import ask_all
from apps.fraud.engines.base import Facts, Opinion, fraud_engine
from apps.fraud.engines.rules import RuleHit, hits_of, verdict_of
from apps.fraud.models import Assessment, FraudRule, FraudSettings, Hit
from apps.fraud.selectors import facts_of, settings_of
from apps.fraud.services.deciding import reasons
from apps.orders import services as orders
from apps.orders.models import Order

# A shopper waits no longer for an engine.
PATIENCE = 3.0
KEPT = timedelta(days=90)
_Verdict = Assessment.Verdict


class CheckoutRefused(Conflict):
    """Says nothing of why: whoever tries cards would learn from it."""

    code = "checkout_refused"
    message = _("We can't take this order. Please get in touch with us.")


@dataclass(frozen=True, slots=True)
class Judgement:
    cart: Cart
    facts: Facts
    hits: Sequence[RuleHit]
    verdict: str


def check_cart(cart: Cart) -> Callable[[Order], None] | None:
    """Judge a checkout by the rules and the engine of its store; `CHECKOUT_GUARDS` name this.

    An engine is asked outside of any transaction; one that fails or is late means a review, never
    a refusal. Raises CheckoutRefused. Returns what holds the order of a checkout that is to be
    reviewed, to be called in the transaction that writes it.
    """
    known = settings_of(cart.store_id)
    if known is None or not cart.email:
        return None
    rules = list(FraudRule.objects.filter(store_id=cart.store_id, is_active=True))
    facts = facts_of(cart, rules, timezone.now())
    hits = hits_of(facts, rules)
    limits = {"review_from": known.review_from, "refuse_from": known.refuse_from}
    verdict = verdict_of(hits, **limits)
    if known.engine and verdict != _Verdict.REFUSE and _not_allowed(hits):
        hits.append(_opinion(known, facts))
        verdict = verdict_of(hits, **limits)
    judgement = Judgement(cart, facts, hits, verdict)
    _keep(judgement)
    if verdict == _Verdict.REFUSE:
        raise CheckoutRefused()
    return partial(_hold, judgement) if verdict == _Verdict.REVIEW else None


@transaction.atomic
def _hold(judgement: Judgement, order: Order) -> None:
    """What another request thought of the same cart meanwhile doesn't count: this is its order."""
    row = _keep(judgement)
    Assessment.objects.filter(pk=row.pk).update(order=order)
    orders.hold_order(order=order, reason=reasons(judgement.hits))


def forget_old(*, now: datetime) -> int:
    """Delete checkouts that nobody suspected, after 90 days; the number deleted.

    They are kept for the velocities and the report, and hold mailboxes and addresses.
    """
    old = Assessment.objects.filter(verdict=_Verdict.ALLOW, created_at__lt=now - KEPT)
    return int(old.delete()[1].get(Assessment._meta.label, 0))


def _not_allowed(hits: Sequence[RuleHit]) -> bool:
    return all(hit.kind != FraudRule.Kind.ALLOWED for hit in hits)


def _opinion(known: FraudSettings, facts: Facts) -> RuleHit:
    """What the engine says; where it says nothing, just enough for a review."""
    engine = fraud_engine(known.engine)
    name = f"fraud-engine:{known.engine}"[:40]
    answer: Opinion | None = None
    if engine is not None:
        answer = ask_all({name: lambda: engine.judge(facts)}, patience=PATIENCE).get(name)
    if answer is None:
        return RuleHit(name, known.review_from, "no answer")
    return RuleHit(name, max(0, min(answer.points, 1000)), answer.reason[:200])


@transaction.atomic
def _keep(judgement: Judgement) -> Assessment:
    """One row for a cart: who tries again is judged again, until it is an order."""
    cart, facts, hits = judgement.cart, judgement.facts, judgement.hits
    source = source_of(cart)
    row = locked(Assessment.objects.filter(source=source)).first()
    if row and row.order_id and Order.objects.filter(pk=row.order_id, source=source).exists():
        return row
    row, _created = Assessment.objects.update_or_create(
        source=source,
        defaults={
            "store_id": cart.store_id,
            "email": cart.email,
            "email_key": email_key(cart.email),
            "ip": facts.ip,
            "currency": facts.currency,
            "total": facts.total,
            "score": sum(hit.points for hit in hits),
            "verdict": judgement.verdict,
            # An unpaid order that was cancelled gave its cart back.
            "order": None,
            "decision": Assessment.Decision.OPEN,
            "decided_by": "",
            "decided_at": None,
            "decision_reason": "",
        },
    )
    Hit.objects.filter(assessment=row).delete()
    Hit.objects.bulk_create(
        Hit(
            assessment=row,
            rule_id=hit.rule_id,
            kind=hit.kind,
            points=hit.points,
            reason=hit.reason,
        )
        for hit in hits
    )
    return row
