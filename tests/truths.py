"""Every registered truth at the end of a test, without making its statements each time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection

from apps.core.invariants import Check, _checks

Statements = list[tuple[str, Any]]
# What a check asked the last time that it found no row, and how often it has asked just this.
_asked: dict[str, tuple[Statements, int]] = {}


def untruths() -> dict[str, list[str]]:
    """The checks that find something, with what `apps.core.invariants.violations` says of them.

    Making a check's statements takes twenty times as long as running them here. So a check that
    twice asked the same and found no row at all is asked by its statements alone: as long as these
    find no row, it would ask no other, and would have nothing to say.
    """
    found = {name: _result(name, check) for name, check in _checks.items()}
    return {name: lines for name, lines in found.items() if lines}


def _result(name: str, check: Check) -> list[str]:
    statements, times = _asked.get(name, ([], 0))
    if times > 1 and _find_nothing(statements):
        return []
    with _written_down() as asked:
        result = list(check())
    if asked and asked == statements:
        _asked[name] = asked, times + 1
    elif not result and _find_nothing(asked):
        _asked[name] = asked, 1
    return result


def _find_nothing(statements: Statements) -> bool:
    with connection.cursor() as cursor:
        for sql, params in statements:
            cursor.execute(sql, params)
            if cursor.fetchone() is not None:
                return False
    return True


@contextmanager
def _written_down() -> Iterator[Statements]:
    asked: Statements = []

    def write(execute: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(write):
        yield asked
