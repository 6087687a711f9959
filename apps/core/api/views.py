"""What every API view stands on: strict queries, the actor, keyed requests, ETags."""

from __future__ import annotations

import hashlib
import logging
from typing import Any

from django.db import InterfaceError, OperationalError, models
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.response import Response
from rest_framework.views import APIView
from rest_framework.viewsets import GenericViewSet, ViewSetMixin

from apps.core import idempotency
from apps.core.api.pagination import KeysetPagination
from apps.core.api.permissions import Staff
from apps.core.context import set_actor
from apps.core.errors import DomainError
from apps.core.scopes import limits_of, scoped

logger = logging.getLogger(__name__)
IDEMPOTENCY_HEADER = "Idempotency-Key"


class PreconditionFailed(DomainError):
    code = "precondition_failed"
    status = 412
    message = _("Somebody else changed this meanwhile; fetch it again.")


class _Replay(Exception):
    def __init__(self, stored: idempotency.Stored) -> None:
        self.stored = stored


class _ReplayedResponse(Response):
    """Given the kept bytes once it has passed through the usual finishing."""

    def __init__(self, stored: idempotency.Stored) -> None:
        super().__init__(status=stored.status)
        self.stored = stored


class BaseApi(APIView):
    """Refuses unknown query parameters and names the actor for logs and the audit log."""

    # Names of query parameters, beside those of filters, ordering and pages.
    query_params: frozenset[str] = frozenset()
    required_permissions: dict[str, str] = {}
    # Gives everybody the same bytes: no credential is read (`apps.core.ready`).
    public_bytes = False
    # Actions (or HTTP methods) that take an Idempotency-Key.
    idempotent: frozenset[str] = frozenset()
    _digest: str | None = None

    def initial(self, request: Any, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if request.user.is_authenticated:
            label = getattr(request.auth, "label", None) or request.user.label
            set_actor(label=label, user_id=request.user.pk, is_staff=request.user.is_staff)
        if Staff in self.permission_classes:
            set_actor(limits=limits_of(request.user))
        self._refuse_unknown(request, kwargs)
        key = request.headers.get(IDEMPOTENCY_HEADER)
        action = getattr(self, "action", None) or request.method.lower()
        if key is not None and action in self.idempotent:
            self._begin(request, key)

    def _refuse_unknown(self, request: Any, kwargs: dict[str, Any]) -> None:
        if any("\x00" in str(value) for value in kwargs.values()):
            raise NotFound()
        allowed = self.allowed_query_params()
        bad = {
            name[:100]: [
                _("Unknown parameter.") if name not in allowed else _("Invalid character.")
            ]
            for name, values in request.query_params.lists()
            if name not in allowed or any("\x00" in value for value in values)
        }
        if bad:
            raise ValidationError(bad, code="unknown_parameter")

    def allowed_query_params(self) -> set[str]:
        return set(self.query_params)

    def _begin(self, request: Any, key: str) -> None:
        raw = request._request
        principal = f"user:{request.user.pk}" if request.user.is_authenticated else "guest"
        if request.auth is not None and hasattr(request.auth, "scope_set"):
            principal = f"api-key:{request.auth.pk}"
        digest = idempotency.key_digest(principal, request.method, raw.get_full_path(), key)
        stored = idempotency.begin(digest, raw.body)
        if stored is not None:
            raise _Replay(stored)
        self._digest = digest

    @property
    def idempotency_digest(self) -> str | None:
        """The digest of the running keyed request, for services that key their rows by it."""
        return self._digest

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, _Replay):
            return _ReplayedResponse(exc.stored)
        try:
            return super().handle_exception(exc)
        except Exception:
            if throttle := getattr(self.request, "throttle", None):
                throttle.answered(500)
            self._keep(idempotency.Stored(500, "", b""))
            raise

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response = super().finalize_response(request, response, *args, **kwargs)
        if throttle := getattr(request, "throttle", None):
            throttle.answered(response.status_code)
            throttle.add_headers(response)
        if isinstance(response, _ReplayedResponse):
            response["Idempotent-Replayed"] = "true"
            response["Content-Type"] = response.stored.content_type
            response.content = response.stored.body
        elif self._digest:
            response.render()
            self._keep(
                idempotency.Stored(response.status_code, response["Content-Type"], response.content)
            )
        return response

    def _keep(self, answer: idempotency.Stored) -> None:
        """Keep the answer to a keyed request.

        Without a database it is still true: the caller gets it, and a retry finds what stands
        behind the key once its lease is over.
        """
        if self._digest is None:
            return
        try:
            idempotency.finish(self._digest, answer)
        except (OperationalError, InterfaceError):
            logger.exception("the answer to a key isn't kept")


class PlainViewSet(ViewSetMixin, BaseApi):
    """Actions without a queryset of their own."""


class BaseViewSet(PlainViewSet, GenericViewSet):
    """A viewset whose queryset is scoped to the caller, so that a stranger's row is a 404.

    `filter_queryset` (of `get_object` too) leaves out what staff are not to see.
    """

    def filter_queryset(self, queryset: Any) -> Any:
        return super().filter_queryset(scoped(queryset))

    def allowed_query_params(self) -> set[str]:
        allowed = set(self.query_params)
        if getattr(self, "action", None) != "list":
            return allowed
        if isinstance(self.paginator, KeysetPagination):
            allowed |= self.paginator.query_params
        if filterset := getattr(self, "filterset_class", None):
            allowed |= set(filterset.base_filters)
        if getattr(self, "ordering_fields", None):
            allowed.add("ordering")
        if getattr(self, "search_fields", None):
            allowed.add("search")
        return allowed


def etag_of(obj: models.Model) -> str:
    """A strong ETag from the row's identity and its last change."""
    stamp = f"{obj._meta.label}:{obj.pk}:{obj.updated_at.isoformat()}"  # type: ignore[attr-defined]
    return f'"{hashlib.sha256(stamp.encode()).hexdigest()[:32]}"'


def check_if_match(request: Any, obj: models.Model) -> None:
    """Raises PreconditionFailed when the caller edits an older version than the stored one."""
    wanted = request.headers.get("If-Match")
    if wanted is not None and wanted.strip() not in ("*", etag_of(obj)):
        raise PreconditionFailed()
