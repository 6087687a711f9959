"""CSV as the world writes it."""

from __future__ import annotations

import io
import json
import subprocess
import sys

import pytest

from apps.integrations.channels.sheet import (
    MAX_CELL,
    UNREADABLE,
    Sheet,
    UnreadableFile,
    open_sheet,
)
from tests.integrations.conftest import SHARED, needs_shared

KNOWN = {"Handle", "Title", "Variant Price"}
CAFE = "Handle,Title,Variant Price\r\ncafe,Café – naïve €5 “quoted”,1.00\r\n"


def read(data: bytes) -> Sheet:
    return open_sheet(io.BytesIO(data), lambda name: name.strip("\ufeff ") in KNOWN)


def rows(data: bytes) -> list[list[str]]:
    return [record.cells for record in read(data).records]


def problems(data: bytes) -> list[tuple[int, str]]:
    return [(record.line, record.problem) for record in read(data).records if record.problem]


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"]
)
def test_text_is_read_in_every_usual_encoding(encoding):
    sheet = read(CAFE.encode(encoding))
    assert [cell.strip("\ufeff") for cell in sheet.header] == ["Handle", "Title", "Variant Price"]
    assert [record.cells[1] for record in sheet.records] == ["Café – naïve €5 “quoted”"]


def test_broken_row_of_a_utf8_file_is_marked_and_the_others_are_not():
    data = "Handle,Title\nok,Café\nno,".encode() + b"\xff\xfe" + "\nlast,Tést é\n".encode()
    assert rows(data) == [["ok", "Café"], ["no", UNREADABLE * 2], ["last", "Tést é"]]


def test_lone_surrogate_of_utf16_is_marked():
    data = b"\xff\xfe" + "Handle,Title\na,".encode("utf-16-le") + b"\x00\xd8" + b"\n\x00"
    assert UNREADABLE in rows(data)[0][1]


def test_cut_off_utf16_is_marked():
    assert rows(CAFE.strip().encode("utf-16")[:-1])[-1][-1] == "1.0" + UNREADABLE


@pytest.mark.parametrize(
    ("delimiter", "text"),
    [
        (";", "Handle;Title;Variant Price\ntee;Hemd, blau;12,5\n"),
        ("\t", "Handle\tTitle\tVariant Price\ntee\tHemd, blau\t12,5\n"),
        (",", 'Handle,Title,Variant Price\ntee,"Hemd, blau","12,5"\n'),
    ],
)
def test_delimiter_is_the_one_with_known_columns(delimiter, text):
    sheet = read(text.encode())
    assert sheet.delimiter == delimiter
    assert [record.cells for record in sheet.records] == [["tee", "Hemd, blau", "12,5"]]


def test_lines_end_in_every_way():
    assert rows(b"Handle,Title\r\na,1\nb,2\rc,3\r\n") == [["a", "1"], ["b", "2"], ["c", "3"]]


def test_quoted_newlines_count_as_lines():
    sheet = read(b'Handle,Title\na,"one\ntwo\n"\nb,2\n')
    assert [(record.line, record.cells) for record in sheet.records] == [
        (2, ["a", "one\ntwo\n"]),
        (5, ["b", "2"]),
    ]


def test_blank_rows_are_skipped_and_counted():
    sheet = read(b"Handle,Title\n\n ,\t\na,1\n\n")
    assert [(record.line, record.cells) for record in sheet.records] == [(4, ["a", "1"])]


def test_quotation_mark_that_never_closes_costs_its_own_line_only():
    data = b'Handle,Title\na,1\nb,"never closed\nc,3\nd,4\n'
    found = [(record.line, record.cells, bool(record.problem)) for record in read(data).records]
    assert found == [
        (2, ["a", "1"], False),
        (3, ['b,"never closed'], True),
        (4, ["c", "3"], False),
        (5, ["d", "4"], False),
    ]


