"""Making and changing promotions. Nothing is saved that the engine couldn't read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.ids import uuid7
from apps.core.locks import locked
from apps.promotions.engines import schema
from apps.promotions.engines.rules import AmountOff, FixedPrice, Percentage
from apps.promotions.events import CataloguePricesChanged
from apps.promotions.models import Promotion, Redemption
from apps.promotions.selectors import rule_of
from apps.stores.models import Store

# What stands where a code does in the API's addresses: `admin/promotions/preview/`.
RESERVED_CODES = frozenset({"preview"})


class InvalidPromotion(DomainError):
    """`field` names the member at fault: "effect.percent"."""

    code = "invalid_promotion"
    message = _("This promotion isn't possible.")


class PromotionInUse(Conflict):
    code = "promotion_in_use"
    message = _("Orders use this promotion: end it instead of deleting it.")


@transaction.atomic
def save_promotion(*, promotion: Promotion, stores: Iterable[Store] | None = None) -> Promotion:
    """Check and save a promotion, new or changed; with `stores`, set where it applies.

    A first order is one: such a promotion has a limit of one order per customer. `used` is never
    taken from the caller: only redemptions change it. Raises InvalidPromotion.
    """
    check_promotion(promotion)
    if promotion.conditions.get("first_order"):
        promotion.usage_limit_per_customer = 1
    before = None
    if promotion.pk:
        before = locked(Promotion.objects.filter(pk=promotion.pk)).get()
        _count_uses_anew(promotion, before)
        promotion.version = uuid7()
    promotion.save()
    if stores is not None:
        promotion.stores.set(stores)
    audit.record(
        "promotion.changed" if before else "promotion.created",
        promotion,
        {"effect": promotion.effect, "conditions": promotion.conditions},
    )
    if promotion.is_catalogue or (before and before.is_catalogue):
        publish(CataloguePricesChanged(promotion=promotion.code))
    return promotion


@transaction.atomic
def set_active(*, promotion: Promotion, active: bool) -> Promotion:
    """Start or stop a promotion, at once."""
    promotion.is_active = active
    return save_promotion(promotion=promotion)


@transaction.atomic
def end_promotion(*, promotion: Promotion) -> Promotion:
    """End it now."""
    now = timezone.now()
    if promotion.starts_at is not None and promotion.starts_at >= now:
        return set_active(promotion=promotion, active=False)
    promotion.ends_at = now
    return save_promotion(promotion=promotion)


@transaction.atomic
def delete_promotion(*, promotion: Promotion) -> None:
    """Delete a promotion that no order uses. Raises PromotionInUse."""
    if Redemption.objects.filter(promotion=promotion).exists():
        raise PromotionInUse()
    audit.record("promotion.deleted", promotion, {"code": promotion.code})
    if promotion.is_catalogue:
        publish(CataloguePricesChanged(promotion=promotion.code))
    promotion.delete()


def check_promotion(promotion: Promotion) -> None:
    """Raises InvalidPromotion for what can't be, naming the member at fault."""
    try:
        promotion.clean_fields(exclude=["effect", "conditions", "used"])
    except ValidationError as error:
        field, messages = next(iter(error.message_dict.items()))
        raise InvalidPromotion(messages[0], field=field) from error
    if promotion._state.adding and promotion.code in RESERVED_CODES:
        raise InvalidPromotion(_("This code is an address of the API."), field="code")
    _check_times(promotion)
    try:
        common = schema.currencies_of(promotion.effect, promotion.conditions)
        if common is not None and not common:
            raise schema.InvalidRule("conditions.min_spend", "needs the effect's currencies")
        for currency in common or {"EUR"}:
            rule_of(promotion, currency)
        _check_catalogue(promotion)
    except schema.InvalidRule as error:
        raise InvalidPromotion(str(error), field=error.field) from error
    except (schema.OtherCurrency, AttributeError, TypeError) as error:
        raise InvalidPromotion(field="effect") from error


def _check_times(promotion: Promotion) -> None:
    days = promotion.weekdays
    if not isinstance(days, list) or not set(map(repr, days)) <= set(map(repr, range(7))):
        raise InvalidPromotion(_("Weekdays are 0 (Monday) to 6."), field="weekdays")
    starts, ends = promotion.starts_at, promotion.ends_at
    if starts is not None and ends is not None and starts >= ends:
        raise InvalidPromotion(_("It ends before it starts."), field="ends_at")
    if promotion.hours_from is not None and promotion.hours_from == promotion.hours_to:
        raise InvalidPromotion(_("From and until are the same."), field="hours_to")


def _check_catalogue(promotion: Promotion) -> None:
    """A price that everybody sees can't depend on who looks, or on the rest of the cart."""
    if not promotion.is_catalogue:
        return
    rule = rule_of(promotion, next(iter(_currencies(promotion))))
    effect: Any = rule.effect
    fits = (
        (isinstance(effect, Percentage) and effect.of == "items")
        or (isinstance(effect, AmountOff) and effect.per == "item")
        or isinstance(effect, FixedPrice)
    )
    if not fits:
        raise schema.InvalidRule("effect.type", "lists show only a price off each piece")
    personal = rule.customer_groups or rule.segments or rule.first_order
    by_cart = rule.min_spend or rule.min_quantity > 1
    limited = promotion.usage_limit or promotion.usage_limit_per_customer
    weekly = promotion.weekdays or promotion.hours_from or promotion.hours_to
    if personal or by_cart or limited or weekly or promotion.needs_code or promotion.max_per_order:
        raise schema.InvalidRule("is_catalogue", "the same for everybody, all the time")


def _currencies(promotion: Promotion) -> set[str]:
    return schema.currencies_of(promotion.effect, promotion.conditions) or {"EUR"}


def _count_uses_anew(promotion: Promotion, before: Promotion) -> None:
    """A limit set on a promotion in use counts the orders that there are."""
    promotion.used = before.used
    if promotion.usage_limit is not None and before.usage_limit is None:
        promotion.used = Redemption.objects.filter(promotion=promotion).count()
    if promotion.usage_limit is None:
        promotion.used = 0
    elif promotion.usage_limit < promotion.used:
        message = _("%(used)s orders use it already.") % {"used": promotion.used}
        raise InvalidPromotion(message, field="usage_limit")
