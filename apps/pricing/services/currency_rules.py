"""Rules for prices in a store's further currencies."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.money import exponent
from apps.pricing.events import CurrencyRuleChanged
from apps.pricing.models import MAX_PRICE, CurrencyRule

MAX_SURCHARGE = Decimal(100)


class CurrencyRuleExists(Conflict):
    code = "currency_rule_exists"
    message = _("The store has a rule for this currency already.")


class InvalidCurrencyRule(DomainError):
    code = "invalid_currency_rule"
    message = _("This isn't a possible rule.")


def check_currency_rule(*, rule: CurrencyRule) -> None:
    """Raises InvalidCurrencyRule, and MoneyError for an unknown currency."""
    exponent(rule.base)
    exponent(rule.currency)
    if rule.currency not in rule.store.all_currencies:
        raise InvalidCurrencyRule(_("This store doesn't sell in that currency."), field="currency")
    if rule.base == rule.currency:
        raise InvalidCurrencyRule(_("Prices come from another currency."), field="base")
    if not 0 <= rule.surcharge <= MAX_SURCHARGE:
        raise InvalidCurrencyRule(_("A percentage from 0 to 100."), field="surcharge")
    if not 1 <= rule.round_to <= MAX_PRICE:
        raise InvalidCurrencyRule(_("At least the currency's smallest coin."), field="round_to")
    if not 0 <= rule.minus < rule.round_to:
        raise InvalidCurrencyRule(_("Less than what is rounded to."), field="minus")


@transaction.atomic
def save_currency_rule(*, rule: CurrencyRule, changes: Mapping[str, Any]) -> CurrencyRule:
    """Make a rule, or change it. Raises CurrencyRuleExists, InvalidCurrencyRule."""
    adding = rule.pk is None
    before = {} if adding else {name: getattr(rule, name) for name in changes}
    for name, value in changes.items():
        setattr(rule, name, value)
    check_currency_rule(rule=rule)
    try:
        with transaction.atomic():
            rule.save()
    except IntegrityError as error:
        raise CurrencyRuleExists(field="currency") from error
    if adding:
        audit.record("add", rule)
    else:
        audit.record("change", rule, {n: [before[n], v] for n, v in changes.items()})
    _tell(rule)
    return rule


@transaction.atomic
def delete_currency_rule(*, rule: CurrencyRule) -> None:
    """Delete a rule: what it priced is no longer for sale in its currency."""
    audit.record("delete", rule)
    _tell(rule)
    rule.delete()


def _tell(rule: CurrencyRule) -> None:
    publish(CurrencyRuleChanged(store=rule.store.code, currency=rule.currency))
