"""ShipStation's webhooks: RSA-SHA256 over "timestamp.body", with a key of its public list.

https://docs.shipstation.com/apis/docs/guides/webhooks-validation
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from cryptography.exceptions import InvalidSignature as WrongSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256
from django.core.cache import cache

from apps.shipping.carriers.base import CarrierError, InvalidSignature

TOLERANCE = timedelta(minutes=5)
_KEY, _KEPT, _PACE = "shipstation:jwks", 3600, 60


def verify(
    headers: Mapping[str, str], body: bytes, *, now: datetime, fetch: Callable[[], Any]
) -> None:
    """Raises InvalidSignature unless ShipStation signed the body within the last five minutes."""
    stamp = headers.get("x-shipengine-timestamp", "")
    try:
        at = datetime.fromisoformat(stamp)
        signature = base64.b64decode(
            headers.get("x-shipengine-rsa-sha256-signature", ""), validate=True
        )
        late = abs(now - at) > TOLERANCE
    except (TypeError, ValueError, binascii.Error) as error:
        raise InvalidSignature("The signature's headers can't be read.") from error
    if late:
        raise InvalidSignature("The webhook is too old.")
    key = _key(headers.get("x-shipengine-rsa-sha256-key-id", ""), fetch)
    try:
        key.verify(signature, f"{stamp}.".encode() + body, PKCS1v15(), SHA256())
    except WrongSignature as error:
        raise InvalidSignature("Another key made this signature.") from error


def _key(key_id: str, fetch: Callable[[], Any]) -> Any:
    keys = cache.get(_KEY) or {}
    # A key that isn't known may be new; strangers' inventions don't make us ask all the time.
    if key_id not in keys and cache.add(f"{_KEY}:asked", 1, timeout=_PACE):
        try:
            keys = {key["kid"]: key for key in fetch()["keys"]}
        except (CarrierError, LookupError, TypeError) as error:
            raise InvalidSignature("ShipStation's keys can't be read.") from error
        cache.set(_KEY, keys, timeout=_KEPT)
    if key_id not in keys:
        raise InvalidSignature("ShipStation has no such key.")
    return RSAPublicNumbers(_number(keys[key_id]["e"]), _number(keys[key_id]["n"])).public_key()


def _number(text: str) -> int:
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")
