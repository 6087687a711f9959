"""Addresses that lead nowhere: a page for people, a problem document for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string

from apps.core.api import problems
from apps.core.errors import NotFound
from apps.shop.pages.base import Page


def _for_people(request: HttpRequest) -> bool:
    wanted = request.get_preferred_type([problems.CONTENT_TYPE, "text/html"])
    return wanted == "text/html" and not request.path.startswith("/api/")


class _Missing(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        raise NotFound()

    post = get


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    if _for_people(request):
        return _Missing.as_view()(request)
    return problems.not_found(request, exception)


def server_error(request: HttpRequest) -> HttpResponse:
    """Needs no database: it may be what is missing."""
    if _for_people(request):
        return HttpResponse(render_to_string("shop/broken.html"), status=500)
    return problems.server_error(request)
