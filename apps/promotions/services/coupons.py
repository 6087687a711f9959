"""Codes: one that everybody shares, or thousands that each work once."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator

from django.db import IntegrityError, transaction
from django.utils.translation import gettext_lazy as _

from apps.core import audit
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.promotions.events import CodesWanted
from apps.promotions.models import Coupon, Promotion

# Without 0 and O, 1, I and L: they are read aloud and typed by hand.
ALPHABET = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
MAX_BATCH = 100_000
_CODE = re.compile(r"[A-Z0-9][A-Z0-9_-]{0,39}")


class InvalidCode(DomainError):
    code = "invalid_code"
    message = _("Letters, digits and hyphens, at most 40.")


class CodeTaken(Conflict):
    code = "code_taken"
    message = _("This code exists already.")


def normalised_code(code: str) -> str:
    """A code as it is compared: in capitals, without spaces around it."""
    return code.strip().upper()


@transaction.atomic
def add_coupon(*, promotion: Promotion, code: str, usage_limit: int | None = None) -> Coupon:
    """Give a promotion a code that people can remember. Raises InvalidCode and CodeTaken."""
    wanted = normalised_code(code)
    if not _CODE.fullmatch(wanted):
        raise InvalidCode(field="code")
    try:
        with transaction.atomic():
            coupon = Coupon.objects.create(
                promotion=promotion, code=wanted, usage_limit=usage_limit
            )
    except IntegrityError as error:
        raise CodeTaken(field="code") from error
    audit.record("coupon.created", promotion, {"code": wanted})
    return coupon


def make_batch(
    *, promotion: Promotion, batch: str, count: int, prefix: str = "", length: int = 10
) -> Iterator[list[Coupon]]:
    """Make `count` unguessable codes that work once each, a thousand at a time.

    Asking again for the same batch makes what is missing of it, so it may be interrupted. Raises
    InvalidCode for an impossible prefix, length (8 to 24) or count.
    """
    start = normalised_code(prefix)
    if not 8 <= length <= 24 or (start and not _CODE.fullmatch(start + "X" * length)):
        raise InvalidCode(field="prefix")
    if not 0 < count <= MAX_BATCH or not batch:
        raise InvalidCode(_("1 to 100,000 codes, and a name for the batch."), field="count")
    audit.record("coupon.batch", promotion, {"batch": batch, "count": count})
    yield from finish_batch(
        promotion=promotion, batch=batch, count=count, prefix=prefix, length=length
    )


def finish_batch(
    *, promotion: Promotion, batch: str, count: int, prefix: str, length: int
) -> Iterator[list[Coupon]]:
    """Make what is missing of a batch that `make_batch` has checked and written down."""
    start = normalised_code(prefix)
    made = Coupon.objects.filter(promotion=promotion, batch=batch).count()
    while made < count:
        rows = [
            Coupon(
                promotion=promotion,
                code=start + "".join(secrets.choice(ALPHABET) for _n in range(length)),
                batch=batch,
                usage_limit=1,
            )
            for _row in range(min(1000, count - made))
        ]
        # A code that exists already is left out, and made up for in the next round.
        Coupon.objects.bulk_create(rows, ignore_conflicts=True)
        done = Coupon.objects.filter(promotion=promotion, batch=batch).count()
        made, fresh = done, rows
        yield fresh


def start_batch(
    *, promotion: Promotion, batch: str, count: int, prefix: str = "", length: int = 10
) -> int:
    """Make the first thousand codes of a batch now and the rest in the background.

    Returns how many there are. Raises what `make_batch` raises.
    """
    wanted = {"batch": batch, "count": count, "prefix": prefix, "length": length}
    next(make_batch(promotion=promotion, **wanted), None)  # type: ignore[arg-type]
    made = Coupon.objects.filter(promotion=promotion, batch=batch).count()
    if made < count:
        with transaction.atomic():
            publish(CodesWanted(promotion.pk, batch, count, prefix, length))
    return made


@transaction.atomic
def set_coupon_active(*, coupon: Coupon, active: bool) -> None:
    """Let a code be used, or not."""
    Coupon.objects.filter(pk=coupon.pk).update(is_active=active)
    audit.record("coupon.active", coupon.promotion, {"code": coupon.code, "active": active})
