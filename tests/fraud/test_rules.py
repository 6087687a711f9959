"""The rules, one by one and together."""

from __future__ import annotations

from dataclasses import replace

import pytest

from apps.fraud.engines.base import Facts
from apps.fraud.engines.rules import RuleHit, hits_of, verdict_of
from apps.fraud.models import FraudRule

FACTS = Facts(
    email="Ana.Diaz+shop@gmail.com",
    ip="203.0.113.7",
    billed_to="ES",
    shipped_to="FR",
    currency="EUR",
    total=50_000,
    by_mail={24: 3},
    by_ip={1: 5},
)


@pytest.mark.parametrize(
    ("kind", "values", "reason"),
    [
        ("mail_velocity", {"times": 3, "hours": 24}, "3 in 24 h"),
        ("mail_velocity", {"times": 4, "hours": 24}, ""),
        ("ip_velocity", {"times": 5, "hours": 1}, "203.0.113.7: 5 in 1 h"),
        ("ip_velocity", {"times": 6, "hours": 1}, ""),
        ("amount", {"amount": 50_000, "currency": "EUR"}, "500.00 EUR"),
        ("amount", {"amount": 50_001, "currency": "EUR"}, ""),
        ("amount", {"amount": 1, "currency": "USD"}, ""),
        ("country_differs", {}, "ES → FR"),
        ("country", {"values": ["RU", "FR"]}, "FR"),
        ("country", {"values": ["RU"]}, ""),
        ("disposable_mail", {}, ""),
        ("disposable_mail", {"values": ["gmail.com"]}, "gmail.com"),
        ("blocked", {"values": ["anadiaz@gmail.com"]}, "Ana.Diaz+shop@gmail.com"),
        ("blocked", {"values": ["diaz@gmail.com"]}, ""),
        ("blocked", {"values": ["203.0.113.7"]}, "203.0.113.7"),
        ("allowed", {"values": ["gmail.com"]}, "gmail.com"),
    ],
)
def test_rule_is_hit_by_its_fact(kind, values, reason):
    hits = hits_of(FACTS, [FraudRule(kind=kind, points=30, **values)])
    assert [hit.reason for hit in hits] == ([reason] if reason else [])
    if hits:
        assert hits[0].points == (0 if kind in ("blocked", "allowed") else 30)


def test_disposable_mailboxes_are_known():
    [hit] = hits_of(
        replace(FACTS, email="x@Mailinator.com"), [FraudRule(kind="disposable_mail", points=5)]
    )
    assert hit == RuleHit("disposable_mail", 5, "mailinator.com", None)


def test_every_kind_has_a_check_and_nothing_known_hits_nothing():
    nobody = Facts("", "", "", "", "EUR", 0)
    rules = [FraudRule(kind=kind, amount=1, values=[""]) for kind in FraudRule.Kind.values]
    assert hits_of(nobody, rules) == []


@pytest.mark.parametrize(
    ("hits", "verdict"),
    [
        ([], "allow"),
        ([("amount", 49)], "allow"),
        ([("amount", 50)], "review"),
        ([("amount", 50), ("country", 49)], "review"),
        ([("amount", 50), ("country", 50)], "refuse"),
        ([("blocked", 0)], "refuse"),
        ([("blocked", 0), ("allowed", 0), ("amount", 500)], "allow"),
    ],
)
def test_points_and_lists_decide(hits, verdict):
    made = [RuleHit(kind, points, "x") for kind, points in hits]
    assert verdict_of(made, review_from=50, refuse_from=100) == verdict
