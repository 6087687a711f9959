"""import_products and export_products, as a person runs them; and killed; and measured."""

from __future__ import annotations

import csv
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.integrations.models import ImportJob
from apps.products.models import Product
from tests.integrations.conftest import dump

ROOT = Path(__file__).resolve().parents[2]
TEXT = "Handle,Title,Variant Price\na,A,1\nb,B,free\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "products.csv"
    path.write_text(TEXT)
    return path


def test_import_ends_with_one_line_of_counts(file, store, location, capsys):
    call_command("import_products", file, format="shopify")
    lines = capsys.readouterr().out.splitlines()
    assert lines[-1] == (
        "rows 2, products 1, variants 1, images 0, created 1, updated 0, unchanged 0, refused 1"
    )
    path = Path(lines[-2].removeprefix("Refused rows: "))
    assert path.read_text().splitlines()[1] == "3,Variant Price,Not a number: free,b,B,free"


def test_dry_run_leaves_no_row_in_any_table(file, store, location, capsys):
    before = dump()
    call_command("import_products", file, format="shopify", dry_run=True)
    assert dump() == before
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "would create a: 1 variants"
    assert lines[-1].startswith("Dry run: rows 2, products 1, ")
    assert Path(lines[-2].removeprefix("Refused rows: ")).is_file()


def test_update_store_and_location_are_chosen(file, store, location):
    call_command("import_products", file, format="shopify")
    Product.objects.update(name="Old")
    call_command("import_products", file, format="shopify")
    assert Product.objects.get().name == "Old"
    call_command(
        "import_products", file, format="shopify", update=True, store="main", location="warehouse"
    )
    assert Product.objects.get().name == "A"
    assert ImportJob.objects.order_by("-pk").first().location == location


@pytest.mark.parametrize("options", [{"store": "nowhere"}, {"location": "nowhere"}])
def test_unknown_names_are_told(options, file, store):
    with pytest.raises(CommandError, match="nowhere"):
        call_command("import_products", file, format="shopify", **options)


def test_file_that_cannot_be_read_is_told(tmp_path, file, store):
    with pytest.raises(CommandError, match="No such file"):
        call_command("import_products", tmp_path / "none.csv", format="shopify")
    with pytest.raises(CommandError, match="has no column type"):
        call_command("import_products", file, format="woocommerce")
    with pytest.raises(CommandError, match="No such file"):
        call_command("export_products", tmp_path / "none" / "x.csv", format="commerce")


def test_export_is_a_whole_file_or_none(file, tmp_path, store, location, exported):
    call_command("import_products", file, format="shopify")
    call_command("export_products", tmp_path / "out.csv", format="commerce")
    assert (tmp_path / "out.csv").read_bytes().decode() == exported()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out.csv", "products.csv"]
    call_command("export_products", tmp_path / "out.csv", format="shopify", store="main")
    assert (tmp_path / "out.csv").read_bytes().decode() == exported("shopify")


