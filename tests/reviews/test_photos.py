"""Photos: quarantine, scanner, a picture written anew; nobody ever sees an original."""

from __future__ import annotations

from datetime import timedelta
from io import BytesIO
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from PIL import Image

from apps.products.services.product import delete_product
from apps.reviews.models import Review, ReviewPhoto
from apps.reviews.services import (
    approve_review,
    change_review,
    delete_review,
    process_due,
    prune_uploads,
)
from tests.factories.reviews import ReviewFactory
from tests.products.pictures import SVG, picture, png_bomb
from tests.reviews.conftest import API, EICAR, URL

pytestmark = pytest.mark.usefixtures("rating_is_true")
UPLOADS = f"{API}/reviews/uploads/"
LATER = timedelta(minutes=3)


def photograph() -> bytes:
    """With the place where it was taken."""
    exif = Image.Exif()
    exif[0x010E] = "Taken at home"
    exif.get_ifd(0x8825)[1] = "N"
    return picture("JPEG", (800, 400), exif=exif)


@pytest.fixture
def sent(as_shopper, api):
    """`sent(data)`: the id of a photo that was sent as the form says."""

    def send(data: bytes, content_type: str = "image/jpeg") -> str:
        form = as_shopper.post(UPLOADS, {"content_type": content_type}).json()
        file = SimpleUploadedFile("photo.jpg", data, content_type)
        answer = api.post(
            urlsplit(form["url"]).path, {**form["fields"], "file": file}, format="multipart"
        )
        assert answer.status_code == 204, answer.content
        return form["id"]

    return send


def test_photo_is_scanned_written_anew_and_shown_with_its_review(written, sent, clamd, api):
    original = photograph()
    review = written(photos=[sent(original), sent(picture("PNG", (100, 100)))])
    approve_review(review=review)
    assert api.get(URL).json()["results"][0]["photos"] == []
    assert storages["private"].exists(review.photos.first().quarantine)

    assert process_due() == 2
    assert clamd.scanned[0] == len(original)
    wide, small = api.get(URL).json()["results"][0]["photos"]
    assert (wide["width"], wide["height"]) == (800, 400)
    assert [size["width"] for size in wide["renditions"]] == [160, 320, 640, 800]
    assert small["width"] == 100
    photo = review.photos.first()
    with default_storage.open(photo.renditions[-1]["path"]) as file, Image.open(file) as shown:
        assert shown.format == "WEBP"
        assert not shown.getexif()
    assert not storages["private"].exists(photo.quarantine)
    assert process_due() == 0


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (picture("JPEG", (50, 50)) + EICAR, "The virus scanner refused the file."),
        (SVG, "This isn't a picture in JPEG, PNG, WebP, GIF or AVIF."),
        (b"<html>", "This isn't a picture in JPEG, PNG, WebP, GIF or AVIF."),
        (png_bomb(60_000, 60_000), "The picture has too many pixels."),
    ],
)
def test_what_isnt_a_clean_picture_is_refused_and_gone(
    written, sent, clamd, as_shopper, data, error
):
    review = written(photos=[sent(data)])
    assert process_due() == 1
    photo = review.photos.get()
    assert (photo.status, photo.error, photo.renditions) == ("refused", error, [])
    assert not storages["private"].exists(photo.quarantine)
    mine = as_shopper.get(f"{API}/me/reviews/{review.public_id}/").json()
    assert [(upload["status"], upload["error"]) for upload in mine["uploads"]] == [
        ("refused", error)
    ]


def test_while_the_scanner_is_down_it_stays_in_quarantine(
    written, sent, clamd, settings, time_machine
):
    review = written(photos=[sent(photograph())])
    working, settings.CLAMD_URL = settings.CLAMD_URL, "unix:///nowhere/clamd.ctl"
    for attempt in range(5):
        time_machine.move_to(timezone.now() + LATER)
        assert process_due() == 1, attempt
    settings.CLAMD_URL, clamd.says = working, b"INSTREAM size limit exceeded. ERROR\0"
    time_machine.move_to(timezone.now() + LATER)
    assert process_due() == 1
    assert review.photos.get().status == "quarantined"
    clamd.says = None
    # Not before the attempt's time is over.
    assert process_due() == 0
    time_machine.move_to(timezone.now() + LATER)
    assert process_due() == 1
    assert review.photos.get().status == "ready"


def test_photo_that_kills_its_worker_is_given_up(written, sent, time_machine):
    review = written(photos=[sent(photograph())])
    review.photos.update(attempts=3)
    assert process_due() == 1
    assert review.photos.get().error == "The picture can't be processed."


