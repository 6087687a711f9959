"""Writes on stores."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import connection, transaction
from django.db.models import F

from apps.core.locks import locked
from apps.stores.models import Sequence, Store

_COUNT_UP = (
    f"UPDATE {Sequence._meta.db_table} SET last = last + 1"  # noqa: S608 (a constant)
    " WHERE store_id = %s AND kind = %s RETURNING last"
)


def next_number(*, store: Store, kind: str) -> int:
    """The next number of a gapless sequence, starting at 1.

    Must run in the transaction that uses the number: a rollback gives it back. The row stays
    locked until then, so take it last (see `apps.core.locks`).
    """
    if not transaction.get_connection().in_atomic_block:
        raise transaction.TransactionManagementError("next_number() needs a transaction.")
    while (number := _count_up(store, kind)) is None:
        Sequence.objects.get_or_create(store=store, kind=kind)
    return number


def lock_numbers(*, store: Store, kinds: Iterable[str]) -> None:
    """Take the locks of several counters at once, in one order, for who needs numbers of more than
    one: two that took them one by one could wait for each other."""
    wanted = sorted(kinds)
    for kind in wanted:
        Sequence.objects.get_or_create(store=store, kind=kind)
    list(locked(Sequence.objects.filter(store=store, kind__in=wanted)))


def _count_up(store: Store, kind: str) -> int | None:
    """None where the sequence has no row yet. One statement, but for MariaDB and MySQL."""
    if connection.vendor == "mysql":
        mine = Sequence.objects.filter(store=store, kind=kind)
        mine.update(last=F("last") + 1)
        return locked(mine).values_list("last", flat=True).first()
    with connection.cursor() as cursor:
        cursor.execute(_COUNT_UP, [store.pk, kind])
        row = cursor.fetchone()
    return row and row[0]


@transaction.atomic
def keep_one_default(*, store: Store) -> None:
    """If `store` is the default one, the others aren't (any more)."""
    if store.is_default:
        Store.objects.filter(is_default=True).exclude(pk=store.pk).update(is_default=False)
