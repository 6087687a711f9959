"""The PaymentIntents endpoints: what they accept and what they store."""

from __future__ import annotations

import secrets

from apps.payments.gateways.simulation.store import now, token
from apps.payments.gateways.simulation.wire import JsonObject

from . import payment_flow
from . import payment_intent_params as given
from .currencies import check_amount, check_currency
from .errors import StripeError, invalid
from .params import Params
from .payment_flow import Attempt, wrong_state
from .routing import Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

_UNCONFIRMED = ("requires_payment_method", "requires_confirmation", "requires_action")
# What a publishable key may see ("Retrieve a PaymentIntent": a subset of properties).
_PUBLIC = (
    "id object amount automatic_payment_methods canceled_at cancellation_reason capture_method "
    "client_secret confirmation_method created currency description last_payment_error livemode "
    "next_action payment_method payment_method_types processing receipt_email setup_future_usage "
    "shipping source status"
).split()
_EMPTY = (
    "allowed_payment_method_types "
    "application application_fee_amount canceled_at cancellation_reason customer customer_account "
    "description excluded_payment_method_types last_payment_error latest_charge managed_payments "
    "next_action on_behalf_of payment_method payment_method_configuration_details processing "
    "receipt_email review setup_future_usage shipping source statement_descriptor "
    "statement_descriptor_suffix transfer_data transfer_group"
).split()


def create_intent(world: World, params: Params) -> JsonObject:
    """A new stored PaymentIntent from validated parameters. Amounts in minor units."""
    params.require("amount", "currency")
    currency = check_currency(params.needed("currency"))
    amount = check_amount(params.integer("amount", 1) or 0, currency)
    identifier = new_id("payment_intent")
    intent: JsonObject = dict.fromkeys(_EMPTY)
    intent.update(
        id=identifier,
        object="payment_intent",
        amount=amount,
        amount_capturable=0,
        amount_details={"tip": {}},
        amount_received=0,
        capture_method="automatic_async",
        client_secret=f"{identifier}_secret_{token(25)}",
        confirmation_method=params.choice("confirmation_method", ("automatic", "manual"))
        or "automatic",
        created=now(),
        currency=currency,
        livemode=False,
        metadata={},
        on_behalf_of=params.text("on_behalf_of"),
        payment_method_options={},
        payment_method_types=["card"],
        status="requires_payment_method",
    )
    intent["automatic_payment_methods"] = given.automatic_methods(params)
    given.apply(world, intent, params)
    world.store.add(intent)
    world.emit("payment_intent.created", intent)
    return intent


def check_secret(intent: JsonObject, call: Call) -> None:
    """Raises StripeError: a publishable key needs the client secret, and any given one must fit."""
    secret = Params(call.params).text("client_secret")
    if secret is None and not call.publishable:
        return
    if secret is None or not secrets.compare_digest(secret, intent["client_secret"]):
        raise invalid(
            "The client_secret provided does not match any associated PaymentIntent on this "
            "account. Ensure the publishable key used belongs to the same account that created "
            "the PaymentIntent.",
            "client_secret",
            "payment_intent_invalid_parameter",
        )


