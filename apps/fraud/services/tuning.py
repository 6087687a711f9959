"""How stores judge: their rules, their lists, and from how many points on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import DomainError
from apps.core.locks import locked
from apps.fraud.models import FraudRule, FraudSettings
from apps.stores.models import Store


class InvalidFraudSettings(DomainError):
    code = "invalid_fraud_settings"


def listed_values(kind: str, values: Iterable[str]) -> list[str]:
    """The values of a rule as checkouts are compared with them, each once."""
    stripped = (value.strip() for value in values)
    spelled = str.upper if kind == FraudRule.Kind.COUNTRY else str.casefold
    return list(dict.fromkeys(spelled(value) for value in stripped if value))


@transaction.atomic
def save_rule(*, rule: FraudRule, changes: Mapping[str, Any]) -> FraudRule:
    """Make a rule, or change it: for checkouts from now on."""
    adding = rule._state.adding
    before = audit.assign(rule, changes)
    rule.values = listed_values(rule.kind, rule.values)
    rule.save()
    audit.note(rule, adding, before, changes)
    return rule


@transaction.atomic
def delete_rule(*, rule: FraudRule) -> None:
    """Delete a rule; what it hit stays on record."""
    audit.record("delete", rule)
    rule.delete()


@transaction.atomic
def save_settings(*, store: Store, changes: Mapping[str, Any]) -> FraudSettings:
    """Change how a store judges; the first time lets it begin to. Raises InvalidFraudSettings."""
    # Two first writes at once: the row is there before it is locked, whoever made it.
    _known, adding = FraudSettings.objects.get_or_create(store_id=store.pk)
    known = locked(FraudSettings.objects.filter(store=store)).get()
    before = audit.assign(known, changes)
    if known.refuse_from < known.review_from:
        message = _("What is refused must have at least as many points as what is reviewed.")
        raise InvalidFraudSettings(message, field="refuse_from")
    if known.engine and known.engine not in settings.FRAUD_ENGINES:
        raise InvalidFraudSettings(_("There is no such engine."), field="engine")
    known.save()
    audit.note(known, adding, before, changes)
    return known


@transaction.atomic
def stop_judging(*, known: FraudSettings) -> None:
    """The store's checkouts aren't judged any more; its rules stay."""
    audit.record("delete", known)
    known.delete()
