"""Tax rates from files: ours, the bundled ones and WooCommerce's."""

from __future__ import annotations

import csv
import io
import json
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from apps.taxes.engines.territories import EU
from apps.taxes.models import TaxClass, TaxRate
from apps.taxes.selectors import TaxQuestion, decide
from apps.taxes.services import BUNDLED, import_rates, read_rates
from tests.factories.stores import StoreFactory

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "tax_geo"
HEADER = (
    "country,region,postcode_from,postcode_to,level,applies,class,name,percent,valid_from,"
    "valid_to,source\n"
)
pytestmark = pytest.mark.django_db


def imported(text, **kwargs):
    refused = []
    done = import_rates(
        rows=read_rates(io.StringIO(text, newline="")), on_refusal=refused.append, **kwargs
    )
    counts = (done.created, done.updated, done.unchanged, done.refused)
    return counts, [(row.line, row.column) for row in refused]


def run(*args, **kwargs):
    out, err = io.StringIO(), io.StringIO()
    call_command("import_tax_rates", *args, stdout=out, stderr=err, **kwargs)
    return out.getvalue(), err.getvalue()


def test_a_file_is_imported_and_imported_again():
    text = (
        HEADER + "es,,,,,,standard,IVA,21,,,\n"
        "GB,,sw1a 1,,county,all,books-and-maps,VAT,5.5,2026-01-01,2026-12-31,gov.uk\n"
    )
    assert imported(text) == ((2, 0, 0, 0), [])
    assert imported(text) == ((0, 0, 2, 0), [])
    assert list(TaxClass.objects.order_by("code").values_list("code", "name")) == [
        ("books-and-maps", "Books and maps"),
        ("standard", "Standard"),
    ]
    rate = TaxRate.objects.get(country="GB")
    assert (rate.tax_class.code, rate.postcode_from, rate.level) == (
        "books-and-maps",
        "SW1A1",
        "county",
    )
    assert (rate.percent, rate.valid_from, rate.valid_to, rate.source) == (
        Decimal("5.5"),
        date(2026, 1, 1),
        date(2026, 12, 31),
        "gov.uk",
    )
    spain = TaxRate.objects.get(country="ES")
    assert (spain.level, spain.applies, spain.valid_from) == ("country", "all", None)


def test_the_same_rate_is_changed_and_another_day_is_another_rate():
    imported(HEADER + "ES,,,,,,standard,IVA,21,,,\n")
    first = TaxRate.objects.get()
    text = (
        HEADER + "ES,,,,,,standard,IVA,21,,2026-12-31,law\nES,,,,,,standard,IVA,22,2027-01-01,,\n"
    )
    assert imported(text) == ((1, 1, 0, 0), [])
    rates = TaxRate.objects.order_by("pk").values_list("pk", "percent", "valid_to", "source")
    assert rates[0] == (first.pk, Decimal(21), date(2026, 12, 31), "law")
    assert rates[1][1:] == (Decimal(22), None, "")


def test_bad_rows_are_refused_and_the_others_taken():
    text = HEADER + (
        "XX,,,,,,standard,A,1,,,\n"
        "ES,ES-GC,,,,,standard,A,1,,,\n"
        "ES,,9,5,,,standard,A,1,,,\n"
        "ES,,,,town,,standard,A,1,,,\n"
        "ES,,,,,some,standard,A,1,,,\n"
        "ES,,,,,,no class,A,1,,,\n"
        "ES,,,,,,standard,,1,,,\n"
        "ES,,,,,,standard,A,101,,,\n"
        "ES,,,,,,standard,A,-1,,,\n"
        "ES,,,,,,standard,A,NaN,,,\n"
        "ES,,,,,,standard,A,1,yesterday,,\n"
        "ES,,,,,,standard,A,1,2026-02-01,2026-01-01,\n"
        "ES,,,,,,standard,A\0,1,,,\n"
        "ES,,,,,,standard,\udcff,1,,,\n"
        "ES\n"
        f"ES,,,,,,standard,{'A' * 61},1,,,\n"
        "\n"
        "ES,,,,,,standard,good,1,,,\n"
        "ES,,,,,,standard,good,2,,,\n"
    )
    columns = (
        *("country", "region", "postcode_to", "level", "applies", "class", "name", "percent"),
        *("percent", "percent", "valid_from", "valid_to", "name", "name", "", "name"),
    )
    counts, refused = imported(text)
    assert counts == (1, 0, 0, 17)
    assert refused == [*enumerate(columns, start=2), (20, "")]
    assert TaxRate.objects.get().percent == 1
    assert list(TaxClass.objects.values_list("code", flat=True)) == ["standard"]


