"""Rotating SECRET_KEY: what was signed by the key of before is good until it is taken away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from rest_framework.test import APIClient

from apps.accounts.models import User
from apps.accounts.services.recovery import (
    DeadLink,
    password_reset_url,
    reset_password,
    verification_url,
    verify_email,
)
from apps.accounts.services.tokens import InvalidToken, open_session, refresh_session
from apps.products.models import Variant
from tests.flows.conftest import Shop, shop

__all__ = ["shop"]
Rotate = Callable[..., None]


@pytest.fixture
def rotate(settings: Any) -> Rotate:
    """Another key from now on; the one of before is kept, or lost."""

    def rotated(*, kept: bool) -> None:
        settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY] if kept else []
        settings.SECRET_KEY = "another-key-" + "y" * 50

    return rotated


def _parts(url: str) -> tuple[Any, str]:
    uid, token = urlsplit(url).path.strip("/").split("/")[-2:]
    return uid, token


@pytest.mark.parametrize("kept", [True, False])
def test_tokens_of_the_api(shopper: User, rotate: Rotate, kept: bool) -> None:
    session = open_session(user=shopper)
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {session.access}")
    rotate(kept=kept)
    assert client.get("/api/v1/me/").status_code == (200 if kept else 401)
    if kept:
        assert refresh_session(refresh=session.refresh).user == shopper
    else:
        with pytest.raises(InvalidToken):
            refresh_session(refresh=session.refresh)


@pytest.mark.parametrize("kept", [True, False])
def test_mailed_links(shopper: User, rotate: Rotate, kept: bool) -> None:
    verification = _parts(verification_url(shopper))
    reset = _parts(password_reset_url(shopper))
    rotate(kept=kept)
    if kept:
        assert verify_email(uid=verification[0], token=verification[1]) == shopper
        reset_password(uid=reset[0], token=reset[1], password="Another-good-one-7")
        return
    with pytest.raises(DeadLink):
        verify_email(uid=verification[0], token=verification[1])
    with pytest.raises(DeadLink):
        reset_password(uid=reset[0], token=reset[1], password="Another-good-one-7")


@pytest.mark.parametrize("kept", [True, False])
def test_browsers(shopper: User, shop: Shop, rotate: Rotate, kept: bool) -> None:
    browser = Client(headers={"accept": "text/html"})
    browser.force_login(shopper)
    Variant.objects.filter(pk=shop.book.pk).update(requires_shipping=False)
    browser.post("/cart/lines/", {"sku": "BOOK", "quantity": 1})
    rotate(kept=kept)
    assert browser.get("/account/").status_code == (200 if kept else 302)
    assert ("BOOK" in browser.get("/cart/").content.decode().upper()) is kept
