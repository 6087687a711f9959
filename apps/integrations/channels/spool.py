"""The rows of a file, brought together by product on disk.

Rows of one product may stand anywhere: exports get sorted by price, variations come before their
parents. A temporary SQLite file groups them in constant memory, always in the same order, so that
an interrupted import goes on behind the groups it finished.
"""

from __future__ import annotations

import json
import re
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from django.utils.translation import gettext as _

from apps.core.spreadsheet import restore
from apps.integrations.channels.base import Channel, Row
from apps.integrations.channels.sheet import Record, UnreadableFile, open_sheet

MAX_GROUP_ROWS = 2_500
MAX_GROUP_BYTES = 16 * 2**20
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_SCHEMA = """
PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -8000;
CREATE TABLE rows (line INTEGER PRIMARY KEY, grp TEXT, data TEXT, problem TEXT, col TEXT);
CREATE TABLE names (name TEXT PRIMARY KEY, grp TEXT) WITHOUT ROWID;
"""
_GROUPING = """
UPDATE rows SET grp = COALESCE((SELECT grp FROM names WHERE name = substr(rows.grp, 2)), grp)
    WHERE grp >= '?' AND grp < '@';
CREATE INDEX rows_grp ON rows (grp, line);
"""
# What is too much for one product is refused row by row, in portions that fit into memory.
_OVERFLOW = f"""
CREATE TABLE over AS SELECT line, n / 1000 + size / {MAX_GROUP_BYTES} AS part FROM (
    SELECT line,
        ROW_NUMBER() OVER (PARTITION BY grp ORDER BY line) AS n,
        SUM(LENGTH(data)) OVER (PARTITION BY grp ORDER BY line) AS size
    FROM rows WHERE grp IN (
        SELECT grp FROM rows GROUP BY grp
        HAVING COUNT(*) > {MAX_GROUP_ROWS} OR SUM(LENGTH(data)) > {MAX_GROUP_BYTES}
    )
) WHERE n > 1 AND (n > {MAX_GROUP_ROWS} OR size > {MAX_GROUP_BYTES});
CREATE INDEX over_line ON over (line);
UPDATE rows SET col = '', problem = 'overflow',
    grp = '!' || (SELECT part FROM over WHERE over.line = rows.line) || grp
    WHERE line IN (SELECT line FROM over);
"""  # noqa: S608 (our own constants)
_GROUPS = """
CREATE TABLE groups (ordinal INTEGER PRIMARY KEY, grp TEXT);
INSERT INTO groups (grp) SELECT grp FROM rows GROUP BY grp ORDER BY MIN(line);
"""
_READ = """
SELECT g.ordinal, r.line, r.data, r.problem, r.col FROM groups g CROSS JOIN rows r
ON r.grp = g.grp WHERE g.ordinal > ? ORDER BY g.ordinal, r.line
"""


@dataclass(slots=True)
class Group:
    """The rows of one product, and their cells as they stand in the file, by line."""

    ordinal: int
    rows: list[Row]
    raw: dict[int, list[str]]
    size: int = 0


class Spool:
    """`with Spool(stream, channel) as spool:` reads the whole file once.

    Raises UnreadableFile for a file that isn't of the channel's format.
    """

    def __init__(self, stream: BinaryIO, channel: Channel) -> None:
        self.channel = channel
        sheet = open_sheet(stream, channel.column)
        self.header, self.encoding, self.delimiter = sheet.header, sheet.encoding, sheet.delimiter
        self.columns: dict[str, int] = {}
        self._repeated: list[str] = []
        for index, name in enumerate(self.header):
            key = channel.column(name)
            if key is not None and self.columns.setdefault(key, index) != index:
                self._repeated.append(name.strip())
        if missing := [key for key in channel.required if key not in self.columns]:
            raise UnreadableFile(
                _("This isn't a %(format)s file: it has no column %(column)s.")
                % {"format": channel.label, "column": missing[0]}
            )
        self._folder = tempfile.TemporaryDirectory(prefix="import-")
        self._db = sqlite3.connect(Path(self._folder.name) / "rows.sqlite3")
        self._fill(sheet.records)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._db.close()
        self._folder.cleanup()

    def _fill(self, records: Iterator[Record]) -> None:
        db, previous = self._db, None
        db.executescript(_SCHEMA)
        for record in records:
            row, cells = self._row(record)
            key, names = self.channel.identity(row, previous)
            previous = key or previous
            # Marked, so that no cell of a file can look like a row without a key.
            group = f"#{row.line}" if key is None else key if key.startswith("?") else f"={key}"
            for name in names:
                db.execute("INSERT OR IGNORE INTO names VALUES (?, ?)", (name, group))
            db.execute(
                "INSERT INTO rows VALUES (?, ?, ?, ?, ?)",
                (row.line, group, json.dumps(cells), row.problem, row.column),
            )
        db.commit()
        db.executescript(_GROUPING + _OVERFLOW + _GROUPS)
        (self.total_rows,) = db.execute("SELECT COUNT(*) FROM rows").fetchone()
        (self.total_groups,) = db.execute("SELECT COUNT(*) FROM groups").fetchone()

    def _row(self, record: Record) -> tuple[Row, list[str]]:
        problem, column = record.problem, ""
        cells = record.cells
        if not problem and any(cell.strip() for cell in cells[len(self.header) :]):
            problem = _("The row has more cells than there are columns.")
        if _UNSTORABLE.search("".join(cells)):
            bad = next(i for i, cell in enumerate(cells) if _UNSTORABLE.search(cell))
            column = self.header[bad].strip() if bad < len(self.header) else ""
            problem = problem or _("It has a character that can't be read or stored.")
            cells = [_UNSTORABLE.sub("\ufffd", cell) for cell in cells]
        return self._named(record.line, cells, problem, column), cells

    def _named(self, line: int, cells: Sequence[str], problem: str, column: str) -> Row:
        known, width = {}, len(cells)
        for key, index in self.columns.items():
            cell = cells[index] if index < width else ""
            known[key] = restore(cell) if self.channel.restores else cell.strip()
        return Row(line, known, problem, column)

    def groups(self, after: int = 0) -> Iterator[Group]:
        """The groups behind the first `after`, in the order of their first lines."""
        group: Group | None = None
        for ordinal, line, data, problem, column in self._db.execute(_READ, (after,)):
            if group is None or group.ordinal != ordinal:
                if group is not None:
                    yield group
                group = Group(ordinal, [], {})
            cells = json.loads(data)
            reason = _("There are too many rows of this product.")
            reason = reason if problem == "overflow" else problem
            group.rows.append(self._named(line, cells, reason, column))
            group.raw[line] = cells
            group.size += len(data)
        if group is not None:
            yield group

    def heading(self, key: str) -> str:
        """The header cell of a column, for the error file."""
        index = self.columns.get(key)
        return self.header[index].strip() if index is not None else key

    def notes(self) -> list[str]:
        """What the merchant should know about this file."""
        notes = self.channel.notes(self.header)
        if self.encoding == "cp1252":
            notes.append(_("The file isn't UTF-8; it was read as Windows-1252."))
        if self._repeated:
            repeated = ", ".join(self._repeated[:20])
            notes.append(_("Columns that stand twice (the first one counts): %s.") % repeated)
        return notes
