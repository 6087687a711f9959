"""Customers in and out by files."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import call_command

from apps.customers.models import Address, Customer
from apps.integrations.models import ImportJob
from apps.integrations.services import ImportOptions, create_job, export_customers, run_job
from tests.backoffice.conftest import Staff, staff
from tests.factories.accounts import StaffFactory
from tests.factories.customers import AddressFactory, CustomerFactory, CustomerGroupFactory

__all__ = ["staff"]

pytestmark = pytest.mark.django_db
HEADER = "email,first_name,last_name,phone,language,group,tags,accepts_marketing,evidence,note"
ADDRESS = "address_line1,address_city,address_region,address_postal_code,address_country"
MADRID = "Calle Mayor 1,Madrid,M,28013,ES"


def _run(store, text: str, format: str = "customers", **options) -> ImportJob:
    upload = SimpleUploadedFile("people.csv", text.encode())
    chosen = ImportOptions(format=format, store=store, **options)
    return run_job(job=create_job(upload=upload, name="people.csv", options=chosen))


def _counts(job: ImportJob) -> dict[str, int]:
    return {name: count for name, count in job.counts.items() if count}


def test_customers_are_made_with_all_that_the_file_says(store):
    CustomerGroupFactory(code="vip")
    job = _run(
        store,
        f"{HEADER},{ADDRESS},address_is_default_shipping\n"
        f"ana@example.com,Ana,Díaz,+34 600 000 001,en,vip,"
        f'"Press, Late payer",true,Form of 2024-05-01,Rings twice,{MADRID},true\n'
        f"ana@example.com,,,,,,,,,,Calle Nueva 2,Madrid,M,28013,ES,true\n",
    )
    assert _counts(job) == {"rows": 2, "customers": 1, "created": 1}
    ana = Customer.objects.get()
    assert (ana.first_name, ana.phone, ana.language, ana.note) == (
        *("Ana", "+34600000001", "en"),
        "Rings twice",
    )
    assert (ana.user, ana.group.code, ana.accepts_marketing) == (None, "vip", True)
    assert [tag.name for tag in ana.tags.all()] == ["Late payer", "Press"]
    rows = ana.addresses.order_by("pk").values_list("line1", "last_name", "is_default_shipping")
    assert list(rows) == [("Calle Mayor 1", "Díaz", True), ("Calle Nueva 2", "Díaz", False)]
    told = ana.timeline.filter(kind="imported").values_list("message", flat=True)
    assert list(told) == ["Form of 2024-05-01"]


def test_accounts_are_found_and_keep_what_is_theirs(store, shopper):
    twin = CustomerFactory(user=None, email="shopper@example.com")
    shopper.set_password("correct horse battery")
    shopper.save()
    text = f"{HEADER}\nSHOPPER@example.com,New,,,,,,true,They said so,\n"
    assert _counts(_run(store, text)) == {"rows": 1, "customers": 1, "unchanged": 1}
    assert _counts(_run(store, text, update=True)) == {"rows": 1, "customers": 1, "updated": 1}
    customer = shopper.customer
    customer.refresh_from_db()
    shopper.refresh_from_db()
    assert (customer.email, customer.first_name, shopper.first_name) == (
        "shopper@example.com",
        "New",
        "New",
    )
    # Who is known here may have withdrawn it.
    assert not customer.accepts_marketing
    assert shopper.check_password("correct horse battery")
    twin.refresh_from_db()
    assert twin.first_name == "Pat"
    again = _run(store, text, update=True)
    assert _counts(again) == {"rows": 1, "customers": 1, "unchanged": 1}


def test_bad_cells_and_rows_never_stop_the_others(store):
    job = _run(
        store,
        f"{HEADER},{ADDRESS}\n"
        f"nobody,,,,,,,,,,,,,,\n"
        f"ana@example.com,Ana,Díaz,123,xx,none,,true,,,Calle Mayor 1,Madrid,M,99999,ES\n"
        f",Nameless,,,,,,,,,,,,,\n",
    )
    assert _counts(job)["created"] == 1
    ana = Customer.objects.get()
    assert (ana.first_name, ana.phone, ana.accepts_marketing) == ("Ana", "", False)
    assert not Address.objects.exists()
    columns = {row["line"]: row["column"] for row in job.refusals}
    assert columns[2] == "email"
    assert set(columns[3].split(", ")) == {
        "phone",
        "language",
        "group",
        "evidence",
        "address_postal_code",
    }


def test_consent_needs_evidence(store):
    text = "email,accepts_marketing,evidence\na@example.com,true,\nb@example.com,true,Fair 2025\n"
    job = _run(store, text)
    agreed = Customer.objects.filter(accepts_marketing=True).values_list("email", flat=True)
    assert list(agreed) == ["b@example.com"]
    assert [row["column"] for row in job.refusals] == ["evidence"]


def test_dry_run_tells_and_writes_nothing(store):
    CustomerFactory(user=None, email="bob@example.com", first_name="Bob")
    text = "email,first_name\nana@example.com,Ana\nbob@example.com,Rob\n"
    job = _run(store, text, update=True, dry_run=True)
    assert _counts(job) == {"rows": 2, "customers": 2, "created": 1, "updated": 1}
    told = [(row["action"], row["slug"], row["changes"]) for row in job.preview]
    assert told == [
        ("create", "ana@example.com", ["first_name"]),
        ("update", "bob@example.com", ["first_name"]),
    ]
    assert list(Customer.objects.values_list("first_name", flat=True)) == ["Bob"]


SHOPIFY = (
    "Customer ID,First Name,Last Name,Email,Accepts Email Marketing,Default Address Company,"
    "Default Address Address1,Default Address Address2,Default Address City,"
    "Default Address Province Code,Default Address Country Code,Default Address Zip,"
    "Default Address Phone,Phone,Accepts SMS Marketing,Total Spent,Total Orders,Note,Tax Exempt,"
    "Tags\n"
    "'7001,Ana,Díaz,ana@example.com,yes,,Calle Mayor 1,,Madrid,M,ES,'28013,,'+34600000001,no,"
    '120.00,3,Likes blue,no,"press, vip"\n'
)
WOOCOMMERCE = (
    "ID,user_login,user_email,first_name,last_name,billing_first_name,billing_last_name,"
    "billing_address_1,billing_city,billing_postcode,billing_country,billing_state,"
    "shipping_address_1,shipping_city,shipping_postcode,shipping_country,shipping_state\n"
    "5,ana,ana@example.com,Ana,Díaz,Ana,Díaz,Calle Mayor 1,Madrid,28013,ES,M,"
    "Calle Nueva 2,Madrid,28013,ES,M\n"
)


@pytest.mark.parametrize(
    ("format", "text", "addresses", "agreed"),
    [
        ("shopify-customers", SHOPIFY, ["Calle Mayor 1"], True),
        ("woocommerce-customers", WOOCOMMERCE, ["Calle Mayor 1", "Calle Nueva 2"], False),
    ],
)
def test_files_of_others_are_read(store, format, text, addresses, agreed):
    job = _run(store, text, format)
    assert (_counts(job), job.refusals) == ({"rows": 1, "customers": 1, "created": 1}, [])
    ana = Customer.objects.get()
    assert (ana.first_name, ana.last_name, ana.accepts_marketing) == ("Ana", "Díaz", agreed)
    assert [row.line1 for row in ana.addresses.order_by("pk")] == addresses
    assert {row.postal_code for row in ana.addresses.all()} == {"28013"}


def test_an_export_is_safe_to_open_and_imports_again(store):
    group = CustomerGroupFactory(code="vip")
    ana = CustomerFactory(
        user=None, email="ana@example.com", first_name="=1+1", group=group, accepts_marketing=True
    )
    AddressFactory(customer=ana, region="M", is_default_billing=True)
    AddressFactory(customer=ana, region="M", line1="Calle Nueva 2")
    CustomerFactory(user=None, email="bob@example.com")
    text = "".join(export_customers())
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [row["email"] for row in rows] == [ana.email, ana.email, "bob@example.com"]
    assert rows[0]["first_name"] == "'=1+1"
    Address.objects.all().delete()
    Customer.objects.all().delete()
    job = _run(store, text)
    assert (_counts(job), job.refusals) == ({"rows": 3, "customers": 2, "created": 2}, [])
    assert "".join(export_customers()) == text


def test_commands_import_and_export(store, tmp_path: Path, capsys):
    file = tmp_path / "people.csv"
    file.write_text("email,first_name\nana@example.com,Ana\n")
    call_command("import_customers", str(file), format="customers", dry_run=True)
    assert "would create ana@example.com: first_name" in capsys.readouterr().out
    call_command("import_customers", str(file), format="customers")
    assert capsys.readouterr().out.splitlines()[-1] == (
        "rows 1, customers 1, created 1, updated 0, unchanged 0, refused 0"
    )
    call_command("export_customers", str(tmp_path / "out.csv"))
    assert "ana@example.com" in (tmp_path / "out.csv").read_text()


def test_import_by_api_is_for_who_may_have_customers(as_merchant, client_for, store, drain):
    clerk = client_for(
        StaffFactory(permissions=["integrations.add_importjob", "integrations.view_importjob"])
    )
    url = "/api/v1/admin/imports/"

    def body() -> dict[str, object]:
        upload = SimpleUploadedFile("people.csv", b"email\nana@example.com\n")
        return {"file": upload, "format": "customers", "dry_run": True}

    assert clerk.post(url, body(), format="multipart").status_code == 403
    made = as_merchant.post(url, body(), format="multipart")
    assert made.status_code == 201
    run_job(job=ImportJob.objects.get())
    job = f"{url}{made.json()['id']}/"
    assert as_merchant.get(job).json()["counts"]["customers"] == 1
    for path in (job, f"{job}errors/"):
        assert clerk.get(path).status_code == 403
    assert clerk.post(f"{job}run/").status_code == 403
    answer = as_merchant.get("/api/v1/admin/customers/export/")
    assert b"".join(answer.streaming_content).startswith(b"email,first_name")


def test_import_by_the_back_office(staff: Staff, store):
    upload = SimpleUploadedFile("people.csv", b"email\nana@example.com\n")
    form = {"file": upload, "format": "customers", "store": store.pk}
    page = staff.post("/admin/integrations/importjob/add/", form)
    assert page.status_code == 302
    job = run_job(job=ImportJob.objects.get())
    assert "ana@example.com" in staff.get(page.url).text
    assert not Customer.objects.filter(email="ana@example.com").exists()
    assert job.dry_run
    export = staff.get("/admin/integrations/importjob/export/customers/")
    assert b"".join(export.streaming_content).startswith(b"email,")
