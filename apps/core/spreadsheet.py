"""CSV that is safe to open in a spreadsheet."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from django.http import HttpResponseBase

from apps.core.files import CSV, private_file

# OWASP, "CSV Injection": a cell that starts like this may be run as a formula. One that looks
# neutralised already is neutralised again, so that `restore()` gives back what was there.
_FORMULA = re.compile(r"'*[=+\-@\t\r\n]")


def neutral(value: Any) -> Any:
    """A text that would be a formula gets an apostrophe in front; numbers stay numbers."""
    if isinstance(value, str) and _FORMULA.match(value):
        return f"'{value}"
    return value


def restore(cell: str) -> str:
    """The text that `neutral()` was given."""
    if cell.startswith("'") and _FORMULA.match(cell):
        return cell[1:]
    return cell


class _Line:
    def write(self, text: str) -> str:
        return text


def csv_lines(header: Sequence[str], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The lines of a CSV file, one at a time, cells neutralised."""
    writer = csv.writer(_Line())
    yield writer.writerow(header)
    for row in rows:
        yield writer.writerow([neutral(cell) for cell in row])


def write_lines(file: Path, lines: Iterable[str]) -> None:
    """Written beside and moved into place: a file that is there is whole. Raises OSError."""
    partial = file.with_name(f"{file.name}.part")
    with partial.open("w", encoding="utf-8", newline="") as output:
        output.writelines(lines)
    partial.replace(file)


def csv_response(
    filename: str, header: Sequence[str], rows: Iterable[Sequence[Any]]
) -> HttpResponseBase:
    """A streamed download, in constant memory."""
    return private_file(csv_lines(header, rows), filename, CSV)
