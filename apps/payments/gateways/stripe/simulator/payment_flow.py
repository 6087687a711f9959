"""What a PaymentIntent goes through: authentication, charge, capture, cancellation.

The states are those of Stripe's page "How PaymentIntents and SetupIntents work".
"""

from __future__ import annotations

import copy
from dataclasses import dataclass

from apps.payments.gateways.simulation.store import now, token
from apps.payments.gateways.simulation.wire import JsonObject

from . import cards, charges, disputes, payment_methods
from .errors import StripeError, invalid, refused
from .world import World

CANCELABLE = (
    "requires_payment_method",
    "requires_capture",
    "requires_confirmation",
    "requires_action",
    "processing",
)


@dataclass(frozen=True)
class Attempt:
    """How a confirmation is made."""

    off_session: bool = False
    return_url: str | None = None
    error_on_requires_action: bool = False


def wrong_state(intent: JsonObject, message: str) -> StripeError:
    """400 `payment_intent_unexpected_state`, with the PaymentIntent as it is."""
    error = refused(message, "payment_intent_unexpected_state")
    error.extra["payment_intent"] = copy.deepcopy(intent)
    return error


def confirm(world: World, intent: JsonObject, attempt: Attempt) -> None:
    """Try to pay with the intent's payment method; it ends in the state Stripe documents.

    Raises StripeError (402 `card_error`) when the payment is declined; the intent then requires
    another payment method.
    """
    method = world.store.tables["payment_method"][intent["payment_method"]]
    card = payment_methods.card_of(world, method["id"])
    if card is None:
        intent["status"] = "processing"
        world.emit("payment_intent.processing", intent)
        world.later("settle_bank_debit", intent["id"])
        return
    card = _ordered(world, card)
    if _must_authenticate(world, intent, card, off_session=attempt.off_session):
        if attempt.off_session or attempt.error_on_requires_action:
            raise _declined(world, intent, method, cards.AUTHENTICATION_REQUIRED)
        _ask_authentication(world, intent, attempt.return_url)
        return
    problem = _charge(world, intent, method, card.decline)
    if problem:
        raise problem


def _ordered(world: World, card: cards.TestCard) -> cards.TestCard:
    """The card as somebody ordered the next payment to end."""
    if not world.outcomes:
        return card
    named = {"decline": "chargeDeclined", "3ds": "threeDSecure2Required"}
    return cards.by_payment_method(f"pm_card_{named[world.outcomes.pop(0)]}") or card


def complete_action(world: World, intent: JsonObject, *, succeeded: bool) -> None:
    """The customer finished 3-D Secure, or the bank answered a debit in `processing`.

    Raises StripeError (400) when the intent waits for neither.
    """
    if intent["status"] == "processing":
        world.forget_timer(intent["id"])
        _settle_debit(world, intent, succeeded=succeeded)
        return
    if intent["status"] != "requires_action":
        raise wrong_state(intent, f"This PaymentIntent has a status of {intent['status']}.")
    method = world.store.tables["payment_method"][intent["payment_method"]]
    intent["next_action"] = None
    if not succeeded:
        _fail(world, intent, method, cards.AUTHENTICATION_FAILED, None)
        return
    world.store.private(intent["id"])["authenticated"] = True
    if intent["confirmation_method"] == "manual":
        intent["status"] = "requires_confirmation"
        return
    card = payment_methods.card_of(world, method["id"])
    _charge(world, intent, method, card.decline if card else None)


def settle_bank_debit(world: World, identifier: str) -> None:
    intent = world.store.get("payment_intent", identifier)
    if intent and intent["status"] == "processing":
        succeeded = payment_methods.bank_debit_succeeds(world, intent["payment_method"])
        _settle_debit(world, intent, succeeded=succeeded)


