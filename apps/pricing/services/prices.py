"""Writes of prices: none without a line in the history."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.core.context import current_actor
from apps.core.errors import Conflict, DomainError
from apps.core.events import publish
from apps.core.money import exponent
from apps.pricing.events import PriceChanged
from apps.pricing.models import MAX_PRICE, Price, PriceList, PricePoint
from apps.products.models import Variant
from apps.stores.models import Store


class InvalidPrice(DomainError):
    code = "invalid_price"
    message = _("This isn't a possible price.")


class PriceExists(Conflict):
    code = "price_exists"
    message = _("There is a price for this store, list, quantity and start already.")


@dataclass(frozen=True, slots=True)
class PriceData:
    """One price to be set. Minor units of `currency`; None ids mean "everywhere", "everybody"."""

    variant_id: int
    currency: str
    amount: int
    compare_at: int | None = None
    store_id: int | None = None
    price_list_id: int | None = None
    min_quantity: int = 1
    valid_from: datetime | None = None
    valid_to: datetime | None = None

    @classmethod
    def of(cls, price: Price) -> PriceData:
        """What a row says."""
        return cls(
            variant_id=price.variant_id,
            currency=price.currency,
            amount=price.amount,
            compare_at=price.compare_at,
            store_id=price.store_id,
            price_list_id=price.price_list_id,
            min_quantity=price.min_quantity,
            valid_from=price.valid_from,
            valid_to=price.valid_to,
        )

    def row(self) -> Price:
        price = Price(
            variant_id=self.variant_id,
            store_id=self.store_id,
            price_list_id=self.price_list_id,
            currency=self.currency,
            min_quantity=self.min_quantity,
            amount=self.amount,
            compare_at=self.compare_at,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
        )
        price.scope = price.scope_text()
        return price


def set_price(
    *,
    variant: Variant,
    currency: str,
    amount: int,
    compare_at: int | None = None,
    store: Store | None = None,
    price_list: PriceList | None = None,
    valid: tuple[datetime | None, datetime | None] = (None, None),
) -> bool:
    """Set the price of a piece; True if that changed anything. See `set_prices()` for tiers."""
    data = PriceData(
        variant_id=variant.pk,
        currency=currency,
        amount=amount,
        compare_at=compare_at,
        store_id=store.pk if store else None,
        price_list_id=price_list.pk if price_list else None,
        valid_from=valid[0],
        valid_to=valid[1],
    )
    return set_prices([data])[0]


@transaction.atomic
def set_prices(prices: Sequence[PriceData]) -> list[bool]:
    """Set many prices in constant queries; for each, in order, whether it changed.

    A price is identified by variant, store, list, currency, quantity and start; every change adds
    to the history. Raises InvalidPrice for a negative or absurd amount, an unknown currency, or a
    window that ends before it starts, and then sets none; PriceExists when somebody else made one
    of them at the same moment.
    """
    for data in prices:
        check_price(data=data)
    rows = [data.row() for data in prices]
    known = {p.scope: p for p in Price.objects.filter(scope__in={row.scope for row in rows})}
    changed, create, update = [], {}, {}
    for row in rows:
        old = known.get(row.scope)
        same = old is not None and _terms(old) == _terms(row)
        changed.append(not same)
        if same:
            continue
        if old is None:
            create[row.scope] = row
            known[row.scope] = row
            continue
        old.amount, old.compare_at, old.valid_to = row.amount, row.compare_at, row.valid_to
        old.updated_at = timezone.now()
        if old.pk is not None:
            update[row.scope] = old
    try:
        with transaction.atomic():
            Price.objects.bulk_create(create.values(), batch_size=500)
    except IntegrityError as error:
        raise PriceExists() from error
    Price.objects.bulk_update(
        update.values(), ["amount", "compare_at", "valid_to", "updated_at"], batch_size=500
    )
    _record([*create.values(), *update.values()])
    return changed


@transaction.atomic
def add_price(*, data: PriceData) -> Price:
    """A price that there wasn't before. Raises PriceExists and InvalidPrice."""
    scope = data.row().scope
    if Price.objects.filter(scope=scope).exists():
        raise PriceExists()
    set_prices([data])
    return Price.objects.get(scope=scope)


@transaction.atomic
def change_price(*, price: Price, data: PriceData) -> Price:
    """Change a row, also what identifies it: then the history says that the old price ended.

    Raises PriceExists and InvalidPrice.
    """
    old, new = Price.objects.get(pk=price.pk), data.row()
    if old.scope != new.scope:
        check_price(data=data)
        if Price.objects.filter(scope=new.scope).exists():
            raise PriceExists()
        _record([old], removed=True)
        new.pk, new.public_id, new.created_at = old.pk, old.public_id, old.created_at
        new.save(force_update=True)
        _record([new])
        return new
    set_prices([data])
    return Price.objects.get(pk=price.pk)


@transaction.atomic
def remove_price(*, price: Price) -> None:
    """Delete a price; the history keeps that it ended."""
    _record([price], removed=True)
    price.delete()


def _terms(price: Price) -> tuple[int, int | None, datetime | None]:
    return price.amount, price.compare_at, price.valid_to


def check_price(*, data: PriceData) -> None:
    """Raises InvalidPrice, and MoneyError for an unknown currency."""
    exponent(data.currency)
    amounts = [data.amount] if data.compare_at is None else [data.amount, data.compare_at]
    if not all(0 <= amount <= MAX_PRICE for amount in amounts) or data.min_quantity < 1:
        raise InvalidPrice()
    if data.valid_from and data.valid_to and data.valid_from >= data.valid_to:
        raise InvalidPrice(_("A price can't end before it starts."), field="valid_to")


def _record(prices: Iterable[Price], *, removed: bool = False) -> None:
    prices = list(prices)
    if not prices:
        return
    actor = current_actor().label
    PricePoint.objects.bulk_create(
        [
            PricePoint(
                variant_id=price.variant_id,
                store_id=price.store_id,
                price_list_id=price.price_list_id,
                currency=price.currency,
                min_quantity=price.min_quantity,
                amount=None if removed else price.amount,
                compare_at=None if removed else price.compare_at,
                valid_from=price.valid_from,
                valid_to=price.valid_to,
                actor=actor,
            )
            for price in prices
        ],
        batch_size=500,
    )
    variants = {price.variant_id for price in prices}
    products = Variant.objects.filter(pk__in=variants).values_list("product__public_id", flat=True)
    publish(PriceChanged(product_ids=sorted({str(pk) for pk in products})))