def _create(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only(given.CREATE)
    confirm = params.boolean("confirm") or False
    attempt = given.read_attempt(given.automatic_methods(params), params) if confirm else Attempt()
    if not confirm:
        given.refuse_without_confirm(params)
    elif not (params.text("payment_method") or params.given("payment_method_data")):
        raise invalid(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            "payment_method",
            "parameter_missing",
        )
    intent = create_intent(world, params)
    if confirm:
        payment_flow.confirm(world, intent, attempt)
    return expanded(world, intent, call)


def _confirm(world: World, call: Call) -> JsonObject:
    intent = world.store.named("payment_intent", call.ids[0], "intent")
    params = Params(call.params)
    params.only(given.CONFIRM)
    check_secret(intent, call)
    attempt = given.read_attempt(intent["automatic_payment_methods"], params)
    if intent["status"] not in _UNCONFIRMED:
        raise _confirmed_before(intent)
    given.apply(world, intent, params)
    if intent["payment_method"] is None:
        raise wrong_state(
            intent,
            "You cannot confirm this PaymentIntent because it's missing a payment method. You can "
            "either update the PaymentIntent with a payment method and then confirm it again, or "
            "confirm it again directly with a payment method or ConfirmationToken.",
        )
    method = world.store.tables["payment_method"][intent["payment_method"]]
    payment_flow.check_usable(world, intent, method)
    payment_flow.confirm(world, intent, attempt)
    return _shown(world, intent, call)


def _confirmed_before(intent: JsonObject) -> StripeError:
    if intent["status"] == "succeeded":
        reason = "it has already succeeded after being previously confirmed"
    else:
        reason = f"it has a status of {intent['status']}"
    return wrong_state(intent, f"You cannot confirm this PaymentIntent because {reason}.")


def _shown(world: World, intent: JsonObject, call: Call) -> JsonObject:
    if call.publishable:
        return {name: intent[name] for name in _PUBLIC}
    return expanded(world, intent, call)


def _retrieve(world: World, call: Call) -> JsonObject:
    intent = world.store.named("payment_intent", call.ids[0], "intent")
    Params(call.params).only(("client_secret", "expand"))
    check_secret(intent, call)
    return _shown(world, intent, call)


def _update(world: World, call: Call) -> JsonObject:
    intent = world.store.named("payment_intent", call.ids[0], "intent")
    params = Params(call.params)
    params.only(given.UPDATE)
    money = [name for name in ("amount", "currency", "payment_method") if params.given(name)]
    if money and intent["status"] not in _UNCONFIRMED:
        raise wrong_state(
            intent,
            f"This PaymentIntent's {money[0]} could not be updated because it has a status of "
            f"{intent['status']}. You may only update the {money[0]} of a PaymentIntent with one "
            f"of the following statuses: {', '.join(_UNCONFIRMED)}.",
        )
    currency = check_currency(params.text("currency") or intent["currency"])
    amount = params.integer("amount", 1) or intent["amount"]
    check_amount(amount, currency)
    given.apply(world, intent, params)
    intent.update(amount=amount, currency=currency)
    if money and intent["status"] == "requires_action":
        intent.update(status="requires_confirmation", next_action=None)
    return expanded(world, intent, call)


def _capture(world: World, call: Call) -> JsonObject:
    intent = world.store.named("payment_intent", call.ids[0], "intent")
    params = Params(call.params)
    params.only(given.CAPTURE)
    amount = params.integer("amount_to_capture", 0)
    if amount:
        check_amount(amount, intent["currency"], "amount_to_capture")
    metadata = params.metadata(intent["metadata"])
    payment_flow.capture(world, intent, amount, final=params.boolean("final_capture"))
    intent["metadata"] = metadata
    return expanded(world, intent, call)


def _cancel(world: World, call: Call) -> JsonObject:
    intent = world.store.named("payment_intent", call.ids[0], "intent")
    params = Params(call.params)
    params.only(("cancellation_reason", "expand"))
    payment_flow.cancel(world, intent, params.choice("cancellation_reason", given.CANCEL_REASONS))
    return expanded(world, intent, call)


def _list(world: World, call: Call) -> JsonObject:
    rows = matching(world.store.rows("payment_intent"), call, "customer", "customer_account")
    return expanded(world, page(rows, call), call)


ROUTES = [
    Route("POST", "/v1/payment_intents", _create),
    Route("GET", "/v1/payment_intents", _list),
    Route("GET", "/v1/payment_intents/{}", _retrieve, browser=True),
    Route("POST", "/v1/payment_intents/{}", _update),
    Route("POST", "/v1/payment_intents/{}/confirm", _confirm, browser=True),
    Route("POST", "/v1/payment_intents/{}/capture", _capture),
    Route("POST", "/v1/payment_intents/{}/cancel", _cancel),
]
