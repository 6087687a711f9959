"""The parameters of a PaymentIntent: which are documented, and what they change."""

from __future__ import annotations

from apps.payments.gateways.simulation.wire import JsonObject

from . import payment_flow, payment_methods
from .errors import StripeError, invalid, missing
from .params import Params
from .payment_flow import Attempt
from .world import World

UPDATE = (
    "allowed_payment_method_types",
    "amount_details",
    "application_fee_amount",
    "capture_method",
    "customer",
    "customer_account",
    "description",
    "excluded_payment_method_types",
    "expand",
    "hooks",
    "metadata",
    "payment_details",
    "payment_method",
    "payment_method_configuration",
    "payment_method_data",
    "payment_method_options",
    "payment_method_types",
    "receipt_email",
    "setup_future_usage",
    "shipping",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
    "transfer_group",
    "amount",
    "currency",
)
CONFIRM = (
    "allowed_payment_method_types",
    "amount_details",
    "amount_to_confirm",
    "capture_method",
    "client_secret",
    "confirmation_token",
    "error_on_requires_action",
    "excluded_payment_method_types",
    "expand",
    "hooks",
    "mandate",
    "mandate_data",
    "off_session",
    "payment_details",
    "payment_method",
    "payment_method_data",
    "payment_method_options",
    "payment_method_types",
    "radar_options",
    "receipt_email",
    "return_url",
    "setup_future_usage",
    "shipping",
    "use_stripe_sdk",
)
CREATE = (
    *UPDATE,
    "automatic_payment_methods",
    "confirm",
    "confirmation_method",
    "confirmation_token",
    "error_on_requires_action",
    "mandate",
    "mandate_data",
    "off_session",
    "on_behalf_of",
    "radar_options",
    "return_url",
    "use_stripe_sdk",
)
CAPTURE = (
    "amount_details",
    "amount_to_capture",
    "application_fee_amount",
    "expand",
    "final_capture",
    "hooks",
    "metadata",
    "payment_details",
    "statement_descriptor",
    "statement_descriptor_suffix",
    "transfer_data",
)
SIMULATED_TYPES = ("card", "us_bank_account")
_CAPTURE_METHODS = ("automatic", "automatic_async", "manual")
CANCEL_REASONS = ("abandoned", "duplicate", "fraudulent", "requested_by_customer")


def automatic_methods(params: Params) -> JsonObject | None:
    """Dashboard payment methods are the default where no types are named (since 2023-08-16)."""
    part = params.nested("automatic_payment_methods")
    part.only(("enabled", "allow_redirects"))
    redirects = part.choice("allow_redirects", ("always", "never")) or "always"
    if params.given("payment_method_types") or params.given("allowed_payment_method_types"):
        if part.boolean("enabled"):
            raise _exclusive("automatic_payment_methods", "payment_method_types")
        return None
    if part.boolean("enabled") is False:
        return None
    return {"allow_redirects": redirects, "enabled": True}


def method_types(world: World, params: Params) -> JsonObject:
    """The payment method types a request names, by the old parameter or by the one after it.

    API versions since 2026-09-30 refuse `payment_method_types`; the simulator does so on demand.
    `allowed_payment_method_types` drops what cannot be used instead of refusing it.
    """
    if params.given("payment_method_types"):
        if world.refuse_retired:
            raise invalid(
                "`payment_method_types` is no longer supported. Use "
                "`allowed_payment_method_types` or dynamic payment methods.",
                "payment_method_types",
                "payment_method_types_no_longer_supported",
            )
        if params.given("allowed_payment_method_types"):
            raise _exclusive("allowed_payment_method_types", "payment_method_types")
        return {"payment_method_types": params.texts("payment_method_types")}
    if not params.given("allowed_payment_method_types"):
        return {}
    allowed = params.texts("allowed_payment_method_types")
    return {
        "allowed_payment_method_types": allowed,
        "payment_method_types": [kind for kind in allowed if kind in SIMULATED_TYPES],
    }


