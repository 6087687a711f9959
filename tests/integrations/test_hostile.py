"""Files that mean harm: each is imported or told, and the shop goes on."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from pathlib import Path

import pytest

from apps.products.models import Product, ProductImage
from tests.integrations.conftest import SHARED, counts, needs_shared, refused

pytestmark = [needs_shared, pytest.mark.usefixtures("invariants")]

# What becomes of the CSV files, each in a shop of its own.
ENDS = {
    "cell_1mb.csv": "rows 1, refused 1",
    "cr_only.csv": "rows 1, products 1, variants 1, created 1",
    "dup_header.csv": "rows 1, products 1, variants 1, created 1",
    "empty.csv": "failed: The file is empty or has no header.",
    "enc_utf-16-le.csv": "rows 1, products 1, variants 1, created 1",
    "enc_mixed_invalid.csv": "rows 2, products 2, variants 2, created 2",
    "formula_injection.csv": "rows 18, products 14, variants 14, created 14, refused 4",
    "html_body.csv": "rows 1, refused 1",
    "image_urls_ssrf.csv": "rows 8, refused 8",
    "mixed_newlines.csv": "rows 3, products 3, variants 3, created 3",
    "nul_bytes.csv": "rows 1, refused 1",
    "numbers.csv": "rows 6, refused 6",
    "only_header.csv": "",
    "ragged.csv": "rows 2, refused 2",
    "semicolon_decimal_comma.csv": "rows 1, products 1, variants 1, created 1",
    "unterminated_quote.csv": "rows 2, products 1, variants 1, created 1, refused 1",
    "wide_5000_cols.csv": "failed: This isn't a Shopify file: it has no column handle.",
    "zip_bomb_512mb.xlsx": ("failed: This isn't a CSV file. Save the spreadsheet as CSV first."),
    "billion_laughs.svg": "failed: This isn't a Shopify file: it has no column handle.",
    "deep.json": "failed: This isn't a Shopify file: it has no column handle.",
}


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hostile")
    script = SHARED / "payloads" / "gen_hostile.py"
    subprocess.run([sys.executable, script, folder], check=True, capture_output=True)
    return folder


@pytest.mark.parametrize("name", sorted(ENDS))
def test_hostile_file_ends_as_it_should(name, hostile, run):
    job = run((hostile / name).read_bytes())
    assert (f"failed: {job.error}" if job.error else counts(job)) == ENDS[name]


@pytest.mark.parametrize("kind", ["commerce", "shopify", "woocommerce"])
def test_every_hostile_file_is_answered_in_every_format(kind, hostile, run, exported):
    for path in sorted(hostile.iterdir()):
        job = run(path.read_bytes(), kind, update=True)
        assert job.status in ("done", "failed"), path.name
        assert bool(job.error) is (job.status == "failed"), path.name
        assert "database" not in str(refused(job)), path.name
    exported()


def test_naughty_strings_are_stored_as_they_are_or_refused(run, exported):
    strings = json.loads((SHARED / "payloads" / "blns.json").read_text())
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["slug", "name", "description", "tags", "seo_title", "sku", "price"])
    for number, text in enumerate(strings):
        writer.writerow([f"n-{number}", text, text, text, text, f"N-{number}", "1"])
    job = run(table.getvalue(), "commerce")
    stored = dict(Product.objects.values_list("slug", "name"))
    assert job.counts["products"] == len(stored)
    assert len(stored) + job.counts["refused"] == len(strings)
    assert len(stored) > 450
    for slug, name in stored.items():
        text = strings[int(slug.removeprefix("n-"))]
        # An apostrophe in front of a formula is taken for ours.
        assert name in (text, text[1:])
    assert "<script" not in "".join(Product.objects.values_list("description", flat=True)).lower()
    text = exported()
    rows = list(csv.reader(io.StringIO(text)))
    assert not [cell for row in rows for cell in row if cell.startswith(("=", "+", "@"))]


def test_injection_payloads_leave_the_shop_neutralised(run, exported):
    payloads = (SHARED / "payloads" / "csv-injection.txt").read_text().splitlines()
    table = io.StringIO()
    writer = csv.writer(table)
    writer.writerow(["Handle", "Title", "Variant Price"])
    for number, text in enumerate(payloads):
        writer.writerow([f"f-{number}", text, "1"])
        writer.writerow([f"g-{number}", "fine", text])
    job = run(table.getvalue())
    assert job.counts["refused"] == len(payloads)
    with job.error_file.open("rb") as file:
        errors = file.read().decode()
    for text in (exported(), exported("shopify"), errors):
        cells = [cell for row in csv.reader(io.StringIO(text)) for cell in row]
        assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))]


def test_addresses_inside_the_house_are_only_noted_here(run):
    """They are fetched by the images' own task, through the guarded client."""
    run(
        "Handle,Title,Variant Price,Image Src\n"
        "a,A,1,http://169.254.169.254/latest/meta-data/\nb,B,1,http://0x7f000001/\n"
        "c,C,1,gopher://127.0.0.1:25/\nd,D,1,data:image/svg+xml;base64,PHN2Zy8+\n"
    )
    images = ProductImage.objects.order_by("pk")
    assert [(image.product.slug, image.status, image.attempts) for image in images] == [
        ("a", "pending", 0),
        ("b", "pending", 0),
    ]
