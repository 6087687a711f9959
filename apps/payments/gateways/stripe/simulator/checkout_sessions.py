"""Checkout Sessions in payment mode, paid on a page of the simulator ("Checkout Sessions API")."""

from __future__ import annotations

from apps.payments.gateways.simulation.store import now, token
from apps.payments.gateways.simulation.wire import JsonObject

from . import payment_flow, payment_intents, payment_methods
from .currencies import check_amount, check_currency
from .errors import StripeError, invalid, refused
from .params import Params
from .payment_flow import Attempt
from .payment_intent_params import method_types
from .routing import Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

_CREATE = (
    "allowed_payment_method_types "
    "adaptive_pricing after_expiration allow_promotion_codes automatic_tax "
    "billing_address_collection branding_settings cancel_url client_reference_id "
    "consent_collection currency custom_fields custom_text customer customer_creation "
    "customer_email customer_update expand expires_at invoice_creation line_items locale metadata "
    "mode name_collection payment_intent_data payment_method_collection "
    "payment_method_configuration payment_method_options payment_method_types permissions "
    "phone_number_collection saved_payment_method_options shipping_address_collection submit_type "
    "success_url tax_id_collection"
).split()
_EMPTY = (
    "allowed_payment_method_types "
    "after_expiration allow_promotion_codes billing_address_collection cancel_url "
    "client_reference_id client_secret collected_information consent consent_collection "
    "currency_conversion customer customer_account customer_creation customer_details "
    "customer_email discounts integration_identifier invoice invoice_creation locale "
    "managed_payments origin_context payment_intent payment_link payment_method_collection "
    "payment_method_configuration_details permissions phone_number_collection recovered_from "
    "saved_payment_method_options setup_intent shipping_address_collection shipping_cost "
    "submit_type subscription success_url ui_mode wallet_options"
).split()
_INTENT_DATA = (
    "application_fee_amount capture_method description metadata on_behalf_of receipt_email "
    "setup_future_usage shipping statement_descriptor statement_descriptor_suffix transfer_data "
    "transfer_group"
).split()
HALF_HOUR, DAY = 1800, 24 * 3600


def pay(world: World, session: JsonObject, method: str) -> JsonObject:
    """Pay an open session with a payment method; its PaymentIntent, perhaps `requires_action`.

    Raises StripeError: 400 when the session is not open, 402 when the payment is declined.
    """
    if session["status"] != "open":
        raise refused(f"This Checkout Session is {session['status']}.")
    intent = world.store.get("payment_intent", session["payment_intent"])
    if intent is None:
        intent = payment_intents.create_intent(world, Params(_intent_params(world, session)))
        world.store.private(intent["id"])["checkout_session"] = session["id"]
        session["payment_intent"] = intent["id"]
    stored = payment_methods.resolve(world, method)
    payment_flow.check_usable(world, intent, stored)
    intent["payment_method"] = stored["id"]
    # Back here, which goes on to the shop or, after a failure, offers to try again.
    back = f"{world.base_url}/checkout/{session['id']}"
    payment_flow.confirm(world, intent, Attempt(return_url=back))
    return intent


def complete(world: World, identifier: str) -> None:
    """The session's payment went through (or is authorised, with manual capture)."""
    session = world.store.tables["checkout.session"][identifier]
    intent = world.store.tables["payment_intent"][session["payment_intent"]]
    paid = intent["status"] == "succeeded"
    session.update(
        status="complete", payment_status="paid" if paid else "unpaid", customer=intent["customer"]
    )
    world.emit("checkout.session.completed", session)


def success_url(session: JsonObject) -> str | None:
    url = session["success_url"]
    return url.replace("{CHECKOUT_SESSION_ID}", session["id"]) if url else None


def expire_late(world: World, identifier: str) -> None:
    session = world.store.get("checkout.session", identifier)
    if session and session["status"] == "open" and session["expires_at"] <= now():
        _expire_session(world, session)


def _intent_params(world: World, session: JsonObject) -> JsonObject:
    data = dict(world.store.private(session["id"])["payment_intent_data"])
    data["amount"] = str(session["amount_total"])
    data["currency"] = session["currency"]
    data["allowed_payment_method_types"] = {"0": "card"}
    if session["customer"]:
        data["customer"] = session["customer"]
    return data