def test_quotation_mark_that_swallows_more_than_a_cell_costs_its_own_line_only():
    lines = [f"h{number},{'x' * 90}" for number in range(15_000)]
    data = ('Handle,Title\nbad,"open\n' + "\n".join(lines) + "\n").encode()
    assert len(data) > MAX_CELL
    assert [line for line, _problem in problems(data)] == [2]
    assert sum(not record.problem for record in read(data).records) == 15_000


def test_cell_of_a_megabyte_is_read_and_a_longer_one_is_not():
    assert len(rows(b"Handle,Title\na," + b"x" * 1_000_000 + b"\n")[0][1]) == 1_000_000
    data = b"Handle,Title\na," + b"x" * (MAX_CELL + 1) + b"\nb,2\n"
    assert [line for line, _problem in problems(data)] == [2]
    assert [record.cells for record in read(data).records][1:] == [["b", "2"]]


def test_line_that_never_ends_is_refused_and_the_next_is_read():
    data = b"Handle,Title\na,1\n" + b"x" * (5 * MAX_CELL) + b"\nb,2\n"
    found = [(record.line, bool(record.problem)) for record in read(data).records]
    assert found == [(2, False), (3, True), (4, False)]


def test_many_open_quotation_marks_are_given_up_with_the_lines_they_cost():
    data = b"Handle,Title\n" + b'a"b,"c\n' * 100_000
    found = problems(data)
    assert len(found) == 21
    assert found[-1][1].endswith("The lines up to 100002 aren't read.")


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\xef\xbb\xbf", b"  \n"])
def test_empty_file_is_told(data):
    with pytest.raises(UnreadableFile, match="empty"):
        read(data)


@pytest.mark.parametrize("data", [b"PK\x03\x04rest", b"\x1f\x8brest", b"\x89PNG\r\n"])
def test_other_kinds_of_files_are_told(data):
    with pytest.raises(UnreadableFile, match="CSV"):
        read(data)


@needs_shared
def test_csv_spectrum_reads_as_its_json_says():
    folder = SHARED / "payloads" / "csv-spectrum"
    read_as = {}
    for path in sorted((folder / "csvs").glob("*.csv")):
        sheet = open_sheet(io.BytesIO(path.read_bytes()), lambda name: True)
        read_as[path.stem] = [
            dict(zip(sheet.header, record.cells, strict=True)) for record in sheet.records
        ]
    wanted = {p.stem: json.loads(p.read_text()) for p in sorted((folder / "json").glob("*.json"))}
    # Its JSON has another telephone number than its CSV.
    del read_as["location_coordinates"], wanted["location_coordinates"]
    # The JSON of these was made on another system than their CSV.
    lines = str.splitlines
    for name in ("newlines_crlf", "quotes_and_newlines", "newlines"):
        for found in (read_as, wanted):
            found[name] = [{k: lines(v) for k, v in row.items()} for row in found[name]]
    assert read_as == wanted


@needs_shared
def test_hostile_files_are_read_or_told(tmp_path):
    subprocess.run(
        [sys.executable, SHARED / "payloads" / "gen_hostile.py", tmp_path],
        check=True,
        capture_output=True,
    )
    told = {}
    for path in sorted(tmp_path.iterdir()):
        with path.open("rb") as stream:
            try:
                sheet = open_sheet(stream, lambda name: name in KNOWN)
                told[path.name] = sum(1 for _record in sheet.records)
            except UnreadableFile:
                told[path.name] = "unreadable"
    assert {name for name, answer in told.items() if answer == "unreadable"} >= {
        *("empty.csv", "formula.xlsx", "zip_bomb_512mb.xlsx", "gzip_bomb_100mb.gz"),
        *("png_bomb_30000x30000.png", "zip_slip.zip"),
    }
    assert told["wide_5000_cols.csv"] == 1
    assert told["cell_1mb.csv"] == 1
    assert told["only_header.csv"] == 0