def environment(folder: Path) -> dict[str, str]:
    """For commands of their own process, on a database of their own."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "tests.integrations.subprocess_settings",
        "IMPORT_TEST_FOLDER": str(folder),
        "TEST_DATABASE": "sqlite",
        "PYTHONPATH": str(ROOT),
    }


SHOP = """
from django.core.management import call_command
import django
django.setup()
call_command("migrate", verbosity=0)
from apps.stores.models import Store
from apps.inventory.models import Location
Store.objects.create(code="main", name="Main", is_default=True, order_prefix="W-")
Location.objects.create(code="wh", name="Warehouse")
"""


@pytest.fixture(scope="module")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shop")
    subprocess.run(
        [sys.executable, "-c", SHOP], env=environment(folder), check=True, timeout=120, cwd=ROOT
    )
    return folder / "db.sqlite3"


@pytest.fixture
def shell(tmp_path: Path, empty_database: Path) -> Callable[..., subprocess.Popen[str]]:
    """`shell("import_products", …)` starts manage.py on a database of its own."""
    shutil.copy(empty_database, tmp_path)

    def start(*arguments: object, **more: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-m", "django", *map(str, arguments)],
            env=environment(tmp_path) | more,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=ROOT,
        )

    return start


HEADER = (
    *("Handle", "Title", "Body (HTML)", "Vendor", "Tags", "Option1 Name", "Option1 Value"),
    *("Variant SKU", "Variant Inventory Tracker", "Variant Inventory Qty", "Variant Price"),
    "Image Src",
)


def write_catalogue(path: Path, products: int) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(HEADER)
        for n in range(products):
            body, image = "<p>Lorem ipsum dolor sit amet.</p>" * 10, f"https://e.com/{n}.png"
            head = [f"p-{n}", f"Product {n}", body, f"V{n % 9}", f"t{n % 7}", "Size", "S"]
            writer.writerow([*head, f"P-{n}-S", "shopify", n % 50, "9.90", image])
            rest = [f"p-{n}", "", "", "", "", "", "M"]
            writer.writerow([*rest, f"P-{n}-M", "shopify", n % 50, "19.90", ""])


def one(path: Path, query: str) -> object:
    with sqlite3.connect(path / "db.sqlite3", timeout=20) as db:
        return db.execute(query).fetchone()[0]


def test_killed_import_goes_on_when_it_is_run_again(shell, tmp_path):
    path = tmp_path / "products.csv"
    write_catalogue(path, 1500)
    command = ("import_products", path, "--format", "shopify")
    # Before its first batch is written.
    process = shell(*command, FAILPOINT="import.batch")
    process.communicate(timeout=60)
    assert process.returncode == 137
    assert one(tmp_path, "SELECT COUNT(*) FROM products_product") == 0
    # Somewhere in the middle.
    process = shell(*command)
    deadline = time.monotonic() + 60
    while not one(tmp_path, "SELECT MAX(offset) FROM integrations_importjob"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)
    done = one(tmp_path, "SELECT COUNT(*) FROM products_product")
    assert 0 < done < 1500
    # To its end.
    process = shell(*command)
    out, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert f"Going on behind {done} of 1500 products." in errors
    assert out.splitlines()[-1] == (
        "rows 3000, products 1500, variants 3000, images 1500,"
        " created 1500, updated 0, unchanged 0, refused 0"
    )
    assert one(tmp_path, "SELECT COUNT(*) FROM products_variant") == 3000
    assert one(tmp_path, "SELECT COUNT(*) FROM inventory_stockmovement") == 2940
    assert one(tmp_path, "SELECT COUNT(*) FROM integrations_importjob") == 1


def test_ctrl_c_stops_cleanly(shell, tmp_path):
    path = tmp_path / "products.csv"
    write_catalogue(path, 12000)
    process = shell("import_products", path, "--format", "shopify")
    deadline = time.monotonic() + 60
    while not one(tmp_path, "SELECT MAX(offset) FROM integrations_importjob"):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _out, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Run the same command again to go on." in errors
    assert "Traceback" not in errors
    assert one(tmp_path, "SELECT lease_until IS NULL FROM integrations_importjob") == 1


MEASURE = """
import resource, sys
from django.core.management import call_command
import django
django.setup()
for path in sys.argv[2:]:
    call_command("import_products", path, format="shopify", dry_run=sys.argv[1] == "dry")
    print("peak", resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""
# In the ordinary run a file has 30,000 rows; IMPORT_TEST_PRODUCTS=50000 makes it 100,000.
PRODUCTS = int(os.environ.get("IMPORT_TEST_PRODUCTS", "15000"))


@pytest.mark.parametrize(("mode", "products"), [("dry", PRODUCTS), ("real", PRODUCTS // 10)])
def test_memory_does_not_grow_with_the_file(mode, products, shell, tmp_path):
    """A large file after a small one of 400 rows: the peak stays where it was."""
    for name, number in (("small", 200), ("large", products)):
        write_catalogue(tmp_path / f"{name}.csv", number)
    paths = [str(tmp_path / "small.csv"), str(tmp_path / "large.csv")]
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, mode, *paths],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
        cwd=ROOT,
    )
    lines = done.stdout.splitlines()
    kilobytes = [int(line.split()[1]) for line in lines if line.startswith("peak")]
    assert f"rows {2 * products}, products {products}" in done.stdout
    assert kilobytes[1] - kilobytes[0] < 60_000
