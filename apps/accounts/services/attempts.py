"""The pace at which who one is may be tried."""

from __future__ import annotations

from django.conf import settings

from apps.core import ratelimit

WINDOW_SECONDS = 15 * 60


def limit_attempts(scope: str, *, account: str) -> None:
    """Count one attempt for the account and one for the caller's network.

    Raises RateLimited when either has used up its attempts of these 15 minutes. Must run outside
    of the transaction that may fail: a rollback would forget the attempt.
    """
    seconds = WINDOW_SECONDS
    ratelimit.hit(
        f"{scope}:ip", ratelimit.caller(), limit=settings.SIGN_IN_ATTEMPTS_PER_IP, seconds=seconds
    )
    ratelimit.hit(
        f"{scope}:account", account, limit=settings.SIGN_IN_ATTEMPTS_PER_ACCOUNT, seconds=seconds
    )
