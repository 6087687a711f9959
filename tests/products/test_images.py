from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from io import BytesIO

import pytest
from django.core.files.storage import default_storage
from django.utils import timezone
from PIL import Image

from apps.core.models import OutboxMessage
from apps.core.pictures import InvalidImage, encode_renditions
from apps.products.models import ProductImage
from apps.products.services.images import (
    InvalidSource,
    add_image,
    add_image_from,
    delete_image,
    fetch_pending,
    process_image,
)
from apps.products.tasks import fetch_pending_images
from tests.factories.products import ProductFactory
from tests.products.pictures import HTML, SVG, picture, png_bomb

PAGES = {
    "/good.jpg": (200, "image/jpeg", picture()),
    # What counts is what it is, not what it is called.
    "/mislabelled.html": (200, "text/html", picture("PNG")),
    "/drawing.svg": (200, "image/svg+xml", SVG),
    "/page.jpg": (200, "image/jpeg", HTML),
    "/bomb.png": (200, "image/png", png_bomb(50_000, 50_000)),
    "/truncated.jpg": (200, "image/jpeg", picture()[:3000]),
    "/empty.jpg": (200, "image/jpeg", b""),
    "/huge.jpg": (200, "image/jpeg", b"\xff" * 5000),
    "/moved.jpg": (302, "text/plain", b""),
}


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]
        status, kind, body = PAGES.get(self.path, (404, "text/plain", b"no"))
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Location", "/good.jpg")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def picture_server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.asked = []  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()


@pytest.fixture
def pages(picture_server: ThreadingHTTPServer) -> str:
    """The address of a server with good and bad pictures."""
    picture_server.asked.clear()  # type: ignore[attr-defined]
    return f"http://127.0.0.1:{picture_server.server_address[1]}"


def _sizes(image):
    return [(r["width"], r["height"]) for r in image.renditions]


def test_fetched_picture_is_encoded_anew_in_four_widths(db, pages):
    image = add_image_from(product=ProductFactory(), source_url=f"{pages}/good.jpg", alt="Good")
    assert image.status == "pending"
    assert fetch_pending_images() == 1
    image.refresh_from_db()
    assert (image.status, image.error, image.alt) == ("ready", "", "Good")
    assert (image.width, image.height) == (1280, 640)
    assert _sizes(image) == [(160, 80), (320, 160), (640, 320), (1280, 640)]
    assert image.file.name == image.renditions[-1]["path"]
    for rendition in image.renditions:
        with default_storage.open(rendition["path"]) as file, Image.open(file) as picture:
            assert (picture.format, picture.size) == (
                "WEBP",
                (rendition["width"], rendition["height"]),
            )


def test_mislabelled_picture_is_still_a_picture(db, pages):
    image = add_image_from(product=ProductFactory(), source_url=f"{pages}/mislabelled.html")
    assert process_image(image=image).status == "ready"


@pytest.mark.parametrize(
    "path", ["/drawing.svg", "/page.jpg", "/bomb.png", "/truncated.jpg", "/empty.jpg"]
)
def test_what_is_no_picture_fails_at_once(db, pages, path):
    image = add_image_from(product=ProductFactory(), source_url=f"{pages}{path}")
    fetch_pending()
    image.refresh_from_db()
    assert (image.status, image.renditions, bool(image.error)) == ("failed", [], True)
    assert fetch_pending() == 0


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/missing.jpg", "The server answered 404."),
        ("/moved.jpg", "The server answered 302."),
        ("/huge.jpg", "The answer is larger than 4000 bytes."),
    ],
)
def test_unreachable_picture_is_tried_three_times(
    db, pages, picture_server, settings, time_machine, path, reason
):
    settings.IMAGE_MAX_BYTES = 4000
    product = ProductFactory()
    image = add_image_from(product=product, source_url=f"{pages}{path}")
    now, states = timezone.now(), []
    for minutes in (0, 1, 3, 4, 8, 60):
        time_machine.move_to(now + timedelta(minutes=minutes))
        tried = fetch_pending()
        image.refresh_from_db()
        states.append((tried, image.status))
    assert states == [
        (1, "pending"),
        (0, "pending"),
        (1, "pending"),
        (0, "pending"),
        (1, "failed"),
        (0, "failed"),
    ]
    assert image.error == reason
    assert picture_server.asked == [path] * 3
    product.refresh_from_db()
    assert product.status == "active"


def test_address_of_a_dead_server_fails_with_its_reason(db, time_machine):
    image = add_image_from(product=ProductFactory(), source_url="http://127.0.0.1:1/x.jpg")
    fetch_pending()
    image.refresh_from_db()
    assert (image.status, image.attempts) == ("pending", 1)
    assert "ConnectionError" in image.error


def test_private_address_is_not_asked(db, pages, picture_server, settings):
    settings.HTTP_ALLOW_PRIVATE_ADDRESSES = False
    image = add_image_from(product=ProductFactory(), source_url=f"{pages}/good.jpg")
    fetch_pending()
    image.refresh_from_db()
    assert (image.status, picture_server.asked) == ("pending", [])
    assert image.error != ""


def test_two_workers_fetch_an_image_once(db, pages, picture_server):
    product = ProductFactory()
    image = add_image_from(product=product, source_url=f"{pages}/good.jpg")
    mine, theirs = ProductImage.objects.get(), ProductImage.objects.get()
    process_image(image=mine)
    process_image(image=theirs)
    assert (mine.status, theirs.status) == ("ready", "pending")
    image.refresh_from_db()
    assert (image.status, image.attempts, picture_server.asked) == ("ready", 1, ["/good.jpg"])


