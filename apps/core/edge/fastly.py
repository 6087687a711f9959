"""Fastly: https://www.fastly.com/documentation/reference/api/purging/"""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from apps.core import http
from apps.core.edge.base import EdgeCache, in_parts
from apps.core.remote import RemoteError

# As many as one call takes.
KEYS_AT_ONCE = 256


class Fastly(EdgeCache):
    """It reads `Surrogate-Key`, and takes it away before the answer leaves."""

    needs = ("FASTLY_SERVICE_ID", "FASTLY_TOKEN")

    def purge(self, keys: Sequence[str]) -> None:
        url = f"{settings.FASTLY_API_BASE}/service/{settings.FASTLY_SERVICE_ID}/purge"
        for some in in_parts(keys, KEYS_AT_ONCE):
            headers = {
                "Fastly-Key": settings.FASTLY_TOKEN,
                "Surrogate-Key": " ".join(some),
                "Accept": "application/json",
            }
            answer = http.post(url, b"", max_bytes=256 * 1024, headers=headers)
            if answer.status != 200:
                raise RemoteError(
                    f"Fastly answered {answer.status}.",
                    permanent=answer.status in (400, 401, 403, 404),
                )
