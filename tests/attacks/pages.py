"""Every page for people, as the resolver has it, at the address of something that is there."""

from __future__ import annotations

import re
from typing import Any

from django.test import Client

from apps.payments.models import PayLink
from tests.contract.shop import Furnished
from tests.permissions.operations import NOWHERE, routes

_PLACE = re.compile(r"<(?:\w+:)?(\w+)>")


def addresses(furnished: Furnished) -> dict[str, str]:
    """Route → address, of everything but the API; Ana's where it is somebody's."""
    found = {}
    for route, _pattern in routes():
        if not route.startswith("api/v1/"):
            values = _values(route, furnished)
            path = _PLACE.sub(lambda match, values=values: str(values.get(match[1], 0)), route)
            found[route] = f"/{path}"
    return found


def _values(route: str, furnished: Furnished) -> dict[str, Any]:
    hits, first = furnished.hits, route.split("/")[0]
    tokens = {
        "pay": PayLink.objects.values_list("token", flat=True).first(),
        "alerts": hits["/alerts/{token}/"]["token"],
        "wishlists": hits["/wishlists/{token}/"]["token"],
        "password": "c0ffee-0",
        "verify": "c0ffee-0",
    }
    return {
        **hits["/orders/{number}/"],
        **hits["/me/wishlists/{wishlist_id}/"],
        "slug": hits.get(f"/{first}/{{slug}}/", {}).get("slug", "nothing"),
        "section": "products-1",
        "review_id": hits["/reviews/{id}/"]["id"],
        "list_id": hits["/me/wishlists/{wishlist_id}/"]["wishlist_id"],
        "line_id": hits["/carts/{cart_id}/"]["line_id"],
        "method_id": hits["/me/payment-methods/{id}/"]["id"],
        "passkey_id": hits["/auth/passkeys/{id}/"]["id"],
        "account_id": hits["/auth/social/accounts/{id}/"]["id"],
        "key_id": hits["/admin/api-keys/{id}/"]["id"],
        "endpoint_id": hits["/admin/webhook-endpoints/{id}/"]["id"],
        "uid": NOWHERE,
        "public_id": NOWHERE,
        "token": tokens.get(first, "nothing"),
    }


def browser(user: Any = None, **extra: Any) -> Client:
    client = Client(headers={"accept": "text/html"}, raise_request_exception=False, **extra)
    if user is not None:
        client.force_login(user)
    return client
