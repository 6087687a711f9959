"""A SELECT that the ORM writes once, for the few reads that every page view costs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import connection
from django.db.models import QuerySet
from django.db.models.sql.compiler import SQLCompiler

Build = Callable[..., QuerySet[Any, Any]]
_FIRST = datetime(1900, 1, 1, tzinfo=UTC)


class NotPreparable(TypeError):
    """A value of a kind that can't be told apart in a statement, or that isn't in it."""


@dataclass(frozen=True, slots=True)
class _Statement:
    sql: str
    # The parameters in their order: a value's name, or the constant itself, and how it is passed.
    slots: tuple[tuple[str | None, Any, Callable[[Any], Any]], ...]
    compiler: SQLCompiler
    converters: Any

    def run(self, values: dict[str, Any]) -> list[tuple[Any, ...]]:
        given = [
            constant if name is None else adapt(values[name])
            for name, constant, adapt in self.slots
        ]
        with connection.cursor() as cursor:
            cursor.execute(self.sql, given)
            rows = cursor.fetchall()
        if not self.converters:
            return rows
        return [tuple(row) for row in self.compiler.apply_converters(rows, self.converters)]


class Prepared:
    """`build(*shape, **values)` returns a `values_list()` queryset, the same one for the same
    shape but for the values in it, which are integers, texts or moments (UTC).

    Calling it gives the rows of that queryset. It is built and compiled once for each shape, which
    is two thirds of what reading a few rows costs in Python; keep the shapes few.
    """

    def __init__(self, build: Build) -> None:
        self._build = build
        self._kept: dict[Hashable, _Statement] = {}

    def __call__(self, *shape: Hashable, **values: Any) -> list[tuple[Any, ...]]:
        """Raises NotPreparable."""
        key = (connection.vendor, shape, *values)
        statement = self._kept.get(key)
        if statement is None:
            statement = self._kept[key] = self._compile(shape, values)
        return statement.run(values)

    def _compile(self, shape: Sequence[Hashable], values: dict[str, Any]) -> _Statement:
        markers = {name: _marker(value, n) for n, (name, value) in enumerate(values.items(), 1)}
        query = self._build(*shape, **markers).query
        compiler = query.get_compiler(connection=connection)
        sql, parameters = compiler.as_sql()
        names = {_adapter(marker)(marker): name for name, marker in markers.items()}
        slots = tuple(_slot(parameter, names, markers) for parameter in parameters)
        if missing := names.keys() - set(parameters):
            raise NotPreparable(f"Not in the statement: {sorted(map(str, missing))}")
        fields = [column[0] for column in compiler.select[: compiler.col_count]]
        return _Statement(sql, slots, compiler, compiler.get_converters(fields))


def _marker(value: Any, number: int) -> Any:
    """A value of the same kind that nobody else passes."""
    if isinstance(value, bool):
        raise NotPreparable("A truth value belongs to the shape.")
    if isinstance(value, int):
        # Within the smallest column's range: beyond it, Django leaves a comparison out.
        return 32_000 + number
    if isinstance(value, str):
        return f"marker-{number}"
    if isinstance(value, datetime):
        return _FIRST + timedelta(days=number)
    raise NotPreparable(type(value).__name__)


def _adapter(value: Any) -> Callable[[Any], Any]:
    if isinstance(value, datetime):
        return connection.ops.adapt_datetimefield_value
    return type(value)


def _slot(
    parameter: Any, names: dict[Any, str], markers: dict[str, Any]
) -> tuple[str | None, Any, Callable[[Any], Any]]:
    name = names.get(parameter) if isinstance(parameter, Hashable) else None
    if name is None:
        return None, parameter, type
    marker = markers[name]
    # An integer is passed as the type that the column has, else each size were a statement.
    adapt = _adapter(marker) if isinstance(marker, datetime) else type(parameter)
    return name, None, adapt
