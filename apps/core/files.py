"""Files that are answered to people who may have them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import IO

from django.http import FileResponse, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.http import content_disposition_header

CSV = "text/csv; charset=utf-8"
PDF = "application/pdf"


def private_file(
    body: bytes | IO[bytes] | Iterable[str], name: str, content_type: str, *, is_shown: bool = False
) -> HttpResponseBase:
    """A file with what isn't everybody's, which nobody in between keeps: saved under this name, or
    shown. Lines are streamed as they are made."""
    response: HttpResponseBase
    if isinstance(body, bytes):
        response = HttpResponse(body, content_type=content_type)
    elif hasattr(body, "read"):
        response = FileResponse(body, content_type=content_type)
    else:
        response = StreamingHttpResponse(body, content_type=content_type)
    response["Content-Disposition"] = content_disposition_header(not is_shown, name) or ""
    response["Cache-Control"] = "private, no-store"
    return response
