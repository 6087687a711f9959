"""PDF papers: invoices, packing slips, labels, lists. fpdf2, which draws them, is imported late.

The font is Source Sans Pro: Latin, Greek, Cyrillic and the signs of currencies. Other scripts need
a font of the merchant's choice (`PDF_FALLBACK_FONT`); what no font knows is drawn as an empty box.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import cache
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from django.conf import settings

if TYPE_CHECKING:
    from fpdf import FPDF

FONT = "SourceSansPro"


@cache
def _files() -> dict[str, Path]:
    import font_source_sans_pro

    folder = Path(font_source_sans_pro.__file__).parent / "files"
    return {"": folder / f"{FONT}-Regular.ttf", "B": folder / f"{FONT}-Bold.ttf"}


def new_pdf(
    *,
    title: str,
    made_at: datetime,
    size: str | tuple[float, float] = "A4",
    language: str = "en",
    margin: float = 15,
) -> FPDF:
    """An empty document (lengths in millimetres), its font set at 10 points; add pages to it.

    The same title, time and drawing give the same bytes. `size` is a name or (width, height).
    """
    from fpdf import FPDF

    pdf = FPDF(unit="mm", format=size)
    pdf.set_creation_date(made_at)
    pdf.set_title(title)
    pdf.set_lang(language)
    pdf.set_margin(margin)
    pdf.set_auto_page_break(True, margin)
    for style, file in _files().items():
        pdf.add_font(FONT, style, file)
    if settings.PDF_FALLBACK_FONT:
        for style in _files():
            pdf.add_font("Fallback", style, settings.PDF_FALLBACK_FONT)
        pdf.set_fallback_fonts(["Fallback"], exact_match=False)
    pdf.set_font(FONT, size=10)
    return pdf


def draw_code128(pdf: FPDF, text: str, *, x: float, y: float, width: float, height: float) -> None:
    """Draw `text` as a Code 128 barcode (ISO/IEC 15417) into that box, with its quiet zones.

    Raises ValueError for characters outside of ASCII, which Code 128 hasn't.
    """
    from barcode import Code128

    if not text.isascii():
        raise ValueError("Code 128 is ASCII.")
    bars = Code128(text).build()[0]
    # Ten modules of white on either side.
    module = width / (len(bars) + 20)
    pdf.set_fill_color(0)
    start = 0
    while start < len(bars):
        end = start
        while end < len(bars) and bars[end] == bars[start]:
            end += 1
        if bars[start] == "1":
            pdf.rect(x + (10 + start) * module, y, (end - start) * module, height, style="F")
        start = end


def merge_pdfs(parts: Iterable[bytes | BinaryIO], target: BinaryIO) -> int:
    """Write the pages of `parts`, in order, as one document; the number of pages."""
    from pypdf import PdfWriter

    writer = PdfWriter()
    for part in parts:
        writer.append(BytesIO(part) if isinstance(part, bytes) else part)
    writer.write(target)
    return len(writer.pages)
