"""The pace at which who one is may be tried."""

from __future__ import annotations

from apps.core.ratelimit import ACCOUNT, ALL, NETWORK, Limit, caller

WINDOW_SECONDS = 15 * 60
# Each kind of attempt is counted apart.
PER_NETWORK = Limit("attempts", by=NETWORK, most="SIGN_IN_ATTEMPTS_PER_IP", seconds=WINDOW_SECONDS)
PER_ACCOUNT = Limit(
    "attempts", by=ACCOUNT, most="SIGN_IN_ATTEMPTS_PER_ACCOUNT", seconds=WINDOW_SECONDS
)
OF_ALL = Limit("attempts", by=ALL, most="SIGN_IN_ATTEMPTS_OF_ALL", seconds=WINDOW_SECONDS)


def limit_attempts(scope: str, *, account: str = "") -> None:
    """Count one attempt for the account, if it is known, for the caller's network and for all.

    Raises RateLimited when one of them has used up its attempts of these 15 minutes. Must run
    outside of the transaction that may fail: a rollback would forget the attempt.
    """
    PER_NETWORK.hit(f"{scope}:{caller()}")
    if account:
        PER_ACCOUNT.hit(f"{scope}:{account}")
    OF_ALL.hit(scope)
