"""Keyset pages: no OFFSET, no COUNT, no row lost or repeated over ties."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.core import signing
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext_lazy as _

from apps.core.errors import DomainError

_SALT = "storefront.cursor"
# Public name → columns; a key ends each, so that no two rows are equal.
ORDERINGS: dict[str, tuple[str, ...]] = {
    "price": ("price", "product_id"),
    "-price": ("-price", "-product_id"),
    "name": ("name", "product_id"),
    "-created": ("-product_id",),
    "-popularity": ("-popularity", "-product_id"),
    "-rating": ("-rating", "-product_id"),
    # By the key of the index that the best matches are read from.
    "relevance": ("-rank", "-pk"),
    "slug": ("slug",),
}
# What shoppers may order products by.
PRODUCT_ORDERINGS = tuple(name for name in ORDERINGS if name != "slug")


class InvalidCursor(DomainError):
    code = "invalid_cursor"
    message = _("This cursor isn't one of this list's; start again without it.")


@dataclass(frozen=True, slots=True)
class Page:
    """The rows of a page (their `fields`), and the cursors beside it."""

    rows: list[tuple[Any, ...]]
    next: str | None
    previous: str | None


@dataclass(frozen=True, slots=True)
class Window:
    """Which rows of an order are wanted: so many behind a position, or from the first one on.

    `position` is the values of the order's columns; backwards, the rows before it come, the
    nearest first.
    """

    size: int
    position: Sequence[Any] | None = None
    backwards: bool = False


def keys_of(window: Window) -> dict[str, Any]:
    """A window's position, named for a prepared statement."""
    return {f"key_{n}": value for n, value in enumerate(window.position or ())}


def window_at(size: int, backwards: bool, keys: Mapping[str, Any]) -> Window:
    """The window that `keys_of()` was given."""
    return Window(size, list(keys.values()) or None, backwards)


# The rows of a window, their key columns first.
Read = Callable[[Window], list[tuple[Any, ...]]]


def page(
    queryset: QuerySet[Any],
    *,
    fields: Sequence[str],
    ordering: str,
    limit: int,
    cursor: str | None,
    through: str = "",
) -> Page:
    """One page in `ordering`, behind (or before) `cursor`. One statement.

    The columns of the ordering are those of the relation `through`, where it is given. Raises
    InvalidCursor for a cursor that isn't ours, or of another ordering.
    """

    def read(window: Window) -> list[tuple[Any, ...]]:
        return list(rows_in(queryset, columns_of(ordering, through), fields, window))

    return page_of(read, ordering=ordering, limit=limit, cursor=cursor)


def columns_of(ordering: str, through: str = "") -> list[str]:
    """The columns of an ordering, of a relation."""
    return [
        f"-{through}{column[1:]}" if column.startswith("-") else through + column
        for column in ORDERINGS[ordering]
    ]


def rows_in(
    queryset: QuerySet[Any], columns: Sequence[str], fields: Sequence[str], window: Window
) -> QuerySet[Any, Any]:
    """The rows of a window in the order of `columns`, which come first in each."""
    order = [_turned(column) for column in columns] if window.backwards else list(columns)
    if window.position:
        queryset = queryset.filter(_behind(order, window.position))
    names = [column.lstrip("-") for column in columns]
    keys = [
        F(name).asc() if name == column else F(name).desc()
        for name, column in zip(names, order, strict=True)
    ]
    return queryset.order_by(*keys).values_list(*names, *fields)[: window.size]


def page_of(read: Read, *, ordering: str, limit: int, cursor: str | None) -> Page:
    """One page of what `read` gives. Raises InvalidCursor."""
    width = len(ORDERINGS[ordering])
    backwards, position = _read(cursor, ordering, width) if cursor else (False, None)
    found = read(Window(limit + 1, position, backwards))
    more, found = len(found) > limit, found[:limit]
    if backwards:
        found.reverse()
    # Coming from behind, there is always a page behind; and the other way round.
    has_next = bool(found) and (more or backwards)
    has_previous = bool(found) and (more if backwards else position is not None)
    return Page(
        rows=[row[width:] for row in found],
        next=_write(ordering, False, found[-1][:width]) if has_next else None,
        previous=_write(ordering, True, found[0][:width]) if has_previous else None,
    )


def _turned(column: str) -> str:
    return column[1:] if column.startswith("-") else f"-{column}"


def _behind(order: Sequence[str], position: Sequence[Any]) -> Q:
    """Rows after `position`: a later first column, or the same and a later second, …"""
    behind, same = Q(), Q()
    for column, value in zip(order, position, strict=True):
        name = column.lstrip("-")
        comparison = "lt" if column.startswith("-") else "gt"
        behind |= same & Q(**{f"{name}__{comparison}": value})
        same &= Q(**{name: value})
    return behind


def _write(ordering: str, backwards: bool, position: tuple[Any, ...]) -> str:
    return signing.dumps([ordering, backwards, list(position)], salt=_SALT, compress=False)


def _read(cursor: str, ordering: str, width: int) -> tuple[bool, list[Any]]:
    try:
        of, backwards, position = signing.loads(cursor, salt=_SALT)
    except (signing.BadSignature, ValueError) as error:
        raise InvalidCursor(field="cursor") from error
    if of != ordering or len(position) != width:
        raise InvalidCursor(field="cursor")
    return backwards, position