def test_attempt_that_died_is_taken_over_and_given_up_at_last(db, pages, time_machine):
    image = add_image_from(product=ProductFactory(), source_url=f"{pages}/good.jpg")
    now = timezone.now()
    ProductImage.objects.update(attempts=3, updated_at=now)
    time_machine.move_to(now + timedelta(hours=1))
    assert fetch_pending() == 1
    image.refresh_from_db()
    assert (image.status, image.error) == ("failed", "The picture can't be processed.")


def test_product_is_announced_once_for_all_its_images(db, pages):
    products = [ProductFactory(), ProductFactory()]
    for product in products:
        for name in ("good.jpg", "drawing.svg", "mislabelled.html"):
            add_image_from(product=product, source_url=f"{pages}/{name}")
    OutboxMessage.objects.all().delete()
    assert fetch_pending() == 6
    announced = OutboxMessage.objects.filter(receiver="apps.storefront.receivers.relist_products")
    assert [row.payload for row in announced.order_by("pk")] == [
        {"product_id": str(product.public_id)} for product in products
    ]


@pytest.mark.parametrize("url", ["ftp://x/a.jpg", "file:///etc/passwd", "javascript:x", ""])
def test_other_addresses_are_refused(db, url):
    with pytest.raises(InvalidSource):
        add_image_from(product=ProductFactory(), source_url=url)


def test_upload_is_ready_at_once_and_never_stored_as_it_came(db):
    product = ProductFactory()
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    data = picture(size=(400, 200), exif=exif)
    image = add_image(product=product, upload=BytesIO(data), alt="Mine")
    assert (image.status, _sizes(image)) == ("ready", [(160, 80), (320, 160), (400, 200)])
    for rendition in image.renditions:
        with default_storage.open(rendition["path"]) as file:
            assert b"secret place" not in file.read()


@pytest.mark.parametrize("data", [SVG, HTML, b"", png_bomb(50_000, 50_000)], ids=range(4))
def test_upload_of_something_else_is_refused(db, data):
    with pytest.raises(InvalidImage):
        add_image(product=ProductFactory(), upload=BytesIO(data))
    assert ProductImage.objects.count() == 0


def test_upload_that_is_too_large_is_refused(db, settings):
    settings.IMAGE_MAX_BYTES = 100
    with pytest.raises(InvalidImage):
        add_image(product=ProductFactory(), upload=BytesIO(picture()))


def test_deleted_image_takes_its_files_with_it(db, django_capture_on_commit_callbacks):
    image = add_image(product=ProductFactory(), upload=BytesIO(picture()))
    paths = [rendition["path"] for rendition in image.renditions]
    with django_capture_on_commit_callbacks(execute=True):
        delete_image(image=image)
    assert [default_storage.exists(path) for path in paths] == [False] * 4


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "AVIF"])
def test_every_accepted_format_is_read(kind):
    assert [e.width for e in encode_renditions(picture(kind, (200, 100)))] == [160, 200]


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM"])
def test_other_formats_are_refused(kind):
    with pytest.raises(InvalidImage):
        encode_renditions(picture(kind, (64, 64)))


@pytest.mark.parametrize("mode", ["RGB", "L", "P", "1", "RGBA", "LA"])
def test_every_mode_is_read(mode):
    (encoded,) = encode_renditions(picture("PNG", (100, 50), mode))
    with Image.open(BytesIO(encoded.body)) as image:
        left, right = (
            image.convert("RGB").getpixel((10, 25)),
            image.convert("RGB").getpixel((90, 25)),
        )
    assert left != right


def test_cmyk_photo_is_read():
    (encoded,) = encode_renditions(picture("JPEG", (100, 50), "CMYK"))
    assert (encoded.width, encoded.height) == (100, 50)


def test_photo_is_turned_upright():
    exif = Image.Exif()
    # The camera was held so that the picture must be turned by 90° clockwise.
    exif[0x0112] = 6
    encoded = encode_renditions(picture(size=(2000, 1000), exif=exif))[-1]
    assert (encoded.width, encoded.height) == (1000, 2000)
    with Image.open(BytesIO(encoded.body)) as image:
        top, bottom = image.getpixel((500, 100)), image.getpixel((500, 1900))
        assert image.getexif() == {}
    assert (top[0] > 200, bottom[2] > 200) == (True, True)


def test_transparency_is_kept():
    out = BytesIO()
    Image.new("RGBA", (50, 50), (255, 0, 0, 0)).save(out, "PNG")
    (encoded,) = encode_renditions(out.getvalue())
    with Image.open(BytesIO(encoded.body)) as image:
        assert image.convert("RGBA").getpixel((5, 5))[3] == 0


@pytest.mark.parametrize("size", [(1, 40_000), (40_000, 1), (1, 1)])
def test_extreme_shapes_are_encoded(size):
    for encoded in encode_renditions(picture("PNG", size)):
        assert 1 <= encoded.height <= max(4 * encoded.width, 1)


@pytest.mark.parametrize(("kind", "limit"), [("JPEG", 10_000), ("PNG", 40_000), ("WEBP", 40_000)])
def test_pixels_are_limited_by_the_setting(settings, kind, limit):
    settings.IMAGE_MAX_PIXELS = limit - 1
    with pytest.raises(InvalidImage):
        encode_renditions(picture(kind, (100, 100)))
    settings.IMAGE_MAX_PIXELS = limit
    assert len(encode_renditions(picture(kind, (100, 100)))) == 1
