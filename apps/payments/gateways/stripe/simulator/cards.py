"""Stripe's documented test cards and test payment methods, and what each one does.

Source: Stripe's page "Testing" (cards by brand and country, declined payments, disputes,
refunds, 3D Secure authentication). The numbers are published test values, not card data.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

Authentication = Literal["never", "always", "until_set_up", "on_session"]
RefundOutcome = Literal["succeeded", "failed", "pending"]


@dataclass(frozen=True)
class Decline:
    """How the issuer says no. `decline_code` is what the error and the charge carry."""

    code: str
    decline_code: str | None
    message: str
    param: str | None = None


@dataclass(frozen=True)
class TestCard:
    """A test card's behaviour.

    `authentication`: "always" asks for 3D Secure at every payment, "until_set_up" spares
    off-session payments once the card was set up, "on_session" is set up from the start.
    """

    __test__ = False

    number: str
    brand: str = "visa"
    funding: str = "credit"
    country: str = "US"
    decline: Decline | None = None
    attachable: bool = True
    authentication: Authentication = "never"
    dispute_reason: str | None = None
    inquiry: bool = False
    refund: RefundOutcome = "succeeded"

    @property
    def last4(self) -> str:
        return self.number[-4:]


GENERIC = Decline("card_declined", "generic_decline", "Your card was declined.")
INSUFFICIENT = Decline("card_declined", "insufficient_funds", "Your card has insufficient funds.")
AUTHENTICATION_REQUIRED = Decline(
    "authentication_required",
    "authentication_required",
    "Your card was declined. This transaction requires authentication.",
)
AUTHENTICATION_FAILED = Decline(
    "payment_intent_authentication_failure",
    None,
    "We are unable to authenticate your payment method. Please choose a different payment "
    "method and try again.",
)
INCORRECT_NUMBER = Decline(
    "incorrect_number", "incorrect_number", "Your card number is incorrect.", "number"
)
LIVE_CARD = Decline(
    "card_declined",
    "test_mode_live_card",
    "Your card was declined. Your request was in test mode, but used a non test card.",
)
_LOST = Decline("card_declined", "lost_card", "Your card was declined.")
_STOLEN = Decline("card_declined", "stolen_card", "Your card was declined.")
_FRAUDULENT = Decline("card_declined", "fraudulent", "Your card was declined.")
_EXPIRED = Decline("expired_card", "expired_card", "Your card has expired.", "exp_month")
_CVC = Decline("incorrect_cvc", "incorrect_cvc", "Your card's security code is incorrect.", "cvc")
_PROCESSING = Decline(
    "processing_error",
    "processing_error",
    "An error occurred while processing your card. Try again in a little bit.",
)
_VELOCITY = Decline(
    "card_declined",
    "card_velocity_exceeded",
    "Your card was declined for making repeated attempts too frequently or exceeding its "
    "amount limit.",
)


def _declined(number: str, decline: Decline) -> TestCard:
    return TestCard(number, decline=decline, attachable=False)


_AUTHENTICATED = TestCard("4000002760003184", authentication="always")

# The part of the name after `pm_card_` (or `tok_`).
_NAMED: dict[str, TestCard] = {
    "visa": TestCard("4242424242424242"),
    "visa_debit": TestCard("4000056655665556", funding="debit"),
    "mastercard": TestCard("5555555555554444", brand="mastercard"),
    "mastercard_debit": TestCard("5200828282828210", brand="mastercard", funding="debit"),
    "mastercard_prepaid": TestCard("5105105105105100", brand="mastercard", funding="prepaid"),
    "amex": TestCard("378282246310005", brand="amex"),
    "discover": TestCard("6011111111111117", brand="discover"),
    "diners": TestCard("3056930009020004", brand="diners"),
    "jcb": TestCard("3566002020360505", brand="jcb", country="JP"),
    "unionpay": TestCard("6200000000000005", brand="unionpay", country="CN"),
    "us": TestCard("4242424242424242"),
    "br": TestCard("4000000760000002", country="BR"),
    "ca": TestCard("4000001240000000", country="CA"),
    "mx": TestCard("4000004840008001", country="MX"),
    "de": TestCard("4000002760000016", country="DE"),
    "fr": TestCard("4000002500000003", country="FR"),
    "gb": TestCard("4000008260000000", country="GB"),
    "cn": TestCard("4000001560000002", country="CN"),
    "jp": TestCard("4000003920000003", country="JP"),
    "chargeDeclined": _declined("4000000000000002", GENERIC),
    "chargeDeclinedInsufficientFunds": _declined("4000000000009995", INSUFFICIENT),
    "chargeDeclinedLostCard": _declined("4000000000009987", _LOST),
    "chargeDeclinedStolenCard": _declined("4000000000009979", _STOLEN),
    "chargeDeclinedExpiredCard": _declined("4000000000000069", _EXPIRED),
    "chargeDeclinedIncorrectCvc": _declined("4000000000000127", _CVC),
    "chargeDeclinedProcessingError": _declined("4000000000000119", _PROCESSING),
    "chargeDeclinedVelocityLimitExceeded": _declined("4000000000006975", _VELOCITY),
    "radarBlock": _declined("4100000000000019", _FRAUDULENT),
    "chargeCustomerFail": TestCard("4000000000000341", decline=GENERIC),
    "createDispute": TestCard("4000000000000259", dispute_reason="fraudulent"),
    "createDisputeProductNotReceived": TestCard(
        "4000000000002685", dispute_reason="product_not_received"
    ),
    "createDisputeInquiry": TestCard("4000000000001976", dispute_reason="fraudulent", inquiry=True),
    "refundFail": TestCard("4000000000005126", refund="failed"),
    "pendingRefund": TestCard("4000000000007726", refund="pending"),
    "threeDSecure2Required": TestCard("4000000000003220", authentication="always"),
    "threeDSecureRequired": TestCard("4000000000003063", authentication="always"),
    "threeDSecureOptional": TestCard("4000000000003055"),
    "threeDSecureRequiredChargeDeclined": TestCard(
        "4000008400001629", decline=GENERIC, authentication="always"
    ),
    "authenticationRequired": _AUTHENTICATED,
    "authenticationRequiredOnSetup": TestCard("4000002500003155", authentication="until_set_up"),
    "authenticationRequiredSetupForOffSession": TestCard(
        "4000003800000446", authentication="on_session"
    ),
    "authenticationRequiredChargeDeclinedInsufficientFunds": TestCard(
        "4000008260003178", decline=INSUFFICIENT, authentication="always"
    ),
}
BY_NUMBER: dict[str, TestCard] = {card.number: card for card in _NAMED.values()}


def by_payment_method(name: str) -> TestCard | None:
    """The card behind `pm_card_…`. The page writes some names with a brand (`pm_card_visa_…`)."""
    return _by_suffix(name.removeprefix("pm_card_")) if name.startswith("pm_card_") else None


def by_token(name: str) -> TestCard | None:
    """The card behind a documented test token, `tok_…`."""
    return _by_suffix(name.removeprefix("tok_")) if name.startswith("tok_") else None


def by_number(number: str) -> TestCard:
    """The card with that number.

    A number that is no test card gets the behaviour Stripe gives it in test mode: a wrong check
    digit is `incorrect_number`, a real looking one is declined as `test_mode_live_card`.
    """
    digits = number.replace(" ", "").replace("-", "")
    known = BY_NUMBER.get(digits)
    if known:
        return known
    return _declined(digits, LIVE_CARD if _luhn(digits) else INCORRECT_NUMBER)


def _by_suffix(suffix: str) -> TestCard | None:
    card = _NAMED.get(suffix)
    if card or "_" not in suffix:
        return card
    brand, _, rest = suffix.partition("_")
    base = _NAMED.get(rest)
    return replace(base, brand=brand) if base and brand in _NAMED else None


def _luhn(digits: str) -> bool:
    if not digits.isdigit() or not 12 <= len(digits) <= 19:
        return False
    total = 0
    for position, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + position % 2)
        total += doubled - 9 if doubled > 9 else doubled
    return total % 10 == 0
