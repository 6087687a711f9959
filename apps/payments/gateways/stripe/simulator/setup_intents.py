"""SetupIntents: save a payment method without a payment ("Save and reuse")."""

from __future__ import annotations

from apps.payments.gateways.simulation.store import now, token
from apps.payments.gateways.simulation.wire import JsonObject

from . import cards, payment_methods
from .errors import StripeError, invalid, refused
from .params import Params
from .payment_intent_params import method_types
from .payment_intents import check_secret
from .routing import Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

_CONFIRM = (
    "allowed_payment_method_types",
    "client_secret",
    "confirmation_token",
    "expand",
    "mandate_data",
    "payment_method",
    "payment_method_data",
    "payment_method_options",
    "return_url",
    "use_stripe_sdk",
)
_UPDATE = (
    "allowed_payment_method_types",
    "attach_to_self",
    "customer",
    "description",
    "excluded_payment_method_types",
    "expand",
    "flow_directions",
    "metadata",
    "payment_method",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "payment_method_types",
)
_CREATE = (
    *_UPDATE,
    "automatic_payment_methods",
    "confirm",
    "confirmation_token",
    "mandate_data",
    "on_behalf_of",
    "return_url",
    "single_use",
    "usage",
    "use_stripe_sdk",
)
_UNCONFIRMED = ("requires_payment_method", "requires_confirmation", "requires_action")
_EMPTY = (
    "allowed_payment_method_types "
    "application cancellation_reason customer description excluded_payment_method_types "
    "flow_directions last_setup_error latest_attempt mandate next_action on_behalf_of "
    "payment_method payment_method_configuration_details single_use_mandate"
).split()


def complete_setup(world: World, intent: JsonObject, *, succeeded: bool) -> None:
    """The customer finished authentication. Raises StripeError (400) if none is awaited."""
    if intent["status"] != "requires_action":
        raise refused(f"This SetupIntent has a status of {intent['status']}.")
    intent["next_action"] = None
    method = world.store.tables["payment_method"][intent["payment_method"]]
    if succeeded:
        _succeed(world, intent, method)
    else:
        _fail(world, intent, cards.AUTHENTICATION_FAILED)


def _apply(world: World, intent: JsonObject, params: Params) -> None:
    if params.given("metadata"):
        intent["metadata"] = params.metadata(intent["metadata"])
    if params.given("description"):
        intent["description"] = params.text("description")
    intent.update(method_types(world, params))
    if params.given("customer"):
        customer = world.store.referenced("customer", params.needed("customer"), "customer")
        intent["customer"] = customer["id"]
    reference = params.text("payment_method")
    if reference:
        method = payment_methods.resolve(world, reference)
    elif params.given("payment_method_data"):
        method = payment_methods.from_data(world, params.nested("payment_method_data"))
    else:
        return
    if method["customer"] not in (None, intent["customer"]):
        raise invalid("The payment method belongs to another customer.", "payment_method")
    intent.update(payment_method=method["id"], status="requires_confirmation")


def _confirm_intent(world: World, intent: JsonObject, return_url: str | None) -> None:
    if intent["status"] not in _UNCONFIRMED or intent["payment_method"] is None:
        raise refused(
            "You cannot confirm this SetupIntent because it's missing a payment method or has a "
            f"status of {intent['status']}.",
            "setup_intent_unexpected_state",
        )
    method = world.store.tables["payment_method"][intent["payment_method"]]
    card = payment_methods.card_of(world, method["id"])
    if card and card.decline and not card.attachable:
        raise _fail(world, intent, card.decline)
    if card and card.authentication in ("always", "until_set_up"):
        _ask_authentication(world, intent, return_url)
    else:
        _succeed(world, intent, method)


def _ask_authentication(world: World, intent: JsonObject, return_url: str | None) -> None:
    private = world.store.private(intent["id"])
    private.update(action_token=token(), return_url=return_url)
    url = f"{world.base_url}/authenticate/{intent['id']}/{private['action_token']}"
    if return_url:
        target = {"return_url": return_url, "url": url}
        intent["next_action"] = {"type": "redirect_to_url", "redirect_to_url": target}
    else:
        details = {"type": "three_d_secure_redirect", "stripe_js": url}
        intent["next_action"] = {"type": "use_stripe_sdk", "use_stripe_sdk": details}
    intent["status"] = "requires_action"
    world.emit("setup_intent.requires_action", intent)


