"""One middleware for what every request needs: its id, its actor, its log line, its figures."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import SimpleTemplateResponse
from django.urls import Resolver404, ResolverMatch, resolve, reverse
from django.utils.functional import SimpleLazyObject
from django.utils.http import urlencode

from apps.core import audit, metrics
from apps.core.context import Actor, acting, current_actor, set_actor
from apps.core.ids import uuid7
from apps.core.networks import is_within
from apps.core.scopes import limits_of

logger = logging.getLogger("commerce.request")
# The content policy of JSON, should a browser ever show it as a page.
NOTHING = "default-src 'none'; frame-ancestors 'none'"
# In the session of who has proved their second factor.
SECOND_FACTOR = "second_factor"
_WAYS_OUT = {f"/{settings.ADMIN_PATH}{page}/" for page in ("login", "logout")}
_SANE_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def client_ip(request: HttpRequest) -> str:
    """The caller's address, behind exactly `TRUSTED_PROXIES` proxies of ours.

    Without proxies, and from a peer that isn't one (`TRUSTED_PROXY_NETWORKS`), X-Forwarded-For is
    whatever the caller wrote, so it is ignored.
    """
    peer = request.META.get("REMOTE_ADDR", "")[:45]
    if settings.TRUSTED_PROXIES and _is_proxy(peer):
        hops = request.headers.get("X-Forwarded-For", "").split(",")
        if len(hops) >= settings.TRUSTED_PROXIES:
            return hops[-settings.TRUSTED_PROXIES].strip()[:45]
    return peer


def _is_proxy(peer: str) -> bool:
    # Behind a Unix socket a peer has no address.
    return not peer or is_within(peer, tuple(settings.TRUSTED_PROXY_NETWORKS))


def request_id_of(given: str) -> str:
    """The id of a request: the caller's, if it is sane."""
    return given if _SANE_ID.fullmatch(given) else str(uuid7())


class RequestMiddleware:
    """Gives each request an id (the caller's, if sane), logs it once, and counts it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request_id = request_id_of(request.headers.get("X-Request-Id", ""))
        started = time.perf_counter()
        agent = request.headers.get("User-Agent", "")[:200]
        actor = Actor("anonymous", ip=client_ip(request), request_id=request_id, agent=agent)
        with acting(actor):
            response = self.get_response(request)
            self._note(request, response, time.perf_counter() - started)
        response["X-Request-Id"] = request_id
        return response

    def _note(self, request: HttpRequest, response: HttpResponse, seconds: float) -> None:
        match = request.resolver_match
        route = match.route if match else "unknown"
        metrics.observe_request(request.method or "", route, response.status_code, seconds)
        logger.info(
            "request",
            extra={
                "method": request.method,
                "route": route,
                "status": response.status_code,
                "ms": round(seconds * 1000, 1),
                "user_id": current_actor().user_id,
            },
        )


class PublicReadsMiddleware:
    """Answers public reads (`public_bytes` views) itself: whatever stands after it, for sessions,
    forms, messages and pages, has nothing to do for bytes that are the same for everybody.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match = public_match(request.path_info) if request.method in ("GET", "HEAD") else None
        if match is None:
            return self.get_response(request)
        # Refuses a host that isn't ours, as CommonMiddleware does.
        request.get_host()
        request.resolver_match = match
        response: HttpResponse = match.func(request, *match.args, **match.kwargs)
        if isinstance(response, SimpleTemplateResponse):
            response = response.render()
        response["Content-Length"] = str(len(response.content))
        response["Content-Security-Policy"] = NOTHING
        return response


@lru_cache(maxsize=2048)
def public_match(path: str) -> ResolverMatch | None:
    """Where `path` leads, if its view gives the same bytes to everybody; else None."""
    if not path.startswith("/api/"):
        return None
    try:
        match = resolve(path)
    except Resolver404:
        return None
    return match if getattr(getattr(match.func, "cls", None), "public_bytes", False) else None


class SecondFactorMiddleware:
    """Who has a second factor and has proved only the password in this session is nobody yet.

    `pending_user` of the request is who they will be.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        signed_in = request.user
        request.user = SimpleLazyObject(lambda: self._proved(request, signed_in))  # type: ignore[assignment]
        return self.get_response(request)

    def _proved(self, request: HttpRequest, user: Any) -> Any:
        request.pending_user = None  # type: ignore[attr-defined]
        if not user.is_authenticated or not user.has_second_factor:
            return user
        if request.session.get(SECOND_FACTOR):
            return user
        request.pending_user = user  # type: ignore[attr-defined]
        return AnonymousUser()


class AdminMiddleware:
    """What holds in the back office only: its signed-in person, and its content policy.

    After the session has been read; the policy is written by the middleware of django-csp.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path.startswith(f"/{settings.ADMIN_PATH}"):
            return self.get_response(request)
        response = self._as_person(request)
        response._csp_replace = settings.ADMIN_CSP  # type: ignore[attr-defined]
        return response

    def _as_person(self, request: HttpRequest) -> HttpResponse:
        if (page := self._before(request)) and request.path not in _WAYS_OUT:
            query = urlencode({"next": request.get_full_path()})
            return redirect(f"{reverse(page)}?{query}")
        if not request.user.is_authenticated:
            return self.get_response(request)
        user: Any = request.user
        actor = replace(
            current_actor(),
            label=user.label,
            user_id=user.pk,
            is_staff=user.is_staff,
            limits=limits_of(user),
        )
        with acting(actor):
            return self.get_response(request)

    def _before(self, request: HttpRequest) -> str | None:
        """The page that comes before the back office opens."""
        user = request.user
        if not user.is_authenticated:
            return settings.SECOND_FACTOR_PAGES["code"] if request.pending_user else None  # type: ignore[attr-defined]
        if user.needs_second_factor and not user.has_second_factor:
            return settings.SECOND_FACTOR_PAGES["setup"]
        return None


class AuditMiddleware:
    """Every change by staff leaves an entry: what no service wrote is written by its address.

    Behind the middleware that knows who it is; an API's view tells the same request.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method in ("GET", "HEAD", "OPTIONS"):
            return self.get_response(request)
        with audit.listening() as written:
            response = self.get_response(request)
            impersonator = getattr(request, "impersonator", None)
            who: Any = impersonator or request.user
            if response.status_code < 400 and not written and who.is_staff:
                if impersonator is None:
                    set_actor(label=who.label, user_id=who.pk, is_staff=True)
                audit.record_request(request.method or "", _address(request))
        return response


def _address(request: HttpRequest) -> str:
    """Where a request went; without the token that opens something."""
    match = request.resolver_match
    return match.route if match and "token" in match.kwargs else request.path