def capture(
    world: World, intent: JsonObject, amount: int | None, *, final: bool | None = None
) -> None:
    """Capture, by default all that is left. Minor units; with multicapture also 0, to release it.

    The rest is released unless `final` is False. Raises StripeError (400) in another state, for
    more than is left, and for `final` without multicapture.
    """
    if intent["status"] != "requires_capture":
        raise wrong_state(
            intent,
            "This PaymentIntent could not be captured because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            "captured: requires_capture.",
        )
    taken = intent["amount_capturable"] if amount is None else amount
    if taken > intent["amount_capturable"]:
        raise refused(
            "The amount_to_capture is greater than the remaining amount that can be captured.",
            "amount_too_large",
            "amount_to_capture",
        )
    charge = world.store.tables["charge"][intent["latest_charge"]]
    card = charge["payment_method_details"].get("card") or {}
    several = card.get("multicapture", {}).get("status") == "available"
    if (final is False or not taken) and not several:
        raise invalid("Multicapture is not available for this PaymentIntent.", "final_capture")
    is_over = final is not False or taken == intent["amount_capturable"]
    charges.capture(charge, taken, final=is_over)
    if taken:
        charge["balance_transaction"] = charges.book(world, charge, taken, "charge")
    received = intent["amount_received"] + taken
    if is_over:
        _paid(intent, received)
        world.emit("charge.captured", charge)
        world.emit("payment_intent.succeeded", intent)
        _dispute_if_card_does(world, charge)
        return
    intent["amount_received"] = received
    intent["amount_capturable"] -= taken
    world.emit("charge.updated", charge)
    world.emit("payment_intent.amount_capturable_updated", intent)


def cancel(world: World, intent: JsonObject, reason: str | None) -> None:
    """Cancel; an authorisation is given back. Raises StripeError (400) when it is too late."""
    if intent["status"] not in CANCELABLE:
        raise wrong_state(
            intent,
            "You cannot cancel this PaymentIntent because it has a status of "
            f"{intent['status']}. Only a PaymentIntent with one of the following statuses may be "
            f"canceled: {', '.join(CANCELABLE)}.",
        )
    world.forget_timer(intent["id"])
    if intent["status"] == "requires_capture":
        charge = world.store.tables["charge"][intent["latest_charge"]]
        charges.release(charge)
        world.emit("charge.refunded", charge)
    intent.update(
        status="canceled",
        amount_capturable=0,
        canceled_at=now(),
        cancellation_reason=reason,
        next_action=None,
    )
    world.emit("payment_intent.canceled", intent)


def check_usable(world: World, intent: JsonObject, method: JsonObject) -> None:
    """Raises StripeError (400) for another customer's payment method or a used up one."""
    owner = method["customer"]
    if owner and owner != intent["customer"]:
        raise invalid(
            f"The provided PaymentMethod ({method['id']}) belongs to a Customer. Please include "
            "the Customer in the `customer` parameter on the PaymentIntent.",
            "payment_method",
        )
    if not owner and world.store.private(method["id"]).get("consumed"):
        raise invalid(
            "The provided PaymentMethod was previously used with a PaymentIntent without Customer "
            "attachment, shared with a connected account without Customer attachment, or was "
            "detached from a Customer. It may not be used again.",
            "payment_method",
        )
    if method["type"] not in intent["payment_method_types"] and not _automatic(intent):
        raise invalid(
            f"The PaymentMethod provided ({method['type']}) is not allowed for this "
            f"PaymentIntent. Allowed types: {', '.join(intent['payment_method_types'])}.",
            "payment_method",
        )


def _automatic(intent: JsonObject) -> bool:
    return bool((intent["automatic_payment_methods"] or {}).get("enabled"))


def _must_authenticate(
    world: World, intent: JsonObject, card: cards.TestCard, *, off_session: bool
) -> bool:
    if card.authentication == "never" or world.store.private(intent["id"]).get("authenticated"):
        return False
    if not off_session or card.authentication == "always":
        return True
    set_up = world.store.private(intent["payment_method"]).get("set_up", False)
    return not (set_up or card.authentication == "on_session")