def _create(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only(_CREATE)
    if params.needed("mode") != "payment":
        raise invalid("The simulator supports the mode payment.", "mode")
    intent_data = params.nested("payment_intent_data")
    intent_data.only(_INTENT_DATA)
    items, currency = _line_items(params)
    total = check_amount(sum(item["amount_total"] for item in items), currency)
    expires = params.integer("expires_at") or now() + DAY
    if not now() + HALF_HOUR - 60 <= expires <= now() + DAY + 60:
        raise invalid(
            "The `expires_at` timestamp must be 30 minutes to 24 hours away.", "expires_at"
        )
    session = _new_session(params, currency, total, expires)
    session.update(method_types(world, params))
    customer = params.text("customer")
    if customer:
        session["customer"] = world.store.referenced("customer", customer, "customer")["id"]
    session["url"] = f"{world.base_url}/checkout/{session['id']}"
    world.store.add(session)
    private = world.store.private(session["id"])
    url = f"/v1/checkout/sessions/{session['id']}/line_items"
    private["line_items"] = {"object": "list", "url": url, "has_more": False, "data": items}
    private["payment_intent_data"] = intent_data.values
    return expanded(world, session, call)


def _new_session(params: Params, currency: str, total: int, expires: int) -> JsonObject:
    session: JsonObject = dict.fromkeys(_EMPTY)
    identifier = new_id("checkout.session") + token(30)
    session.update(
        id=identifier,
        object="checkout.session",
        adaptive_pricing={"enabled": False},
        amount_subtotal=total,
        amount_total=total,
        automatic_tax={"enabled": False, "liability": None, "provider": None, "status": None},
        cancel_url=params.url("cancel_url"),
        client_reference_id=params.text("client_reference_id", 200),
        created=now(),
        currency=currency,
        custom_fields=[],
        custom_text={},
        customer_email=params.email("customer_email"),
        expires_at=expires,
        livemode=False,
        locale=params.text("locale"),
        metadata=params.metadata(),
        mode="payment",
        payment_method_options={},
        payment_method_types=["card"],
        payment_status="unpaid",
        shipping_options=[],
        status="open",
        submit_type=params.text("submit_type"),
        success_url=params.url("success_url"),
        total_details={"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
    )
    if session["customer_email"]:
        session["customer_details"] = {"email": session["customer_email"]}
    return session


def _line_items(params: Params) -> tuple[list[JsonObject], str]:
    """The lines and their one currency. Amounts in minor units."""
    params.require("line_items")
    items: list[JsonObject] = []
    for position, values in enumerate(params.objects("line_items")):
        line = Params(values, f"line_items[{position}]")
        line.only(("price_data", "quantity", "adjustable_quantity", "metadata"))
        line.require("price_data")
        price = line.nested("price_data")
        price.only(("currency", "unit_amount", "product_data", "tax_behavior"))
        price.require("currency", "unit_amount", "product_data")
        product = price.nested("product_data")
        product.require("name")
        currency = check_currency(price.needed("currency"), price.name("currency"))
        unit, quantity = price.integer("unit_amount", 0) or 0, line.integer("quantity", 1) or 1
        items.append(
            {
                "id": f"li_{token()}",
                "object": "item",
                "amount_discount": 0,
                "amount_subtotal": unit * quantity,
                "amount_tax": 0,
                "amount_total": unit * quantity,
                "currency": currency,
                "description": product.text("name"),
                "quantity": quantity,
            }
        )
    if len({item["currency"] for item in items}) != 1:
        raise invalid("All line items must have the same currency.", "line_items")
    return items, str(items[0]["currency"])


def _expire_session(world: World, session: JsonObject) -> None:
    if session["status"] != "open":
        raise _not_open(session)
    session.update(status="expired", url=None)
    intent = world.store.get("payment_intent", session["payment_intent"])
    if intent and intent["status"] in payment_flow.CANCELABLE:
        payment_flow.cancel(world, intent, None)
    world.emit("checkout.session.expired", session)


def _not_open(session: JsonObject) -> StripeError:
    return refused(
        'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session '
        f"has a status of {session['status']}."
    )


def _retrieve(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    expire_late(world, call.ids[0])
    return expanded(world, world.store.named("checkout.session", call.ids[0], "session"), call)


def _expire(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    session = world.store.named("checkout.session", call.ids[0], "session")
    _expire_session(world, session)
    return expanded(world, session, call)


def _list(world: World, call: Call) -> JsonObject:
    names = ("customer", "payment_intent", "status")
    rows = matching(world.store.rows("checkout.session"), call, *names)
    return expanded(world, page(rows, call), call)


def _items(world: World, call: Call) -> JsonObject:
    session = world.store.named("checkout.session", call.ids[0], "session")
    items = world.store.private(session["id"])["line_items"]["data"]
    return page([{"created": 0, **item} for item in items], call)


ROUTES = [
    Route("POST", "/v1/checkout/sessions", _create),
    Route("GET", "/v1/checkout/sessions", _list),
    Route("GET", "/v1/checkout/sessions/{}", _retrieve),
    Route("POST", "/v1/checkout/sessions/{}/expire", _expire),
    Route("GET", "/v1/checkout/sessions/{}/line_items", _items),
]
