"""PayPal's error answers: a name for the status, an issue for the reason, in PayPal's own words."""

from __future__ import annotations

from dataclasses import dataclass

from apps.payments.gateways.simulation.wire import Reply, json_reply

_NAMES = {
    400: (
        "INVALID_REQUEST",
        "Request is not well-formed, syntactically incorrect, or violates schema.",
    ),
    401: (
        "AUTHENTICATION_FAILURE",
        (
            "Authentication failed due to missing authorization header, or invalid authentication "
            "credentials."
        ),
    ),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    422: (
        "UNPROCESSABLE_ENTITY",
        (
            "The requested action could not be performed, semantically incorrect, or failed "
            "business validation."
        ),
    ),
    429: ("RATE_LIMIT_REACHED", "Too many requests. Blocked due to rate limiting."),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error occurred."),
}
_APPROVE = (
    "Payer has not yet approved the Order for payment. Please redirect the payer to the "
    "'rel':'approve' url returned as part of the HATEOAS links within the Create Order call"
)
_PRECISION = "If the currency supports decimals, only two decimal place precision is supported."
_DESCRIPTIONS = {
    "ACTION_DOES_NOT_MATCH_INTENT": "Order was created with an intent to 'CAPTURE'. Please use "
    "v2/checkout/orders/order_id/capture to complete the transaction or alternately Create an "
    "order with an intent of 'AUTHORIZE'.",
    "AUTHORIZATION_ALREADY_CAPTURED": "Authorization has previously been captured.",
    "AUTHORIZATION_VOIDED": "A voided authorization cannot be captured or reauthorized. ",
    "CANNOT_BE_ZERO_OR_NEGATIVE": f"Must be greater than zero. {_PRECISION}",
    "CAPTURE_FULLY_REFUNDED": "The capture has already been fully refunded",
    "DECIMAL_PRECISION": _PRECISION,
    "INSTRUMENT_DECLINED": "The instrument presented  was either declined by the processor or "
    "bank, or it can't be used for this payment.",
    "INVALID_CURRENCY_CODE": "Currency code is invalid or is not currently supported. Please refer "
    "https://developer.paypal.com/api/rest/reference/currency-codes/ for list of supported "
    "currency codes.",
    "INVALID_PARAMETER_SYNTAX": "The value of a field does not conform to the expected format.",
    "INVALID_PARAMETER_VALUE": "A parameter value is not valid.",
    "INVALID_RESOURCE_ID": "Specified resource ID does not exist. Please check the resource ID and "
    "try again.",
    "MALFORMED_REQUEST_JSON": "The request JSON is not well formed.",
    "MAX_CAPTURE_AMOUNT_EXCEEDED": "Capture amount exceeds allowable limit. Please contact "
    "customer service or your account manager to request the change to your overage limit. The "
    "default overage limit is 115%, which allows the sum of all captures to be up to 115% of the "
    "order amount. The ability to over capture is subjected to regulatory approvals.",
    "MISSING_REQUIRED_PARAMETER": "A required parameter is missing.",
    "ORDER_ALREADY_AUTHORIZED": "Order already authorized.If 'intent=AUTHORIZE' only one "
    "authorization per order is allowed.",
    "ORDER_ALREADY_CAPTURED": "Order already captured.If 'intent=CAPTURE' only one capture per "
    "order is allowed.",
    "ORDER_NOT_APPROVED": f"{_APPROVE} or provide a valid `payment_source` in the request.",
    "PAYER_ACTION_REQUIRED": "Transaction cannot complete successfully, instruct the buyer to "
    "return to PayPal.",
    "PREVIOUSLY_CAPTURED": "Authorization has been previously captured and hence cannot be voided.",
    "PREVIOUSLY_VOIDED": "Authorization has been previously voided and hence cannot be voided "
    "again.",
    "REFUND_AMOUNT_EXCEEDED": "The refund amount must be less than or equal to the capture amount "
    "that has not yet been refunded.",
    "REFUND_NOT_ALLOWED": "Capture cannot be refunded.",
}


@dataclass(eq=False)
class PayPalError(Exception):
    """An error answer; `issue` is for programs."""

    status: int
    issue: str = ""
    description: str = ""

    def reply(self) -> Reply:
        name, message = _NAMES.get(self.status, _NAMES[500])
        content: dict[str, object] = {
            "name": name,
            "message": message,
            "debug_id": "simulator0000",
            "links": [],
        }
        if self.issue:
            words = self.description or _DESCRIPTIONS.get(self.issue, self.issue)
            content["details"] = [{"issue": self.issue, "description": words}]
        return json_reply(self.status, content)


def unprocessable(issue: str) -> PayPalError:
    return PayPalError(422, issue)


def not_approved(intent: str) -> PayPalError:
    """Authorizing knows no other payment source."""
    words = f"{_APPROVE}." if intent == "AUTHORIZE" else ""
    return PayPalError(422, "ORDER_NOT_APPROVED", words)


def missing() -> PayPalError:
    return PayPalError(404, "INVALID_RESOURCE_ID")
