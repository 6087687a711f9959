"""ShipStation's API v1: orders that are shipped over there.

https://www.shipstation.com/docs/api/orders/create-update-multiple-orders/. An order that is sent
again under its key is changed, not added.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from typing import Any

from django.conf import settings

from apps.core import http
from apps.shipping.carriers.base import CarrierError

# Orders in one request, of which 40 may be made in a minute.
MOST = 100
_MAX_BYTES = 2**20


def send_orders(orders: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Add or change up to 100 orders; what was wrong, by order key. Raises CarrierError."""
    if not settings.SHIPSTATION_V1_KEY:
        raise CarrierError("SHIPSTATION_V1_KEY isn't set.", permanent=True)
    known = f"{settings.SHIPSTATION_V1_KEY}:{settings.SHIPSTATION_V1_SECRET}".encode()
    try:
        answer = http.send(
            "POST",
            f"{settings.SHIPSTATION_V1_BASE}/orders/createorders",
            max_bytes=_MAX_BYTES,
            headers={
                "Authorization": f"Basic {base64.b64encode(known).decode()}",
                "Content-Type": "application/json",
            },
            body=json.dumps(list(orders)).encode(),
            inside=True,
        )
        if not 200 <= answer.status < 300:
            permanent = 400 <= answer.status < 500 and answer.status != 429
            raise CarrierError(f"ShipStation answered {answer.status}.", permanent=permanent)
        results = json.loads(answer.body)["results"]
        return {
            str(row["orderKey"]): str(row.get("errorMessage") or "refused")
            for row in results
            if not row.get("success")
        }
    except http.FetchError as error:
        raise CarrierError(str(error), permanent=False) from error
    except (LookupError, TypeError, ValueError) as error:
        raise CarrierError("The answer can't be read.", permanent=False) from error
