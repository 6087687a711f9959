"""Imports and exports by API."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.integrations.models import ImportJob
from apps.integrations.services import run_job
from apps.products.models import Product

URL = "/api/v1/admin/imports/"
TEXT = "Handle,Title,Variant Price\na,A,1\nb,B,free\n"


def upload(client, **fields):
    data = {"file": SimpleUploadedFile("my.csv", TEXT.encode()), "format": "shopify", **fields}
    return client.post(URL, data, format="multipart")


def body(response) -> str:
    return b"".join(response.streaming_content).decode()


def test_file_is_taken_and_imported_in_the_background(as_merchant, store, location, drain):
    response = upload(as_merchant, location="warehouse", update="true")
    assert response.status_code == 201
    created = response.json()
    assert (created["status"], created["file_name"], created["update"], created["location"]) == (
        *("queued", "my.csv", True, "warehouse"),
    )
    drain()
    job = as_merchant.get(f"{URL}{created['id']}/").json()
    assert job["status"] == "done"
    assert job["progress"] == {"done": 2, "total": 2, "percent": 100}
    assert job["counts"] == {
        "rows": 2,
        "products": 1,
        "variants": 1,
        "images": 0,
        "created": 1,
        "updated": 0,
        "unchanged": 0,
        "refused": 1,
    }
    assert job["preview"][0]["slug"] == "a"
    assert job["refusals"] == [
        {"line": 3, "column": "Variant Price", "reason": "Not a number: free"}
    ]
    errors = as_merchant.get(f"{URL}{created['id']}/errors/", headers={"Accept": "text/csv"})
    assert errors["Content-Disposition"] == 'attachment; filename="my-refused.csv"'
    assert body(errors).splitlines()[1] == "3,Variant Price,Not a number: free,b,B,free"


def test_dry_run_then_run(as_merchant, store, location, drain):
    job = upload(as_merchant, dry_run="true").json()
    drain()
    assert Product.objects.count() == 0
    run = f"{URL}{job['id']}/run/"
    first = as_merchant.post(run, headers={"Idempotency-Key": "k"})
    again = as_merchant.post(run, headers={"Idempotency-Key": "k"})
    assert (first.status_code, first.json()["status"], first.json()["dry_run"]) == (
        *(200, "queued", False),
    )
    assert again["Idempotent-Replayed"] == "true"
    assert as_merchant.post(run).json()["code"] == "import_busy"
    drain()
    assert Product.objects.count() == 1
    assert as_merchant.post(run).status_code == 409


def test_list_is_filtered_and_takes_three_statements(
    as_merchant, store, location, django_assert_max_num_queries
):
    for _number in range(5):
        upload(as_merchant)
    run_job(job=ImportJob.objects.first())
    with django_assert_max_num_queries(4):
        assert len(as_merchant.get(URL).json()["results"]) == 5
    assert len(as_merchant.get(URL, {"status": "done"}).json()["results"]) == 1
    assert as_merchant.get(URL, {"state": "done"}).status_code == 400


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"format": "magento"}, "format"),
        ({"store": "nowhere"}, "store"),
        ({"location": "nowhere"}, "location"),
        ({"location": "\x00"}, "location"),
        ({"update": "maybe"}, "update"),
        ({"hurry": "yes"}, "hurry"),
        ({"file": ""}, "file"),
    ],
)
def test_bad_input_is_refused(fields, field, as_merchant, store):
    response = upload(as_merchant, **fields)
    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == [field]
    assert not ImportJob.objects.exists()


def test_empty_file_is_told_by_the_job(as_merchant, store, drain):
    job = upload(as_merchant, file=SimpleUploadedFile("e.csv", b"")).json()
    drain()
    job = as_merchant.get(f"{URL}{job['id']}/").json()
    assert (job["status"], job["error"]) == ("failed", "The file is empty or has no header.")


def test_nobody_else_may(api, as_shopper, as_readonly, as_merchant, client_for, store, location):
    job = upload(as_merchant).json()
    paths = [URL, f"{URL}{job['id']}/", "/api/v1/admin/products/export/"]
    for client, status in ((api, 401), (as_shopper, 403)):
        assert {client.get(path).status_code for path in paths} == {status}
        assert upload(client).status_code == status
    assert as_readonly.get(URL).status_code == 200
    assert upload(as_readonly).status_code == 403
    assert as_readonly.post(f"{URL}{job['id']}/run/").status_code == 403


def test_errors_of_an_import_without_any_are_not_found(as_merchant, store, location):
    job = upload(as_merchant).json()
    response = as_merchant.get(f"{URL}{job['id']}/errors/", headers={"Accept": "text/csv"})
    assert response.status_code == 404
    assert response["Content-Type"] == "application/problem+json"
    assert response.json()["code"] == "not_found"


@pytest.mark.parametrize("accept", ["text/csv", "application/json", "*/*"])
def test_export_is_streamed_in_the_format_asked_for(accept, as_merchant, store, location, run):
    run("Handle,Title,Variant Price\na,A,1\n")
    headers = {"Accept": accept}
    whole = as_merchant.get("/api/v1/admin/products/export/", headers=headers)
    assert whole["Content-Type"] == "text/csv; charset=utf-8"
    assert whole.streaming
    assert body(whole).startswith("slug,name,description")
    shopify = as_merchant.get(
        "/api/v1/admin/products/export/", {"file_format": "shopify"}, headers=headers
    )
    assert body(shopify).splitlines()[1].startswith("a,A,")


def test_export_in_an_unknown_format_is_refused(as_merchant, store):
    for chosen in ("woocommerce", "xml"):
        response = as_merchant.get("/api/v1/admin/products/export/", {"file_format": chosen})
        assert (response.status_code, response.json()["code"]) == (400, "unknown_format")