def test_form_takes_one_photo_for_a_while_and_not_too_much(as_shopper, api, time_machine):
    form = as_shopper.post(UPLOADS, {"content_type": "image/png"}).json()
    other = as_shopper.post(UPLOADS, {"content_type": "image/png"}).json()
    path = urlsplit(form["url"]).path

    assert form["url"] == f"http://testserver{UPLOADS}{form['id']}/"

    def send(size=10, **fields):
        file = SimpleUploadedFile("a.png", b"x" * size, "image/png")
        body = {**form["fields"], **fields, "file": file}
        answer = api.post(path, body, format="multipart")
        return answer.json()["code"] if answer.content else answer.status_code

    assert send(token=other["fields"]["token"]) == "upload_refused"
    assert send(token="x") == "upload_refused"
    assert send(8 * 1024 * 1024 + 1) == "file_too_large"
    assert send(surprise=1) == "validation_error"
    assert (send(), send()) == (204, 204)
    time_machine.move_to(timezone.now() + timedelta(minutes=16))
    assert send() == "upload_refused"


def test_type_must_be_a_pictures_and_uploads_are_limited(as_shopper):
    assert as_shopper.post(UPLOADS, {"content_type": "image/svg+xml"}).status_code == 400
    codes = [as_shopper.post(UPLOADS, {"content_type": "image/png"}).status_code for _ in range(31)]
    assert codes == [201] * 30 + [429]


def test_photo_of_another_or_of_another_review_is_unknown(
    written, sent, as_stranger, stranger, mug, store
):
    from tests.factories.reviews import bought

    photo = sent(photograph())
    bought(stranger.customer, mug, store)
    answer = as_stranger.post(URL, {"rating": 1, "photos": [photo]})
    assert (answer.status_code, answer.json()["code"]) == (400, "unknown_photo")
    written(photos=[photo])
    assert Review.objects.count() == 1


def test_photos_go_with_the_change_that_leaves_them_out_and_with_the_review(
    written, sent, as_shopper, django_capture_on_commit_callbacks
):
    first, second = sent(photograph()), sent(photograph())
    review = written(photos=[first, second])
    process_due()
    gone = review.photos.get(public_id=first).renditions[0]["path"]
    url = f"{API}/me/reviews/{review.public_id}/"
    with django_capture_on_commit_callbacks(execute=True):
        assert as_shopper.patch(url, {"photos": [second]}).status_code == 200
    assert [str(photo.public_id) for photo in review.photos.all()] == [second]
    kept = review.photos.get().renditions[0]["path"]
    assert (default_storage.exists(gone), default_storage.exists(kept)) == (False, True)
    with django_capture_on_commit_callbacks(execute=True):
        delete_review(review=review)
    assert not default_storage.exists(kept)


def test_unused_uploads_are_deleted_after_a_day(
    written, sent, time_machine, django_capture_on_commit_callbacks
):
    written(photos=[sent(photograph())])
    unused = ReviewPhoto.objects.get(public_id=sent(photograph()))
    time_machine.move_to(timezone.now() + timedelta(days=1, minutes=1))
    with django_capture_on_commit_callbacks(execute=True):
        assert prune_uploads() == 1
    assert not storages["private"].exists(unused.quarantine)
    assert ReviewPhoto.objects.count() == 1


def test_without_a_scanner_nothing_is_scanned(written, sent):
    review = written(photos=[sent(photograph())])
    assert process_due() == 1
    assert review.photos.get().status == "ready"


def test_photo_needs_its_file(written, as_shopper):
    form = as_shopper.post(UPLOADS, {"content_type": "image/png"}).json()
    review = written(photos=[form["id"]])
    process_due()
    assert review.photos.get().error == "No file arrived."


def test_pictures_are_the_same_whoever_made_them():
    """The helper above does write EXIF, or the test of its absence couldn't fail."""
    with Image.open(BytesIO(photograph())) as image:
        assert image.getexif()[0x010E] == "Taken at home"
        assert 0x8825 in image.getexif()


def test_files_of_a_deleted_product_are_deleted(
    mug, store, shopper, sent, clamd, django_capture_on_commit_callbacks
):
    review = ReviewFactory(product=mug, store=store, customer=shopper.customer)
    first, second = UUID(sent(photograph())), UUID(sent(photograph()))
    change_review(review=review, photos=[first, second])
    assert process_due() == 2
    # A third one is still in quarantine.
    change_review(review=review, photos=[first, second, UUID(sent(photograph()))])
    waiting = review.photos.last()
    paths = [size["path"] for photo in review.photos.all() for size in photo.renditions]
    assert len(paths) == 8
    with django_capture_on_commit_callbacks(execute=True):
        assert delete_product(product=mug)
    assert not ReviewPhoto.objects.exists()
    assert [path for path in paths if default_storage.exists(path)] == []
    assert not storages["private"].exists(waiting.quarantine)
