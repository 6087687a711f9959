"""Papers: the text can be read back, the same paper is the same bytes, bars are Code 128."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO

import pytest
from barcode import Code128
from pypdf import PdfReader

from apps.core.pdf import draw_code128, merge_pdfs, new_pdf

AT = datetime(2026, 11, 21, 12, tzinfo=UTC)


def paper(text: str) -> bytes:
    pdf = new_pdf(title="Paper", made_at=AT)
    pdf.add_page()
    pdf.cell(text=text)
    return bytes(pdf.output())


def test_text_in_other_alphabets_can_be_read_back() -> None:
    text = "Straße Łódź Ωμέγα Почта 12,50 € ₹ ₺ ₽ ₩"
    pages = PdfReader(BytesIO(paper(text))).pages
    assert [page.extract_text() for page in pages] == [text]


def test_same_paper_is_the_same_bytes() -> None:
    assert paper("one") == paper("one")
    assert paper("one") != paper("two")


def test_bars_are_those_of_code_128() -> None:
    pdf = new_pdf(title="Label", made_at=AT, size=(100, 150), margin=0)
    pdf.set_compression(False)
    pdf.add_page()
    draw_code128(pdf, "ORD-1042", x=0, y=0, width=100, height=20)
    bars = Code128("ORD-1042").build()[0]
    dark = [len(run) for run in bars.split("0") if run]
    module = 100 / (len(bars) + 20) * 72 / 25.4
    widths = [
        round(float(line.split()[2]) / module)
        for line in bytes(pdf.output()).decode("latin-1").splitlines()
        if line.endswith(" re f")
    ]
    assert widths == dark


def test_bars_refuse_what_they_cannot_say() -> None:
    pdf = new_pdf(title="Label", made_at=AT)
    pdf.add_page()
    with pytest.raises(ValueError, match="ASCII"):
        draw_code128(pdf, "Größe", x=0, y=0, width=50, height=10)


def test_papers_become_one_in_their_order() -> None:
    target = BytesIO()
    assert merge_pdfs([paper("first"), BytesIO(paper("second"))], target) == 2
    assert [page.extract_text() for page in PdfReader(target).pages] == ["first", "second"]