def _succeed(world: World, intent: JsonObject, method: JsonObject) -> None:
    intent.update(status="succeeded", last_setup_error=None)
    world.store.private(method["id"])["set_up"] = True
    if intent["customer"]:
        payment_methods.attach(world, method, intent["customer"])
    world.emit("setup_intent.succeeded", intent)


def _fail(world: World, intent: JsonObject, decline: cards.Decline) -> StripeError:
    error = payment_methods.card_error(decline)
    intent.update(
        status="requires_payment_method",
        payment_method=None,
        last_setup_error=error.content()["error"],
    )
    world.emit("setup_intent.setup_failed", intent)
    error.extra["setup_intent"] = dict(intent)
    return error


def _create(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only(_CREATE)
    return_url = params.url("return_url")
    confirm = params.boolean("confirm") or False
    identifier = new_id("setup_intent")
    automatic = not method_types(world, params)
    intent: JsonObject = dict.fromkeys(_EMPTY)
    intent.update(
        id=identifier,
        object="setup_intent",
        automatic_payment_methods=(
            {"allow_redirects": "always", "enabled": True} if automatic else None
        ),
        client_secret=f"{identifier}_secret_{token(25)}",
        created=now(),
        livemode=False,
        metadata={},
        payment_method_options={},
        payment_method_types=["card"],
        status="requires_payment_method",
        usage=params.choice("usage", ("off_session", "on_session")) or "off_session",
    )
    _apply(world, intent, params)
    world.store.add(intent)
    world.emit("setup_intent.created", intent)
    if confirm:
        _confirm_intent(world, intent, return_url)
    return expanded(world, intent, call)


def _confirm(world: World, call: Call) -> JsonObject:
    intent = world.store.named("setup_intent", call.ids[0], "intent")
    params = Params(call.params)
    params.only(_CONFIRM)
    check_secret(intent, call)
    return_url = params.url("return_url")
    if intent["status"] in _UNCONFIRMED:
        _apply(world, intent, params)
    _confirm_intent(world, intent, return_url)
    return expanded(world, intent, call)


def _update(world: World, call: Call) -> JsonObject:
    intent = world.store.named("setup_intent", call.ids[0], "intent")
    params = Params(call.params)
    params.only(_UPDATE)
    _apply(world, intent, params)
    return expanded(world, intent, call)


def _retrieve(world: World, call: Call) -> JsonObject:
    intent = world.store.named("setup_intent", call.ids[0], "intent")
    Params(call.params).only(("client_secret", "expand"))
    check_secret(intent, call)
    return expanded(world, intent, call)


def _cancel(world: World, call: Call) -> JsonObject:
    intent = world.store.named("setup_intent", call.ids[0], "intent")
    params = Params(call.params)
    params.only(("cancellation_reason", "expand"))
    reasons = ("abandoned", "duplicate", "requested_by_customer")
    reason = params.choice("cancellation_reason", reasons)
    if intent["status"] not in _UNCONFIRMED:
        raise refused(
            f"You cannot cancel this SetupIntent because it has a status of {intent['status']}.",
            "setup_intent_unexpected_state",
        )
    intent.update(status="canceled", cancellation_reason=reason, next_action=None)
    world.emit("setup_intent.canceled", intent)
    return expanded(world, intent, call)


def _list(world: World, call: Call) -> JsonObject:
    rows = matching(world.store.rows("setup_intent"), call, "customer", "payment_method")
    return expanded(world, page(rows, call), call)


ROUTES = [
    Route("POST", "/v1/setup_intents", _create),
    Route("GET", "/v1/setup_intents", _list),
    Route("GET", "/v1/setup_intents/{}", _retrieve, browser=True),
    Route("POST", "/v1/setup_intents/{}", _update),
    Route("POST", "/v1/setup_intents/{}/confirm", _confirm, browser=True),
    Route("POST", "/v1/setup_intents/{}/cancel", _cancel),
]
