"""Customers and their saved payment methods."""

from __future__ import annotations

from apps.payments.gateways.simulation.store import now, token
from apps.payments.gateways.simulation.wire import JsonObject

from .errors import missing
from .params import Params
from .payment_methods import attach, resolve
from .routing import Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

_FIELDS = (
    "address",
    "balance",
    "business_name",
    "cash_balance",
    "description",
    "email",
    "expand",
    "individual_name",
    "invoice_prefix",
    "invoice_settings",
    "metadata",
    "name",
    "next_invoice_sequence",
    "phone",
    "preferred_locales",
    "shipping",
    "source",
    "tax",
    "tax_exempt",
    "validate",
)
_CREATE = (*_FIELDS, "payment_method", "tax_id_data", "test_clock")
_UPDATE = (*_FIELDS, "default_source")


def _apply(customer: JsonObject, params: Params) -> None:
    changes: JsonObject = {}
    for name in ("name", "description", "phone"):
        if params.given(name):
            changes[name] = params.text(name)
    if params.given("email"):
        changes["email"] = params.email("email")
    if params.given("address"):
        changes["address"] = params.address()
    if params.given("shipping"):
        changes["shipping"] = params.shipping()
    if params.given("balance"):
        changes["balance"] = params.integer("balance") or 0
    if params.given("preferred_locales"):
        changes["preferred_locales"] = params.texts("preferred_locales")
    if params.given("tax_exempt"):
        exempt = params.choice("tax_exempt", ("exempt", "none", "reverse"))
        changes["tax_exempt"] = exempt or "none"
    if params.given("invoice_settings"):
        settings = params.nested("invoice_settings")
        method = settings.text("default_payment_method")
        changes["invoice_settings"] = {
            **customer["invoice_settings"],
            "default_payment_method": method,
        }
    changes["metadata"] = params.metadata(customer["metadata"])
    customer.update(changes)


def _create(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only(_CREATE)
    customer: JsonObject = {
        "id": new_id("customer"),
        "object": "customer",
        "address": None,
        "balance": 0,
        "created": now(),
        "currency": None,
        "default_source": None,
        "delinquent": False,
        "description": None,
        "discount": None,
        "email": None,
        "invoice_prefix": token(8).upper(),
        "invoice_settings": {
            "custom_fields": None,
            "default_payment_method": None,
            "footer": None,
            "rendering_options": None,
        },
        "livemode": False,
        "metadata": {},
        "name": None,
        "next_invoice_sequence": 1,
        "phone": None,
        "preferred_locales": [],
        "shipping": None,
        "tax_exempt": "none",
        "test_clock": None,
    }
    _apply(customer, params)
    reference = params.text("payment_method")
    if reference:
        attach(world, resolve(world, reference), customer["id"])
    world.store.add(customer)
    world.emit("customer.created", customer)
    return expanded(world, customer, call)


def _alive(world: World, call: Call) -> JsonObject:
    customer = world.store.named("customer", call.ids[0])
    if customer.get("deleted"):
        raise missing("customer", call.ids[0], in_path=True)
    return customer


def _retrieve(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("customer", call.ids[0]), call)


def _update(world: World, call: Call) -> JsonObject:
    customer = _alive(world, call)
    params = Params(call.params)
    params.only(_UPDATE)
    _apply(customer, params)
    world.emit("customer.updated", customer)
    return expanded(world, customer, call)


def _delete(world: World, call: Call) -> JsonObject:
    """A deleted customer can still be retrieved, as a stub ("Delete a customer")."""
    customer = _alive(world, call)
    world.emit("customer.deleted", customer)
    for method in world.store.rows("payment_method"):
        if method["customer"] == customer["id"]:
            method["customer"] = None
            world.store.private(method["id"])["consumed"] = True
    stub = {"id": customer["id"], "object": "customer", "deleted": True}
    world.store.add(stub)
    return stub


def _list(world: World, call: Call) -> JsonObject:
    alive = [row for row in world.store.rows("customer") if not row.get("deleted")]
    rows = matching(alive, call, "email", "test_clock")
    return expanded(world, page(rows, call), call)


def _methods(world: World, call: Call) -> JsonObject:
    customer = _alive(world, call)
    rows = matching(world.store.rows("payment_method"), call, "type", "allow_redisplay")
    owned = [row for row in rows if row["customer"] == customer["id"]]
    return expanded(world, page(owned, call), call)


ROUTES = [
    Route("POST", "/v1/customers", _create),
    Route("GET", "/v1/customers", _list),
    Route("GET", "/v1/customers/{}", _retrieve),
    Route("POST", "/v1/customers/{}", _update),
    Route("DELETE", "/v1/customers/{}", _delete),
    Route("GET", "/v1/customers/{}/payment_methods", _methods),
]