def test_a_row_that_csv_cant_read_is_refused():
    limit = csv.field_size_limit(1000)
    try:
        text = f'{HEADER}ES,,,,,,standard,"{"A" * 2000}",1,,,\nES,,,,,,standard,good,1,,,\n'
        assert imported(text) == ((1, 0, 0, 1), [(2, "")])
    finally:
        csv.field_size_limit(limit)


def test_a_dry_run_counts_and_writes_nothing():
    text = HEADER + "ES,,,,,,standard,IVA,21,,,\nES,,,,,,standard,IVA,101,,,\n"
    assert imported(text, dry_run=True)[0] == (1, 0, 0, 1)
    assert not TaxRate.objects.exists()
    assert not TaxClass.objects.exists()


def queries_of(rows, django_assert_num_queries):
    text = HEADER + "".join(
        f"US,CA,{code},,city,all,standard,City,{percent},,,\n" for code, percent in rows
    )
    with django_assert_num_queries(7):
        return imported(text)[0]


def test_queries_dont_depend_on_the_rows_of_a_batch(django_assert_num_queries):
    imported(HEADER + "US,CA,1,,city,all,standard,City,1,,,\n")
    few = [("1", 2), ("2", 2)]
    # SQLite takes 999 parameters at once, so more rows are several INSERTs there.
    many = [(str(n), 3) for n in range(1, 60)]
    assert queries_of(few, django_assert_num_queries) == (1, 1, 0, 0)
    assert queries_of(many, django_assert_num_queries) == (57, 2, 0, 0)


def test_what_an_interrupted_import_kept_is_unchanged_when_it_runs_again():
    rows = [f"US,CA,{n},,city,all,standard,City,1,,,\n" for n in range(1200)]

    def interrupt(total):
        if total == 1000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        imported(HEADER + "".join(rows), on_progress=interrupt)
    assert imported(HEADER + "".join(rows))[0] == (200, 0, 1000, 0)


WOOCOMMERCE = (
    "Country Code,State Code,ZIP/Postcode,City,Rate %,Tax Name,Priority,Compound,Shipping,Tax Class"
)


def test_the_rates_of_woocommerce_are_read():
    text = WOOCOMMERCE + (
        "\nGB,*,*,*,20.0000,VAT,1,0,1,\n"
        "GB,*,*,*,5.0000,VAT,1,0,1,reduced-rate\n"
        "US,CA,*,*,7.2500,CA,1,0,0,\n"
        "US,CA,90210; 902*;90001...90899,*,1.0000,LA,2,0,0,Tax Free\n"
        "US,CA,9*1,*,1,LA,2,0,0,\n"
        "US,CA,*,LOS ANGELES,1,LA,2,0,0,\n"
        "US,CA,*,*,1,LA,2,1,0,\n"
        "US,CA,*,*,1,LA,9,0,0,\n"
    )
    counts, refused = imported(text)
    assert counts == (6, 0, 0, 4)
    assert refused == [(6, "ZIP/Postcode"), (7, "City"), (8, "Compound"), (9, "level")]
    fields = ("tax_class__code", "region", "postcode_from", "postcode_to", "level", "percent")
    assert list(TaxRate.objects.order_by("pk").values_list(*fields)) == [
        ("standard", "", "", "", "country", 20),
        ("reduced", "", "", "", "country", 5),
        ("standard", "CA", "", "", "state", Decimal("7.25")),
        ("tax-free", "CA", "90210", "", "county", 1),
        ("tax-free", "CA", "902", "", "county", 1),
        ("tax-free", "CA", "90001", "90899", "county", 1),
    ]


