"""Varnish with vmod xkey (docker/varnish/default.vcl): PURGE, a secret, the keys in a header."""

from __future__ import annotations

from collections.abc import Sequence

from django.conf import settings

from apps.core import http
from apps.core.edge.base import EdgeCache, in_parts
from apps.core.remote import RemoteError

# Varnish takes header lines of 8 kB (`http_req_hdr_len`), and a slug is at most 255 long.
KEYS_AT_ONCE = 25


class Varnish(EdgeCache):
    """Every one of `VARNISH_URLS` is told."""

    needs = ("VARNISH_URLS", "VARNISH_SECRET")

    def purge(self, keys: Sequence[str]) -> None:
        for some in in_parts(keys, KEYS_AT_ONCE):
            for url in settings.VARNISH_URLS:
                self._purge(url, " ".join(some))

    def _purge(self, url: str, keys: str) -> None:
        headers = {"X-Purge-Secret": settings.VARNISH_SECRET, "X-Purge-Keys": keys}
        answer = http.send("PURGE", url, max_bytes=64 * 1024, headers=headers, inside=True)
        if answer.status != 200:
            raise RemoteError(
                f"Varnish answered {answer.status}.", permanent=answer.status in (403, 405)
            )
