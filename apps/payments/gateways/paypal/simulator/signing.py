"""How deliveries are signed, and `verify-webhook-signature`.

PayPal signs "id|time|webhook id|CRC-32 of the body" by RSA; who verifies asks PayPal, as we do. So
the mark here is an HMAC by a secret that only the simulator knows.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
import uuid
from collections.abc import Mapping, Sequence

from apps.payments.gateways.simulation.wire import JsonObject, Request

from .world import now

CERTIFICATE = (
    "https://api.sandbox.paypal.com/v1/notifications/certs/CERT-360caa42-fca2a594-1d93a270"
)
_MARKER = '"webhook_event": '


def headers(secrets: Sequence[str], body: bytes) -> Mapping[str, str]:
    """Of a delivery; the endpoint's secret and its webhook id."""
    secret, webhook_id = secrets
    transmission, stamp = str(uuid.uuid4()), now()
    return {
        "PAYPAL-AUTH-ALGO": "SHA256withRSA",
        "PAYPAL-CERT-URL": CERTIFICATE,
        "PAYPAL-TRANSMISSION-ID": transmission,
        "PAYPAL-TRANSMISSION-TIME": stamp,
        "PAYPAL-TRANSMISSION-SIG": _mark(secret, transmission, stamp, webhook_id, body),
        "User-Agent": "PayPal/AUHD-214.0 (simulator)",
    }


def verify(secret: str, content: JsonObject, request: Request) -> str:
    """SUCCESS, or FAILURE for anything that the simulator didn't send, byte for byte."""
    _before, found, event = request.body.partition(_MARKER)
    body = event.removesuffix("}").encode()
    mark = _mark(
        secret,
        str(content.get("transmission_id")),
        str(content.get("transmission_time")),
        str(content.get("webhook_id")),
        body,
    )
    genuine = bool(found) and hmac.compare_digest(mark, str(content.get("transmission_sig")))
    return "SUCCESS" if genuine else "FAILURE"


def _mark(secret: str, transmission: str, stamp: str, webhook_id: str, body: bytes) -> str:
    signed = f"{transmission}|{stamp}|{webhook_id}|{binascii.crc32(body)}".encode()
    return hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
