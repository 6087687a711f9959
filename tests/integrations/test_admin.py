"""Upload, preview, import, progress and error file, as the merchant sees them."""

from __future__ import annotations

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from apps.integrations.models import ImportJob
from apps.integrations.services import run_job
from apps.products.models import Product

TEXT = "Handle,Title,Variant Price\na,<b>A</b>,1\nb,B,free\n"
ADD = "/admin/integrations/importjob/add/"
LIST = "/admin/integrations/importjob/"


@pytest.fixture
def back_office(client, merchant):
    client.force_login(merchant)
    return client


def upload(client, shop, **fields):
    data = {"file": SimpleUploadedFile("my.csv", TEXT.encode()), "format": "shopify"}
    return client.post(ADD, {**data, "store": shop.pk, **fields})


def page(job: ImportJob) -> str:
    return reverse("admin:integrations_importjob_change", args=[job.pk])


def test_merchants_journey_from_upload_to_error_file(back_office, store, location):
    assert b'enctype="multipart/form-data"' in back_office.get(ADD).content
    response = upload(back_office, store)
    job = ImportJob.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(job))
    assert (job.dry_run, job.created_by.email) == (True, "merchant@example.com")

    waiting = back_office.get(page(job)).content.decode()
    assert '<meta http-equiv="refresh" content="3">' in waiting
    assert "Import now" not in waiting

    run_job(job=job)
    preview = back_office.get(page(job)).content.decode()
    assert "http-equiv" not in preview
    assert "&lt;b&gt;A&lt;/b&gt;" in preview
    assert "<b>A</b>" not in preview
    assert "Not a number: free" in preview
    assert "Import now" in preview
    assert Product.objects.count() == 0

    response = back_office.post(reverse("admin:integrations_importjob_run", args=[job.pk]))
    assert response["Location"] == page(job)
    job.refresh_from_db()
    run_job(job=job)
    done = back_office.get(page(job)).content.decode()
    assert "Download the refused rows" in done
    assert "Import now" not in done
    assert Product.objects.count() == 1
    refused = back_office.get(reverse("admin:integrations_importjob_refused", args=[job.pk]))
    assert b"".join(refused.streaming_content).splitlines()[1] == (
        b"3,Variant Price,Not a number: free,b,B,free"
    )
    assert b"my.csv" in back_office.get(LIST).content


def test_upload_without_a_file_or_with_a_bad_choice_is_told(back_office, store):
    for fields in ({"file": ""}, {"format": "magento"}, {"store": "0"}):
        response = upload(back_office, store, **fields)
        assert response.status_code == 200
        assert b"error" in response.content
    assert not ImportJob.objects.exists()


def test_import_that_runs_is_not_started_again(back_office, store, location):
    upload(back_office, store)
    job = ImportJob.objects.get()
    run = reverse("admin:integrations_importjob_run", args=[job.pk])
    back_office.post(run)
    assert b"is being worked on" in back_office.get(page(job)).content
    assert back_office.get(run).status_code == 403


def test_catalogue_is_downloaded_from_the_list(back_office, store, location, run):
    run("Handle,Title,Variant Price\na,A,1\n")
    link = reverse("admin:integrations_importjob_export", args=["commerce"])
    assert link in back_office.get(LIST).content.decode()
    response = back_office.get(link)
    assert b"".join(response.streaming_content).splitlines()[1].startswith(b"a,A,")
    assert (
        back_office.get(
            reverse("admin:integrations_importjob_export", args=["woocommerce"])
        ).status_code
        == 404
    )


def test_job_is_deleted_with_its_files(
    back_office, store, location, run, django_capture_on_commit_callbacks
):
    job = run(TEXT)
    name, storage = job.error_file.name, job.error_file.storage
    with django_capture_on_commit_callbacks(execute=True):
        back_office.post(f"{LIST}{job.pk}/delete/", {"post": "yes"})
    assert not ImportJob.objects.exists()
    assert not storage.exists(name)


def test_staff_without_the_permission_may_not(client, staff_without_permissions, run, store):
    job = run(TEXT)
    client.force_login(staff_without_permissions)
    refused = reverse("admin:integrations_importjob_refused", args=[job.pk])
    export = reverse("admin:integrations_importjob_export", args=["commerce"])
    paths = [LIST, ADD, page(job), refused, export]
    assert {client.get(path).status_code for path in paths} == {403}
    assert upload(client, store).status_code == 403
    run_url = reverse("admin:integrations_importjob_run", args=[job.pk])
    assert client.post(run_url).status_code == 403


def test_readonly_staff_sees_but_starts_nothing(client, readonly_staff, run, store):
    job = run(TEXT, dry_run=True)
    client.force_login(readonly_staff)
    shown = client.get(page(job))
    assert (shown.status_code, b"Import now" in shown.content) == (200, False)
    assert upload(client, store).status_code == 403


def test_list_takes_few_statements(back_office, store, run, django_assert_max_num_queries):
    for number in range(8):
        run(f"Handle,Title\nh{number},T\n")
    with django_assert_max_num_queries(15):
        assert back_office.get(LIST).status_code == 200
