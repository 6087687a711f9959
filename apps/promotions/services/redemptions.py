"""Using a promotion up: guarded by the database, and given back when the order is cancelled."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from django.db import IntegrityError, transaction
from django.db.models import F, Model, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.errors import Conflict
from apps.core.locks import locked
from apps.promotions.models import Coupon, Promotion, Redemption


class PromotionUsedUp(Conflict):
    """Somebody else, or the same customer, was faster."""

    code = "promotion_used_up"
    message = _("A discount can't be used any more.")


@dataclass(frozen=True, slots=True)
class Use:
    """What an order takes of a promotion, in minor units."""

    promotion_id: int
    coupon_id: int | None
    amount: int
    currency: str


@transaction.atomic
def redeem(*, reference: str, customer_key: str, uses: Sequence[Use]) -> None:
    """Note that an order uses promotions, each once.

    Raises PromotionUsedUp when a limit (of the promotion, the code, or the customer) is reached;
    then nothing is noted.
    """
    promotions = Promotion.objects.in_bulk([use.promotion_id for use in uses])
    for use in sorted(uses, key=lambda use: use.promotion_id):
        promotion = promotions.get(use.promotion_id)
        if promotion is None:
            raise PromotionUsedUp()
        if promotion.usage_limit is not None:
            _count(Promotion.objects.filter(pk=promotion.pk))
        if use.coupon_id is not None:
            _count_coupon(use.coupon_id)
        _note(promotion, use, reference, customer_key)


def _count(rows: QuerySet[Model]) -> None:
    within = Q(usage_limit__isnull=True) | Q(used__lt=F("usage_limit"))
    if not rows.filter(within, is_active=True).update(used=F("used") + 1):
        raise PromotionUsedUp()


def _count_coupon(pk: int) -> None:
    coupon = Coupon.objects.get(pk=pk)
    # A shared code without a limit isn't a row that every order must queue for.
    if coupon.usage_limit is not None:
        _count(Coupon.objects.filter(pk=pk))


def _note(promotion: Promotion, use: Use, reference: str, customer_key: str) -> None:
    limit = promotion.usage_limit_per_customer
    slot = _free_slot(promotion, customer_key, limit) if limit is not None else None
    try:
        with transaction.atomic():
            Redemption.objects.create(
                promotion=promotion,
                coupon_id=use.coupon_id,
                reference=reference,
                customer_key=customer_key,
                slot=slot,
                currency=use.currency,
                amount=use.amount,
            )
    except IntegrityError as error:
        # The same customer took the slot in this very moment.
        raise PromotionUsedUp() from error


def _free_slot(promotion: Promotion, customer_key: str, limit: int) -> int:
    taken = set(
        Redemption.objects.filter(
            promotion=promotion, customer_key=customer_key, slot__isnull=False
        ).values_list("slot", flat=True)
    )
    slot = next((n for n in range(1, limit + 1) if n not in taken), None)
    if slot is None:
        raise PromotionUsedUp()
    return slot


@transaction.atomic
def redeem_again(*, reference: str, customer_key: str, uses: Sequence[Use]) -> None:
    """Make what an order uses that of its new quote: given back, kept with a new amount, or added.

    The caller holds the order's lock. Raises PromotionUsedUp as `redeem` does, for what is added.
    """
    wanted = {(use.promotion_id, use.coupon_id): use for use in uses}
    for row in Redemption.objects.filter(reference=reference).order_by("promotion_id"):
        use = wanted.pop((row.promotion_id, row.coupon_id), None)
        if use is None:
            _give_back(row)
        elif use.amount != row.amount:
            Redemption.objects.filter(pk=row.pk).update(amount=use.amount)
    redeem(reference=reference, customer_key=customer_key, uses=list(wanted.values()))


@transaction.atomic
def pass_on(*, reference: str, to: str) -> None:
    """What one order has used is another's from now on.

    What both have used is one use, of both amounts. The caller holds both orders' locks.
    """
    theirs = dict(Redemption.objects.filter(reference=to).values_list("promotion_id", "pk"))
    for row in Redemption.objects.filter(reference=reference).order_by("promotion_id"):
        if known := theirs.get(row.promotion_id):
            Redemption.objects.filter(pk=known).update(amount=F("amount") + row.amount)
            _give_back(row)
        else:
            Redemption.objects.filter(pk=row.pk).update(reference=to)


@transaction.atomic
def release(*, reference: str) -> int:
    """Give back what a cancelled order had used; the number of promotions."""
    rows = list(Redemption.objects.filter(reference=reference).order_by("promotion_id"))
    for row in rows:
        _give_back(row)
    return len(rows)


@transaction.atomic
def share(*, reference: str, to: str, amounts: Mapping[str, int]) -> None:
    """A part of what one order has used is another's: minor units by the promotion's code.

    It stays one use, which is over when both have given it back. The caller holds the order's
    lock; nothing is noted for `to` yet.
    """
    rows = Redemption.objects.filter(reference=reference, promotion__code__in=amounts)
    for row in rows.select_related("promotion").order_by("promotion_id"):
        part = min(row.amount, amounts[row.promotion.code])
        if part == row.amount:
            Redemption.objects.filter(pk=row.pk).update(reference=to)
            continue
        Redemption.objects.filter(pk=row.pk).update(amount=F("amount") - part)
        Redemption.objects.create(
            promotion=row.promotion,
            coupon_id=row.coupon_id,
            use=row.use,
            reference=to,
            customer_key=row.customer_key,
            currency=row.currency,
            amount=part,
        )


def _give_back(row: Redemption) -> None:
    uses = Redemption.objects.filter(promotion=row.promotion_id, use=row.use)
    others = [each.pk for each in locked(uses) if each.pk != row.pk]
    slots = uses.filter(pk=row.pk).values_list("slot", flat=True)
    slot = slots.first()
    if not Redemption.objects.filter(pk=row.pk).delete()[0]:
        return
    if not others:
        limited = Q(usage_limit__isnull=False, used__gt=0)
        Promotion.objects.filter(limited, pk=row.promotion_id).update(used=F("used") - 1)
        Coupon.objects.filter(limited, pk=row.coupon_id or 0).update(used=F("used") - 1)
    elif slot is not None:
        Redemption.objects.filter(pk=others[0]).update(slot=slot)
