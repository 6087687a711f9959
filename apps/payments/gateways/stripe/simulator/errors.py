"""Stripe's error answers.

The types, codes and HTTP statuses are those of Stripe's pages "Errors", "Error codes" and
"Decline codes".
"""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.payments.gateways.simulation.wire import JsonObject, Reply, json_reply

DOC_ROOT = "https://docs.stripe.com/error-codes#"


@dataclass(eq=False)
class StripeError(Exception):
    """An error answer.

    `executed` says whether the endpoint had begun to run: only then may an idempotency key
    keep the answer ("Idempotent requests").
    """

    status: int
    kind: str
    message: str
    code: str | None = None
    param: str | None = None
    decline_code: str | None = None
    executed: bool = True
    extra: JsonObject = field(default_factory=dict)

    def content(self) -> JsonObject:
        """The body, without the fields that have nothing to say."""
        error: JsonObject = {"type": self.kind, "message": self.message}
        if self.code:
            error["code"] = self.code
            error["doc_url"] = DOC_ROOT + self.code.replace("_", "-")
        if self.decline_code:
            error["decline_code"] = self.decline_code
        if self.param:
            error["param"] = self.param
        return {"error": {**error, **self.extra}}

    def reply(self, headers: tuple[tuple[str, str], ...] = ()) -> Reply:
        return json_reply(self.status, self.content(), headers)


def invalid(message: str, param: str | None = None, code: str | None = None) -> StripeError:
    """A parameter that fails validation: 400, nothing was executed."""
    return StripeError(400, "invalid_request_error", message, code, param, executed=False)


def refused(message: str, code: str | None = None, param: str | None = None) -> StripeError:
    """A valid request that the state of an object forbids: 400, executed."""
    return StripeError(400, "invalid_request_error", message, code, param)


def missing(kind: str, identifier: str, param: str = "id", *, in_path: bool = False) -> StripeError:
    """No such object: 404 when the path names it, 400 when a parameter does."""
    message = f"No such {kind}: '{identifier}'"
    status = 404 if in_path else 400
    return StripeError(
        status, "invalid_request_error", message, "resource_missing", param, executed=False
    )


def unrecognized(method: str, path: str) -> StripeError:
    message = (
        f"Unrecognized request URL ({method}: {path}). If you are trying to list objects, "
        "remove the trailing slash. If you are trying to retrieve an object, make sure you "
        "passed a valid (non-empty) identifier in your code."
    )
    return StripeError(404, "invalid_request_error", message, executed=False)


def unauthorized(message: str, code: str | None = None) -> StripeError:
    return StripeError(401, "invalid_request_error", message, code, executed=False)


def idempotency(message: str) -> StripeError:
    """A key used before for another request: 400 `idempotency_error`."""
    return StripeError(400, "idempotency_error", message, executed=False)


def key_in_use(key: str) -> StripeError:
    message = (
        "There is currently another in-progress request using this Idempotent Key (that probably "
        f"means you submitted twice, and the other request is still going through): {key}. "
        "Please try again later."
    )
    return StripeError(409, "idempotency_error", message, "idempotency_key_in_use", executed=False)


def injected(status: int) -> StripeError:
    """The answer of a fault that a test asked for: never executed, never kept for a key."""
    if status == 429:
        message = "Request rate limit exceeded. Learn more about rate limits."
        return StripeError(429, "invalid_request_error", message, "rate_limit", executed=False)
    if status >= 500:
        message = "An unknown error occurred. (Injected by the simulator.)"
        return StripeError(status, "api_error", message, executed=False)
    return StripeError(
        status, "invalid_request_error", "Injected by the simulator.", executed=False
    )
