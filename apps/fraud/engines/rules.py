"""The rules, as a function of a checkout's facts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from apps.core.emails import normalised_email
from apps.core.money import Money
from apps.fraud.engines.base import Facts
from apps.fraud.models import Assessment, FraudRule

_Kind, _Verdict = FraudRule.Kind, Assessment.Verdict
# The best known; a store's rule adds its own.
DISPOSABLE = frozenset(
    "10minutemail.com discard.email dispostable.com emailondeck.com fakeinbox.com getnada.com"
    " guerrillamail.com guerrillamail.info inboxkitten.com mail-temp.com mailcatch.com maildrop.cc"
    " mailinator.com mailnesia.com mintemail.com moakt.com mohmal.com mytemp.email sharklasers.com"
    " spam4.me temp-mail.org tempail.com tempmail.dev tempr.email throwawaymail.com trashmail.com"
    " trashmail.de yopmail.com yopmail.fr".split()
)


@dataclass(frozen=True, slots=True)
class RuleHit:
    """`reason` is the fact, for staff: never shown to a shopper."""

    kind: str
    points: int
    reason: str
    rule_id: int | None = None


def hits_of(facts: Facts, rules: Iterable[FraudRule]) -> list[RuleHit]:
    """What of `rules` the checkout hits, in their order."""
    found = []
    for rule in rules:
        if reason := _CHECKS[_Kind(rule.kind)](facts, rule):
            # Lists decide; they don't count.
            points = 0 if rule.kind in (_Kind.BLOCKED, _Kind.ALLOWED) else rule.points
            found.append(RuleHit(rule.kind, points, reason[:200], rule.pk))
    return found


def verdict_of(hits: Sequence[RuleHit], *, review_from: int, refuse_from: int) -> str:
    """The lists first, an allowed buyer before a blocked address; then the points."""
    kinds = {hit.kind for hit in hits}
    if _Kind.ALLOWED in kinds:
        return _Verdict.ALLOW
    score = sum(hit.points for hit in hits)
    if _Kind.BLOCKED in kinds or score >= refuse_from:
        return _Verdict.REFUSE
    return _Verdict.REVIEW if score >= review_from else _Verdict.ALLOW


def _mail_velocity(facts: Facts, rule: FraudRule) -> str:
    times = facts.by_mail.get(rule.hours, 0)
    return f"{times} in {rule.hours} h" if times >= rule.times else ""


def _ip_velocity(facts: Facts, rule: FraudRule) -> str:
    times = facts.by_ip.get(rule.hours, 0) if facts.ip else 0
    return f"{facts.ip}: {times} in {rule.hours} h" if times >= rule.times else ""


def _amount(facts: Facts, rule: FraudRule) -> str:
    is_over = facts.currency == rule.currency and facts.total >= rule.amount
    return str(Money(facts.total, facts.currency)) if is_over else ""


def _country_differs(facts: Facts, rule: FraudRule) -> str:
    places = (facts.billed_to, facts.shipped_to)
    return " → ".join(places) if all(places) and len(set(places)) == 2 else ""


def _country(facts: Facts, rule: FraudRule) -> str:
    return next((c for c in (facts.billed_to, facts.shipped_to) if c and c in rule.values), "")


def _disposable(facts: Facts, rule: FraudRule) -> str:
    domain = _domain(facts)
    return domain if domain in DISPOSABLE or domain in rule.values else ""


def _listed(facts: Facts, rule: FraudRule) -> str:
    """A mailbox however it is spelled, its domain, or the IP address."""
    values = {value.casefold() for value in rule.values}
    mailboxes = {normalised_email(value) for value in values if "@" in value}
    if facts.email and normalised_email(facts.email) in mailboxes:
        return facts.email
    return next((v for v in (_domain(facts), facts.ip) if v and v in values), "")


def _domain(facts: Facts) -> str:
    return facts.email.rpartition("@")[2].casefold()


_CHECKS: dict[str, Callable[[Facts, FraudRule], str]] = {
    _Kind.MAIL_VELOCITY: _mail_velocity,
    _Kind.IP_VELOCITY: _ip_velocity,
    _Kind.AMOUNT: _amount,
    _Kind.COUNTRY_DIFFERS: _country_differs,
    _Kind.COUNTRY: _country,
    _Kind.DISPOSABLE_MAIL: _disposable,
    _Kind.BLOCKED: _listed,
    _Kind.ALLOWED: _listed,
}
