"""Cloudflare: https://developers.cloudflare.com/cache/how-to/purge-cache/purge-by-tags/"""

from __future__ import annotations

import json
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpResponse

from apps.core import http
from apps.core.edge.base import EdgeCache, in_parts
from apps.core.remote import RemoteError

# As many as one call takes, on every plan.
TAGS_AT_ONCE = 100


class Cloudflare(EdgeCache):
    """Its keys are tags, separated by commas, which it takes away before the answer leaves."""

    needs = ("CLOUDFLARE_ZONE_ID", "CLOUDFLARE_TOKEN")

    def purge(self, keys: Sequence[str]) -> None:
        url = f"{settings.CLOUDFLARE_API_BASE}/zones/{settings.CLOUDFLARE_ZONE_ID}/purge_cache"
        headers = {
            "Authorization": f"Bearer {settings.CLOUDFLARE_TOKEN}",
            "Content-Type": "application/json",
        }
        for some in in_parts(keys, TAGS_AT_ONCE):
            body = json.dumps({"tags": some}).encode()
            answer = http.post(url, body, max_bytes=256 * 1024, headers=headers)
            if not _succeeded(answer):
                raise RemoteError(
                    f"Cloudflare answered {answer.status}.",
                    permanent=answer.status in (400, 401, 403, 404),
                )

    def label(self, response: HttpResponse, keys: str) -> None:
        response["Cache-Tag"] = keys.replace(" ", ",")


def _succeeded(answer: http.Fetched) -> bool:
    try:
        return answer.status == 200 and json.loads(answer.body)["success"] is True
    except (ValueError, KeyError, TypeError):
        return False