def test_the_sample_of_woocommerce_has_only_compound_rates():
    path = SHARED / "woocommerce_sample_tax_rates.csv"
    if not path.exists():
        pytest.skip("WooCommerce's sample isn't here")
    counts, refused = imported(path.read_text(encoding="utf-8"))
    assert counts == (0, 0, 0, 5)
    assert refused == [(line, "Compound") for line in range(2, 7)]
    plain = path.read_text(encoding="utf-8").replace(",1,1,1,", ",1,0,1,").replace(",2,1,", ",2,0,")
    assert imported(plain)[0] == (6, 0, 0, 0)


@pytest.mark.parametrize("name", sorted(BUNDLED))
def test_bundled_rates_are_imported_twice(name):
    with BUNDLED[name].open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert all(row["source"] for row in rows)
    assert run("--bundled", name) == (
        f"{len(rows)} created, 0 updated, 0 unchanged, 0 refused\n",
        "",
    )
    assert run(bundled=name)[0] == f"0 created, 0 updated, {len(rows)} unchanged, 0 refused\n"


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        ("eu_vat_rates_ibericode.json", {}),
        # It ended in 2025: Finland's 25.5 % (2024), Estonia's, Romania's and Slovakia's are newer.
        ("eu_vat_rates_jsonvat.json", {"FI": 24, "EE": 22, "RO": 19, "SK": 20}),
    ],
)
def test_standard_rates_of_the_union_are_those_of_others(file, changed):
    path = SHARED / file
    if not path.exists():
        pytest.skip("the other tables aren't here")
    data = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    periods = data.get("items") or {row["code"]: row["periods"] for row in data["rates"]}
    newest = {
        "GR" if country == "EL" else country: max(rows, key=lambda row: row["effective_from"])
        for country, rows in periods.items()
    }
    run(bundled="eu")
    rates = TaxRate.objects.filter(tax_class__code="standard", region="", postcode_from="")
    ours = dict(rates.values_list("country", "percent"))
    assert set(ours) == EU
    theirs = {country: newest[country]["rates"]["standard"] for country in EU & set(newest)}
    assert len(theirs) >= 25
    assert {c: rate for c, rate in theirs.items() if rate != ours[c]} == changed


def test_bundled_rates_of_one_place_add_up_as_its_law_says():
    for name in ("eu", "ca", "in"):
        run(bundled=name)

    def due(home, **address):
        question = TaxQuestion(StoreFactory(country=home), address, on=date(2026, 11, 21))
        return [(rate.name, rate.percent) for rate in decide(question).rates["standard"]]

    assert due("PT", country="PT") == [("IVA", 23)]
    assert due("PT", country="PT", region="30", postal_code="9000-082") == [("IVA", 22)]
    assert due("PT", country="PT", postal_code="9500-150") == [("IVA", 16)]
    assert due("AT", country="AT", postal_code="6992") == [("USt.", 19)]
    assert due("CA", country="CA", region="NS") == [("HST", 14)]
    quebec = [("GST", 5), ("QST", Decimal("9.975"))]
    assert due("CA", country="CA", region="QC") == quebec
    assert due("IN", country="IN", region="MH") == [("IGST", 18)]


def test_refused_rows_are_written_to_a_file(tmp_path):
    path, errors = tmp_path / "rates.csv", tmp_path / "errors.csv"
    path.write_bytes(
        b"\xef\xbb\xbf" + HEADER.encode() + b"ES,,,,,,standard,\xff,21,,,\n"
        b"ES,,,,,,standard,IVA,21,,,\n"
    )
    assert run(str(path), errors=errors) == ("1 created, 0 updated, 0 unchanged, 1 refused\n", "")
    reason = "The text has unreadable characters."
    assert errors.read_text(encoding="utf-8").splitlines() == [
        "line,column,reason",
        f"2,name,{reason}",
    ]
    assert run(str(path), "--dry-run") == (
        "0 created, 0 updated, 1 unchanged, 1 refused (dry run: nothing written)\n",
        f"line 2, name: {reason}\n",
    )


@pytest.mark.parametrize("text", ["", "country,name\n", HEADER.strip() + ",more\n"])
def test_a_file_with_other_columns_is_refused(tmp_path, text):
    path = tmp_path / "rates.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(CommandError, match="columns of tax rates"):
        run(str(path))