def _ask_authentication(world: World, intent: JsonObject, return_url: str | None) -> None:
    private = world.store.private(intent["id"])
    private["action_token"] = token()
    url = f"{world.base_url}/authenticate/{intent['id']}/{private['action_token']}"
    if return_url:
        redirect = {"return_url": return_url, "url": url}
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": redirect}
    else:
        details = {"type": "three_d_secure_redirect", "stripe_js": url}
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": details}
    private["return_url"] = return_url
    intent["status"] = "requires_action"
    world.emit("payment_intent.requires_action", intent)


def _charge(
    world: World, intent: JsonObject, method: JsonObject, decline: cards.Decline | None
) -> StripeError | None:
    """Charge; the error of a decline is returned, because a 3-D Secure page has no one to tell."""
    if decline:
        return _declined(world, intent, method, decline)
    charge = charges.open_charge(world, intent, method)
    intent["last_payment_error"] = None
    _save_method(world, intent, method)
    if intent["capture_method"] == "manual":
        intent.update(status="requires_capture", amount_capturable=intent["amount"])
        world.emit("charge.succeeded", charge)
        world.emit("payment_intent.amount_capturable_updated", intent)
    else:
        _take_at_once(world, intent, charge)
    session = world.store.private(intent["id"]).get("checkout_session")
    if session:
        world.jobs["complete_checkout"](world, session)
    return None


def _take_at_once(world: World, intent: JsonObject, charge: JsonObject) -> None:
    charges.capture(charge, charge["amount"])
    # With automatic_async the balance transaction follows the charge ("Asynchronous capture").
    late = intent["capture_method"] == "automatic_async"
    if not late:
        charge["balance_transaction"] = charges.book(world, charge, charge["amount"], "charge")
    _paid(intent, charge["amount"])
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)
    if late:
        charge["balance_transaction"] = charges.book(world, charge, charge["amount"], "charge")
        world.emit("charge.updated", charge)
    _dispute_if_card_does(world, charge)


def _paid(intent: JsonObject, amount: int) -> None:
    intent.update(status="succeeded", amount_capturable=0, amount_received=amount)


def _dispute_if_card_does(world: World, charge: JsonObject) -> None:
    card = payment_methods.card_of(world, charge["payment_method"])
    if card and card.dispute_reason:
        disputes.open_dispute(world, charge, card.dispute_reason, inquiry=card.inquiry)


def _save_method(world: World, intent: JsonObject, method: JsonObject) -> None:
    private = world.store.private(method["id"])
    if intent["setup_future_usage"] and intent["customer"]:
        private["set_up"] = True
        payment_methods.attach(world, method, intent["customer"])
    elif not method["customer"]:
        private["consumed"] = True


def _settle_debit(world: World, intent: JsonObject, *, succeeded: bool) -> None:
    method = world.store.tables["payment_method"][intent["payment_method"]]
    _charge(world, intent, method, None if succeeded else cards.INSUFFICIENT)


def _declined(
    world: World, intent: JsonObject, method: JsonObject, decline: cards.Decline
) -> StripeError:
    charge = charges.open_charge(world, intent, method, decline)
    world.emit("charge.failed", charge)
    return _fail(world, intent, method, decline, charge)


def _fail(
    world: World,
    intent: JsonObject,
    method: JsonObject,
    decline: cards.Decline,
    charge: JsonObject | None,
) -> StripeError:
    extra: JsonObject = {"payment_method": copy.deepcopy(method)}
    if charge:
        extra["charge"] = charge["id"]
    error = payment_methods.card_error(decline, extra)
    if charge is None:
        error.kind = "invalid_request_error"
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        next_action=None,
        last_payment_error=error.content()["error"],
    )
    world.emit("payment_intent.payment_failed", intent)
    error.extra = {**extra, "payment_intent": copy.deepcopy(intent)}
    return error
