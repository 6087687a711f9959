"""The pace of API keys: that of their plan, and its quota."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from django.conf import settings

from apps.accounts.models import ApiKey
from apps.accounts.services import usage
from apps.core.api.throttling import Throttle, add_policy


class CallerThrottle(Throttle):
    """People have the general pace; each key its plan's, and its calls are counted."""

    key: ApiKey | None = None
    standing: usage.Standing | None = None

    def pace(self, request: Any) -> tuple[str, int]:
        if not isinstance(request.auth, ApiKey):
            return super().pace(request)
        plan = request.auth.plan
        limit = plan.calls_per_minute if plan else settings.API_RATE_PER_MINUTE
        return f"key:{request.auth.pk}", limit

    def allow_request(self, request: Any, view: Any) -> bool:
        if not super().allow_request(request, view):
            return False
        if not isinstance(request.auth, ApiKey):
            return True
        self.standing = usage.count_call(key=request.auth)
        if self.standing is not None and not self.standing.is_allowed:
            return False
        self.key = request.auth
        return True

    def wait(self) -> float:
        return self._quota_seconds() if self.standing is not None else super().wait()

    def answered(self, status: int) -> None:
        if self.key is not None and status >= 400:
            usage.count_error(key=self.key)

    def add_headers(self, response: Any) -> None:
        super().add_headers(response)
        if standing := self.standing:
            left = (standing.left, int(self._quota_seconds()) + 1)
            add_policy(response, "quota", (standing.quota, standing.seconds), left)

    def _quota_seconds(self) -> float:
        assert self.standing is not None  # noqa: S101
        return (self.standing.starts_again - datetime.now(UTC)).total_seconds()
