"""CSV as the world writes it: any usual encoding, delimiter and line end, in constant memory.

A cell, a row or a quotation mark that never ends is refused, and reading goes on behind it.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import BinaryIO

from django.utils.translation import gettext as _

from apps.core.errors import DomainError

MAX_CELL = 2**20
_MAX_LINE = 4 * MAX_CELL
_MAX_ROW = 8 * MAX_CELL
# Reading again behind an open quotation mark costs a row's length each time.
_MAX_RETRIES = 20
_CHUNK = 2**20
_DELIMITERS = (",", ";", "\t")
_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_NOT_TEXT = (b"PK\x03\x04", b"\x1f\x8b", b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"\xd0\xcf\x11\xe0")
# What stands for bytes that aren't text; never in a file that could be stored.
UNREADABLE = "\udcff"
_END = "\x1e\x03end of file\x03\x1e"

csv.field_size_limit(MAX_CELL)
codecs.register_error("commerce.mark", lambda error: (UNREADABLE, error.end))  # type: ignore[attr-defined]


class UnreadableFile(DomainError):
    code = "import_unreadable"
    message = _("The file can't be read.")


@dataclass(slots=True)
class Record:
    """One row; `line` is where it starts. With a `problem` the cells are only for the report."""

    line: int
    cells: list[str]
    problem: str = ""


@dataclass(slots=True)
class Sheet:
    header: list[str]
    records: Iterator[Record]
    delimiter: str
    encoding: str


def open_sheet(stream: BinaryIO, knows: Callable[[str], object]) -> Sheet:
    """Read the header of a CSV file; the records follow one at a time.

    `knows` tells whether a header cell is a column of the format: the delimiter with most of
    them wins. Raises UnreadableFile for a file that is empty or isn't text.
    """
    encoding = sniff_encoding(stream)
    best: tuple[int, int, str] | None = None
    for rank, delimiter in enumerate(_DELIMITERS):
        first = next(_records(_text(stream, encoding), delimiter), None)
        if first is None or first.problem:
            continue
        score = sum(bool(knows(cell)) for cell in first.cells)
        if best is None or (score, -rank) > best[:2]:
            best = (score, -rank, delimiter)
    if best is None:
        raise UnreadableFile(_("The file is empty or has no header."))
    records = _records(_text(stream, encoding), best[2])
    return Sheet(next(records).cells, records, best[2], encoding)


def sniff_encoding(stream: BinaryIO) -> str:
    """UTF-8 or UTF-16/32 with a mark, UTF-16 without, UTF-8, else Windows-1252.

    A file that is mostly UTF-8 stays UTF-8: its broken rows are refused one by one.
    """
    stream.seek(0)
    head = stream.read(4096)
    if head.startswith(_NOT_TEXT):
        raise UnreadableFile(_("This isn't a CSV file. Save the spreadsheet as CSV first."))
    for mark, encoding in _BOMS:
        if head.startswith(mark):
            return encoding
    even, odd = head[0::2].count(0), head[1::2].count(0)
    if len(head) >= 4 and max(even, odd) > len(head) // 8:
        return "utf-16-le" if odd > even else "utf-16-be"
    good, bad = _count_utf8(stream)
    return "cp1252" if bad and bad >= good else "utf-8"


def _count_utf8(stream: BinaryIO) -> tuple[int, int]:
    """How many characters beyond ASCII are UTF-8 in the file, and how many sequences aren't."""
    stream.seek(0)
    decoder = codecs.getincrementaldecoder("utf-8")("commerce.mark")
    good = bad = 0
    while chunk := stream.read(_CHUNK):
        text = decoder.decode(chunk)
        if not text.isascii():
            broken = text.count(UNREADABLE)
            bad += broken
            good += len(text) - len(text.encode("ascii", "ignore")) - broken
    return good, bad + decoder.decode(b"", final=True).count(UNREADABLE)


def _text(stream: BinaryIO, encoding: str) -> io.TextIOWrapper:
    stream.seek(0)
    return _Text(stream, encoding=encoding, errors="commerce.mark", newline="")


class _Text(io.TextIOWrapper):
    def __del__(self) -> None:
        """The file below stays open: it is read several times."""
        if not self.closed:
            self.detach()


class _RowTooLong(Exception):
    pass


class _Lines:
    """Physical lines of bounded length; the lines of one record can be read again."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._again: deque[str] = deque()
        self._taken: list[str] = []
        self._size = 0
        self._retries = 0
        self._ended = False
        self.number = 0

    def begin(self) -> int:
        """A record starts here."""
        self._taken, self._size = [], 0
        return self.number + 1

    def __iter__(self) -> _Lines:
        return self

    def __next__(self) -> str:
        line = self._again.popleft() if self._again else self._read()
        self.number += 1
        self._taken.append(line)
        self._size += len(line)
        if self._size > _MAX_ROW:
            raise _RowTooLong
        return line

    def _read(self) -> str:
        line = self._text.readline(_MAX_LINE)
        if not line:
            if self._ended:
                raise StopIteration
            self._ended = True
            return _END
        if len(line) == _MAX_LINE and not line.endswith(("\n", "\r")):
            while (rest := self._text.readline(_MAX_LINE)) and not rest.endswith(("\n", "\r")):
                pass
            self._taken = [line[:200]]
            self.number += 1
            raise _RowTooLong
        return line

    def retry(self) -> bool:
        """Give up the first line of the record, and read those behind it again; but not for ever.

        False: the lines behind are lost.
        """
        behind = self._taken[1:]
        if not behind or behind == [_END]:
            return True
        if self._retries >= _MAX_RETRIES:
            return False
        self._retries += 1
        self._again.extendleft(reversed(behind))
        self.number -= len(behind)
        return True

    def first(self) -> list[str]:
        """The beginning of the record, for the report."""
        return [self._taken[0][:200].rstrip("\r\n")] if self._taken else []


def _records(text: io.TextIOWrapper, delimiter: str) -> Iterator[Record]:
    lines = _Lines(text)
    reader = csv.reader(lines, delimiter=delimiter)
    while True:
        line = lines.begin()
        problem = ""
        cells: list[str] = []
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error:
            problem = _("A cell is longer than %d characters, or its quotation mark never closes.")
            problem %= MAX_CELL
        except _RowTooLong:
            problem = _("The row is too long.")
        if cells == [_END]:
            return
        if cells and cells[-1].endswith(_END):
            problem = _("A quotation mark is opened and never closed.")
        if problem:
            if not lines.retry():
                problem += " " + _("The lines up to %d aren't read.") % lines.number
            yield Record(line, lines.first(), problem)
            reader = csv.reader(lines, delimiter=delimiter)
        elif any(cell and not cell.isspace() for cell in cells):
            yield Record(line, cells)
