"""The signature of deliveries ("Verify webhook signatures")."""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Sequence


def headers(secrets: Sequence[str], body: bytes) -> dict[str, str]:
    """What a delivery carries beside its body."""
    return {
        "Stripe-Signature": signature(secrets, body, int(time.time())),
        "User-Agent": "Stripe/1.0 (simulator)",
    }


def signature(secrets: Sequence[str], body: bytes, stamp: int) -> str:
    """The `Stripe-Signature` header: one `v1` per secret, HMAC-SHA256 over `{t}.{body}`."""
    signed = str(stamp).encode() + b"." + body
    marks = [hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest() for secret in secrets]
    return ",".join([f"t={stamp}", *(f"v1={mark}" for mark in marks)])
