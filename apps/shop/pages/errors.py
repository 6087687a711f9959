"""Addresses that lead nowhere: a page for people, a problem document for programs."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from apps.core.api import problems
from apps.core.errors import NotFound
from apps.shop.pages.base import Page


class _Missing(Page):
    def get(self, request: HttpRequest) -> HttpResponse:
        raise NotFound()

    post = get


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponseBase:
    wanted = request.get_preferred_type([problems.CONTENT_TYPE, "text/html"])
    if wanted != "text/html" or request.path.startswith("/api/"):
        return problems.not_found(request, exception)
    return _Missing.as_view()(request)
