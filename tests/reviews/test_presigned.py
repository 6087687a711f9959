"""Photos by presigned POST: the browser sends them to the bucket, and the bucket is strict."""

from __future__ import annotations

from datetime import timedelta

import pytest
import requests
from django.utils import timezone

from apps.reviews.services import process_due
from tests.products.pictures import picture
from tests.reviews.bucket import BUCKET, SECRET, Bucket
from tests.reviews.conftest import API

UPLOADS = f"{API}/reviews/uploads/"


@pytest.fixture
def bucket(settings):
    running = Bucket()
    options = {
        "bucket_name": BUCKET,
        "endpoint_url": running.url,
        "access_key": "an-id",
        "secret_key": SECRET,
        "region_name": "eu-south-2",
        "location": "shop",
        "addressing_style": "path",
        "signature_version": "s3v4",
    }
    backend = "storages.backends.s3.S3Storage"
    settings.STORAGES = {
        **settings.STORAGES,
        "private": {"BACKEND": backend, "OPTIONS": options},
    }
    yield running
    running.stop()


def post(form, data: bytes, **fields) -> int:
    sent = requests.post(
        form["url"], data={**form["fields"], **fields}, files={"file": ("a.jpg", data)}, timeout=5
    )
    return sent.status_code


def test_photo_goes_to_the_bucket_and_from_there_into_the_shop(bucket, as_shopper, written):
    form = as_shopper.post(UPLOADS, {"content_type": "image/jpeg"}).json()
    assert (form["url"], form["method"]) == (f"{bucket.url}/{BUCKET}", "POST")
    assert post(form, picture("JPEG", (300, 200))) == 204
    assert list(bucket.objects) == [f"shop/reviews/quarantine/{form['id']}"]

    review = written(photos=[form["id"]])
    assert process_due() == 1
    photo = review.photos.get()
    assert (photo.status, [size["width"] for size in photo.renditions]) == ("ready", [160, 300])
    assert bucket.objects == {}


def test_bucket_refuses_what_the_form_doesnt_allow(bucket, as_shopper, time_machine):
    form = as_shopper.post(UPLOADS, {"content_type": "image/jpeg"}).json()
    assert post(form, b"x" * (8 * 1024 * 1024 + 1)) == 400
    assert post(form, b"") == 400
    assert post(form, b"x", **{"Content-Type": "text/html"}) == 403
    assert post(form, b"x", key="shop/products/other") == 403
    assert post(form, b"x", acl="public-read") == 403
    time_machine.move_to(timezone.now() + timedelta(minutes=16))
    assert post(form, b"x") == 403
    assert bucket.objects == {}
