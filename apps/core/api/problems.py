"""Errors as RFC 9457 problem documents."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError
from django.http import Http404, HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response
from rest_framework.views import set_rollback

from apps.core.api.renderers import dumps
from apps.core.api.throttling import policy_fields
from apps.core.context import current_actor
from apps.core.errors import DomainError

logger = logging.getLogger(__name__)
CONTENT_TYPE = "application/problem+json"


def problem(
    status: int,
    code: str,
    detail: str,
    errors: list[dict[str, str]] | None = None,
    **extra: Any,
) -> dict[str, Any]:
    """The problem document; `type` is stable per code and resolves in the documentation."""
    return {
        "type": f"https://commerce.example/problems/{code}",
        "title": code.replace("_", " ").capitalize(),
        "status": status,
        "detail": detail,
        "code": code,
        "errors": errors or [],
        "request_id": current_actor().request_id,
        **extra,
    }


def _flatten(detail: Any, field: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for name, value in detail.items():
            inner = field if name == "non_field_errors" else f"{field}.{name}".lstrip(".")
            yield from _flatten(value, inner)
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            inner = field if isinstance(value, str) else f"{field}.{index}".lstrip(".")
            yield from _flatten(value, inner)
    else:
        yield {
            "field": field,
            "code": str(getattr(detail, "code", "invalid")),
            "message": str(detail),
        }


def _domain(error: DomainError) -> tuple[int, dict[str, Any], dict[str, str]]:
    extra = dict(error.extra)
    errors = extra.pop("errors", None)
    if errors is None and error.field:
        errors = [{"field": error.field, "code": error.code, "message": str(error)}]
    headers = {}
    policy = extra.pop("policy", None)
    if seconds := extra.pop("retry_after", None):
        headers["Retry-After"] = str(seconds)
        if policy:
            headers |= policy_fields(policy.scope, (policy.number, policy.seconds), (0, seconds))
    if error.status == 401:
        # RFC 9110, section 15.5.2: a 401 says how to sign in.
        headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return error.status, problem(error.status, error.code, str(error), errors, **extra), headers


def _framework(error: exceptions.APIException) -> tuple[int, dict[str, Any], dict[str, str]]:
    headers = {}
    if wait := getattr(error, "wait", None):
        headers["Retry-After"] = str(int(wait) + 1)
    if auth := getattr(error, "auth_header", None):
        headers["WWW-Authenticate"] = auth
    if isinstance(error, exceptions.ValidationError):
        errors = list(_flatten(error.detail))
        body = problem(400, "validation_error", _("The input isn't valid."), errors)
        return 400, body, headers
    codes = {
        exceptions.ParseError: "malformed_request",
        exceptions.Throttled: "rate_limited",
    }
    code = codes.get(type(error)) or str(error.get_codes())
    return error.status_code, problem(error.status_code, code, str(error.detail)), headers


def _suspicious(error: Exception | None) -> tuple[int, str, str]:
    """What Django itself refuses to read: too large, too many fields, a forged host."""
    if isinstance(error, RequestDataTooBig):
        return 413, "body_too_large", _("The body is too large.")
    return 400, "malformed_request", _("The request can't be read.")


def exception_handler(error: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: every refusal becomes a problem document; a bug stays an exception."""
    if isinstance(error, Http404):
        error = exceptions.NotFound()
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied()
    if isinstance(error, DomainError):
        status, body, headers = _domain(error)
    elif isinstance(error, SuspiciousOperation):
        headers = {}
        status, *rest = _suspicious(error)
        body = problem(status, *rest)
    elif isinstance(error, exceptions.APIException):
        status, body, headers = _framework(error)
    elif isinstance(error, (OperationalError, InterfaceError)):
        logger.exception("database unavailable")
        detail = _("The service is briefly unavailable; retry with the same Idempotency-Key.")
        status, headers = 503, {"Retry-After": "2"}
        body = problem(503, "temporarily_unavailable", detail)
    else:
        return None
    set_rollback()
    return Response(body, status=status, headers=headers, content_type=CONTENT_TYPE)


def problem_response(status: int, code: str, detail: str) -> HttpResponse:
    """A problem document outside of DRF (unknown address, crash)."""
    return HttpResponse(
        dumps(problem(status, code, detail)), status=status, content_type=CONTENT_TYPE
    )


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_response(*_suspicious(exception))


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return problem_response(404, "not_found", _("There is no such address."))


def server_error(request: HttpRequest) -> HttpResponse:
    return problem_response(500, "internal_error", _("Something went wrong on our side."))