def _exclusive(first: str, second: str) -> StripeError:
    return invalid(
        f"You may only specify one of these parameters: {first}, {second}.",
        first,
        "parameters_exclusive",
    )


def apply(world: World, intent: JsonObject, params: Params) -> None:
    """Take over the parameters that create, update and confirm share. All or nothing."""
    changes: JsonObject = {}
    for name in ("description", "statement_descriptor", "transfer_group"):
        if params.given(name):
            changes[name] = params.text(name)
    if params.given("receipt_email"):
        changes["receipt_email"] = params.email("receipt_email")
    if params.given("statement_descriptor_suffix"):
        changes["statement_descriptor_suffix"] = params.text("statement_descriptor_suffix", 22)
    if params.given("application_fee_amount"):
        changes["application_fee_amount"] = params.integer("application_fee_amount", 0)
    if params.given("shipping"):
        changes["shipping"] = params.shipping()
    if params.given("metadata"):
        changes["metadata"] = params.metadata(intent["metadata"])
    if params.given("capture_method"):
        changes["capture_method"] = params.choice("capture_method", _CAPTURE_METHODS)
    if params.given("setup_future_usage"):
        usage = params.choice("setup_future_usage", ("off_session", "on_session"))
        changes["setup_future_usage"] = usage
    changes.update(method_types(world, params))
    for name in ("payment_method_options", "transfer_data"):
        if params.given(name):
            changes[name] = params.nested(name).values
    card = (changes.get("payment_method_options") or {}).get("card") or {}
    if "request_multicapture" in card and not world.may_multicapture:
        raise invalid(
            "This account is not eligible for the requested card features.",
            "payment_method_options[card][request_multicapture]",
        )
    if params.given("customer"):
        customer = world.store.referenced("customer", params.needed("customer"), "customer")
        changes["customer"] = customer["id"]
    candidate = {**intent, **changes}
    method = _given_method(world, params)
    if method:
        payment_flow.check_usable(world, candidate, method)
        changes["payment_method"] = method["id"]
        changes["status"] = "requires_confirmation"
    intent.update(changes)


def read_attempt(intent_automatic: JsonObject | None, params: Params) -> Attempt:
    """How to confirm. Raises StripeError (400) where Stripe wants a return_url."""
    attempt = Attempt(
        off_session=_off_session(params),
        return_url=params.url("return_url"),
        error_on_requires_action=params.boolean("error_on_requires_action") or False,
    )
    redirects = (intent_automatic or {}).get("allow_redirects") == "always"
    if redirects and not attempt.return_url and not params.boolean("use_stripe_sdk"):
        raise invalid(
            "This PaymentIntent is configured to accept payment methods enabled in your Dashboard. "
            "Because some of these payment methods might redirect your customer off of your page, "
            "you must provide a `return_url`. If you don't want to accept redirect-based payment "
            "methods, set `automatic_payment_methods[enabled]` to `true` and "
            "`automatic_payment_methods[allow_redirects]` to `never` when creating Setup Intents "
            "and Payment Intents.",
            "return_url",
        )
    return attempt


def _off_session(params: Params) -> bool:
    """True, false, or the older `one_off` and `recurring`, which mean true."""
    if params.values.get("off_session") in ("one_off", "recurring"):
        return True
    return params.boolean("off_session") or False


def refuse_without_confirm(params: Params) -> None:
    for name in ("return_url", "off_session", "error_on_requires_action"):
        if params.given(name):
            raise invalid(
                f"`{name}` can only be provided when confirming: set `confirm` to true.", name
            )


def _given_method(world: World, params: Params) -> JsonObject | None:
    reference = params.text("payment_method")
    if reference and params.given("payment_method_data"):
        raise _exclusive("payment_method", "payment_method_data")
    if params.text("confirmation_token"):
        raise missing(
            "confirmation_token", params.needed("confirmation_token"), "confirmation_token"
        )
    if reference:
        return payment_methods.resolve(world, reference)
    if params.given("payment_method_data"):
        return payment_methods.from_data(world, params.nested("payment_method_data"))
    return None
