"""Photos of returns: brought, scanned, seen by the customer and the staff only, and deleted."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage, storages
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone
from time_machine import travel

from apps.core.photos import TooManyPhotos
from apps.returns import services
from apps.returns.models import ReturnPhoto, ReturnRequest
from tests.backoffice.conftest import Staff, staff, viewer
from tests.products.pictures import SVG, picture
from tests.returns.conftest import buy, pay_and_send, wish
from tests.reviews.conftest import EICAR, clamd

__all__ = ["clamd", "staff", "viewer"]
pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("invariants")]


def damaged(order: Any, *files: bytes) -> ReturnRequest:
    """A claim with photos."""
    ids = services.take_photos(order=order, files=[ContentFile(data) for data in files])
    return services.request_return(
        order=order,
        kind=ReturnRequest.Kind.DAMAGED,
        wishes=[wish(order, "MUG", reason="defective")],
        photos=ids,
    )


def test_guest_sends_a_photo_and_sees_it_and_nobody_else_does(
    api, as_stranger, as_merchant, as_readonly, order, clamd
):
    url = f"/api/v1/orders/{order.number}/returns/"
    token = f"?token={order.token}"
    form = api.post(f"{url}photos/{token}", {"content_type": "image/jpeg"}).json()
    data = picture(size=(800, 400))
    file = SimpleUploadedFile("photo.jpg", data, "image/jpeg")
    sent = api.post(
        urlsplit(form["url"]).path, {**form["fields"], "file": file}, format="multipart"
    )
    assert sent.status_code == 204
    line = {
        "order_line": str(order.lines.get(sku="MUG").public_id),
        "quantity": 1,
        "reason": "defective",
    }
    body = {"kind": "damaged", "lines": [line], "photos": [form["id"]]}
    made = api.post(f"{url}{token}", body)
    assert [(p["id"], p["status"]) for p in made.json()["photos"]] == [(form["id"], "quarantined")]
    mine = f"{url}{made.json()['id']}/photos/{form['id']}/"
    assert api.get(f"{mine}{token}").status_code == 404

    assert services.process_photos() == 1
    assert clamd.scanned == [len(data)]
    shown = api.get(f"{mine}{token}")
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert shown["Cache-Control"] == "private, max-age=3600"
    for client in (api, as_stranger, as_merchant):
        assert client.get(mine).status_code == 404
    theirs = f"/api/v1/admin/returns/{made.json()['id']}/photos/{form['id']}/"
    assert as_merchant.get(theirs).content == shown.content
    assert as_readonly.get(theirs).status_code == 200
    assert as_stranger.get(theirs).status_code in (401, 403)
    # Not at any public address.
    path = ReturnPhoto.objects.get().renditions[-1]["path"]
    assert (default_storage.exists(path), storages["private"].exists(path)) == (False, True)


def test_photos_are_of_the_order_and_of_one_return(order, buyer):
    [known] = services.take_photos(order=order, files=[ContentFile(picture())])
    other = pay_and_send(buy(buyer, ("BOOK", 1)))
    wishes = [wish(order, "MUG")]
    with pytest.raises(services.UnknownPhoto):
        services.request_return(order=other, wishes=[wish(other, "BOOK")], photos=[known])
    services.request_return(order=order, wishes=wishes, photos=[known])
    with pytest.raises(services.UnknownPhoto):
        services.request_return(order=order, wishes=wishes, photos=[known])
    with pytest.raises(services.UnknownPhoto):
        services.request_return(order=order, wishes=wishes, photos=[known, known])
    many = [ContentFile(b"")] * 6
    with pytest.raises(TooManyPhotos):
        services.take_photos(order=order, files=many)


def test_what_is_no_picture_or_infected_is_refused(order, clamd):
    request = damaged(order, SVG, EICAR + picture("PNG", (10, 10)), picture("PNG", (10, 10)))
    services.process_photos()
    states = list(request.photos.values_list("status", flat=True))
    assert states == ["refused", "refused", "ready"]
    assert not any(storages["private"].exists(photo.quarantine) for photo in request.photos.all())


def test_staff_see_them_on_the_returns_page(staff: Staff, order):
    request = damaged(order, picture("PNG", (100, 50)))
    services.process_photos()
    photo = request.photos.get()
    address = f"/admin/returns/returnrequest/{request.pk}/photos/{photo.pk}/"
    assert address in staff.page(request)
    shown = staff.get(address)
    assert (shown.status_code, shown["Content-Type"]) == (200, "image/webp")
    assert staff.get(address.replace("/photos/", "/photos/9")).status_code == 404


def test_photos_go_when_the_return_is_long_over(
    order, shop, drain, django_capture_on_commit_callbacks
):
    request = damaged(order, picture("PNG", (100, 50)))
    services.take_photos(order=order, files=[ContentFile(picture("PNG", (10, 10)))])
    services.process_photos()
    path = request.photos.get().renditions[-1]["path"]
    with travel(timezone.now() + timedelta(days=2), tick=False):
        assert services.prune_photos() == 1
    services.decline_return(request=request, reason="Worn")
    with travel(timezone.now() + timedelta(days=179), tick=False):
        assert services.prune_photos() == 0
    with (
        travel(timezone.now() + timedelta(days=181), tick=False),
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert services.prune_photos() == 1
    assert not storages["private"].exists(path)


def test_a_withdrawal_takes_no_photos(api, order):
    [known] = services.take_photos(order=order, files=[ContentFile(picture())])
    line = {
        "order_line": str(order.lines.get(sku="MUG").public_id),
        "quantity": 1,
        "reason": "changed_mind",
    }
    url = f"/api/v1/orders/{order.number}/returns/?token={order.token}"
    body = {"kind": "withdrawal", "lines": [line], "photos": [str(known)]}
    assert api.post(url, body).status_code == 400
