"""Idempotency keys, by the rules of Stripe's page "Idempotent requests".

The status and body of the first request with a key are kept and answered again for 24 hours,
errors included, provided the endpoint had begun to execute. Parameters are compared. A second
request while the first runs is a conflict (409). Callers hold the world's lock.
"""

from __future__ import annotations

import hashlib
import json

from apps.payments.gateways.simulation.store import now
from apps.payments.gateways.simulation.wire import Reply

from .errors import idempotency, invalid, key_in_use
from .store import Store
from .wire import Call

KEPT_SECONDS = 24 * 3600
MAX_LENGTH = 255


class IdempotencyKeys:
    """The keys of one account."""

    def __init__(self) -> None:
        self.running: dict[str, str] = {}

    def claim(self, store: Store, call: Call) -> Reply | None:
        """The stored answer, or None when this request is the first and now holds the key.

        Raises StripeError: 400 `idempotency_error` for a key of another request, 409
        `idempotency_key_in_use` while the first one runs, 400 for a key over 255 characters.
        """
        key = call.idempotency_key
        if key is None:
            return None
        if len(key) > MAX_LENGTH:
            raise invalid(f"Idempotency keys must be at most {MAX_LENGTH} characters long.")
        running = self.running.get(key)
        if running is not None:
            if running != _digest(call):
                raise _misused(key)
            raise key_in_use(key)
        stored = store.answers.get(key)
        if stored is None or stored["created"] < now() - KEPT_SECONDS:
            self.running[key] = _digest(call)
            return None
        if stored["path"] != _endpoint(call):
            raise idempotency(
                "Keys for idempotent requests can only be used for the same endpoint they were "
                f"first used for ('{stored['path']}' vs '{_endpoint(call)}'). Try using a key "
                f"other than '{key}' if you meant to execute a different request."
            )
        if stored["digest"] != _digest(call):
            raise _misused(key)
        headers = (("Idempotent-Replayed", "true"), ("Original-Request", stored["request_id"]))
        return Reply(stored["status"], stored["body"].encode(), headers=headers)

    def settle(self, store: Store, call: Call, reply: Reply, *, executed: bool) -> None:
        """Release the key; keep the answer if the endpoint had begun to execute."""
        key = call.idempotency_key
        if key is None:
            return
        self.running.pop(key, None)
        if executed:
            store.answers[key] = {
                "path": _endpoint(call),
                "digest": _digest(call),
                "status": reply.status,
                "body": reply.body.decode(),
                "request_id": call.request_id,
                "created": now(),
            }

    def release(self, call: Call) -> None:
        self.running.pop(call.idempotency_key or "", None)


def _misused(key: str) -> Exception:
    return idempotency(
        "Keys for idempotent requests can only be used with the same parameters they were first "
        f"used with. Try using a key other than '{key}' if you meant to execute a different "
        "request."
    )


def _endpoint(call: Call) -> str:
    return f"{call.method} {call.path}"


def _digest(call: Call) -> str:
    content = json.dumps([_endpoint(call), call.params], sort_keys=True)
    return hashlib.sha256(content.encode()).hexdigest()
