"""Orders as files: CSV as a stream, Excel as a file, both in constant memory and safe to open."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from apps.accounts.models import User
from apps.core import audit
from apps.core.errors import Conflict
from apps.core.spreadsheet import csv_lines, neutral
from apps.orders.models import ExportRun, Order
from apps.orders.selectors.exporting import HEADERS, export_chunks

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
# As an answer: an Excel file exists only when its last row is written.
MOST_AT_ONCE = 20_000
# Excel's own limit is 1,048,576 rows a sheet.
_SHEET = 1_000_000
_PIECE = 2**16
# Gets the number of orders done since it was last called.
Progress = Callable[[int], None]


class ExportTooLarge(Conflict):
    code = "export_too_large"
    message = _("Too many orders for an Excel file at once: take CSV, or a scheduled export.")


@transaction.atomic
def record_export(
    *, rows: str, file_format: str, filters: Mapping[str, Any], user: User | None
) -> ExportRun:
    """Write down that somebody exports orders now: in the list of exports and the audit log."""
    run = ExportRun.objects.create(
        rows=rows,
        format=file_format,
        filters=dict(filters),
        status=ExportRun.Status.DONE,
        created_by=user,
        finished_at=timezone.now(),
    )
    audit.record(
        "order.export", run, {"rows": rows, "format": file_format, "filters": dict(filters)}
    )
    return run


def export_file(orders: QuerySet[Order], *, rows: str, file_format: str) -> Iterator[str | bytes]:
    """The contents of a file, piece by piece: CSV as it is read, Excel when it is whole."""
    if file_format == "csv":
        yield from csv_lines(HEADERS[rows], _flat(orders, rows))
        return
    with tempfile.TemporaryFile("w+b") as scratch:
        write_xlsx(scratch, orders, rows=rows)
        scratch.seek(0)
        while piece := scratch.read(_PIECE):
            yield piece


def _flat(orders: QuerySet[Order], rows: str) -> Iterator[list[Any]]:
    for _last, _number, chunk in export_chunks(orders, rows=rows):
        yield from map(_written, chunk)


def _written(row: list[Any]) -> list[Any]:
    """Times as ISO 8601 in UTC."""
    return [_iso(cell) if isinstance(cell, datetime) else cell for cell in row]


def _iso(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def refuse_too_many(orders: QuerySet[Order]) -> None:
    """Raises ExportTooLarge for more orders than an Excel file at once may hold."""
    if orders.order_by()[: MOST_AT_ONCE + 1].count() > MOST_AT_ONCE:
        raise ExportTooLarge()


def write_csv(
    stream: IO[bytes], orders: QuerySet[Order], *, rows: str, on_progress: Progress | None = None
) -> int:
    """Write a whole CSV file; the number of orders."""
    total = 0
    stream.write("".join(csv_lines(HEADERS[rows], ())).encode())
    for _last, number, chunk in export_chunks(orders, rows=rows):
        stream.write(_encoded(chunk))
        total += number
        if on_progress:
            on_progress(number)
    return total


def _encoded(chunk: Iterable[list[Any]]) -> bytes:
    lines = csv_lines((), map(_written, chunk))
    # The header, which was written before.
    next(lines)
    return "".join(lines).encode()


def write_xlsx(
    stream: IO[bytes], orders: QuerySet[Order], *, rows: str, on_progress: Progress | None = None
) -> int:
    """Write a whole Excel file, row by row through a temporary file; the number of orders.

    Texts stay texts: none becomes a formula, a link or a number.
    """
    import xlsxwriter  # noqa: PLC0415 (heavy)

    texts = dict.fromkeys(("strings_to_formulas", "strings_to_urls", "strings_to_numbers"), False)
    options = {"constant_memory": True, "default_date_format": "yyyy-mm-dd hh:mm:ss", **texts}
    total = 0
    with xlsxwriter.Workbook(stream, options) as book:
        sheet, at = _sheet(book, rows), 1
        for _last, number, chunk in export_chunks(orders, rows=rows):
            for row in chunk:
                if at >= _SHEET:
                    sheet, at = _sheet(book, rows), 1
                sheet.write_row(at, 0, map(_cell, row))
                at += 1
            total += number
            if on_progress:
                on_progress(number)
    return total


def _sheet(book: Any, rows: str) -> Any:
    sheet = book.add_worksheet()
    sheet.write_row(0, 0, HEADERS[rows])
    sheet.freeze_panes(1, 0)
    return sheet


def _cell(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).replace(tzinfo=None)
    return neutral(value)


def resume_csv(
    path: Path,
    orders: QuerySet[Order],
    *,
    rows: str,
    chosen: Mapping[str, Any],
    on_progress: Progress | None = None,
) -> int:
    """Write a CSV file at `path`, or go on with one that was interrupted; the number of orders.

    Until it is whole it lies beside, as `<path>.part`, with how far it is in `<path>.part.json`.
    A part that was made with other choices is begun anew.
    """
    part, state_path = path.with_name(f"{path.name}.part"), path.with_name(f"{path.name}.part.json")
    state = _state(part, state_path, {"rows": rows, **chosen})
    with part.open("r+b" if state["size"] else "wb") as stream:
        stream.truncate(state["size"])
        stream.seek(0, os.SEEK_END)
        if not state["size"]:
            stream.write("".join(csv_lines(HEADERS[rows], ())).encode())
        elif on_progress:
            on_progress(state["orders"])
        for last, number, chunk in export_chunks(orders, rows=rows, after=state["last"]):
            stream.write(_encoded(chunk))
            stream.flush()
            state |= {"last": last, "size": stream.tell(), "orders": state["orders"] + number}
            # Put in place whole: a crash in the middle leaves the one before.
            fresh = state_path.with_suffix(".new")
            fresh.write_text(json.dumps(state))
            fresh.replace(state_path)
            if on_progress:
                on_progress(number)
    part.replace(path)
    state_path.unlink(missing_ok=True)
    return int(state["orders"])


def _state(part: Path, state_path: Path, chosen: Mapping[str, Any]) -> dict[str, Any]:
    try:
        state: dict[str, Any] = json.loads(state_path.read_text())
        if state["chosen"] == chosen and part.stat().st_size >= state["size"]:
            return state
    except (OSError, ValueError, KeyError):
        pass
    return {"chosen": dict(chosen), "last": 0, "size": 0, "orders": 0}
