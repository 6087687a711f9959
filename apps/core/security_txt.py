"""Whom to tell of a hole: `/.well-known/security.txt` (RFC 9116)."""

from __future__ import annotations

from datetime import timedelta

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.utils import timezone

# The RFC asks for less than a year; whoever reads it is told the same again tomorrow.
GOOD_FOR = timedelta(days=30)


def security_txt(request: HttpRequest) -> HttpResponse:
    """The address of `SECURITY_CONTACT`; nothing where none is set."""
    if not settings.SECURITY_CONTACT:
        raise Http404
    expires = (timezone.now() + GOOD_FOR).strftime("%Y-%m-%dT%H:%M:%SZ")
    languages = ", ".join(code for code, _name in settings.LANGUAGES)
    body = (
        f"Contact: {settings.SECURITY_CONTACT}\n"
        f"Expires: {expires}\n"
        f"Preferred-Languages: {languages}\n"
        f"Canonical: {settings.SITE_URL}/.well-known/security.txt\n"
    )
    return HttpResponse(body, content_type="text/plain; charset=utf-8")
