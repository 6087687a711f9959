"""Signatures by the Standard Webhooks specification (standardwebhooks.com, version 1)."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterable

_PREFIX = "whsec_"
_BYTES = 32


def new_secret() -> str:
    """32 random bytes, as the specification writes them."""
    return _PREFIX + b64encode(secrets.token_bytes(_BYTES)).decode()


def signature(known: Iterable[str], *, message_id: str, timestamp: int, body: bytes) -> str:
    """The header `webhook-signature`: one signature for each secret that the receiver may know.

    What is signed is "id.timestamp.body"; the timestamp is that of the attempt, in Unix seconds.
    """
    signed = f"{message_id}.{timestamp}.".encode() + body
    made = []
    for secret in known:
        key = b64decode(secret.removeprefix(_PREFIX))
        made.append("v1," + b64encode(hmac.digest(key, signed, hashlib.sha256)).decode())
    return " ".join(made)
