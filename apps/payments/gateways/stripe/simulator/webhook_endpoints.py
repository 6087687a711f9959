"""Webhook endpoints and the events they are told ("Webhook endpoints", "Events")."""

from __future__ import annotations

from urllib.parse import urlsplit

from apps.payments.gateways.simulation.store import now, token
from apps.payments.gateways.simulation.wire import JsonObject

from .errors import invalid
from .params import Params
from .routing import Route, expanded, matching, page
from .store import new_id
from .wire import Call
from .world import World

_FIELDS = ("url", "enabled_events", "description", "metadata", "expand")


def register(
    world: World, url: str, secret: str | None, events: list[str], identifier: str | None = None
) -> JsonObject:
    """A stored endpoint; its signing secret (`whsec_…`) stays in the store's hidden part."""
    endpoint = world.store.add(
        {
            "id": identifier or new_id("webhook_endpoint"),
            "object": "webhook_endpoint",
            "api_version": None,
            "application": None,
            "created": now(),
            "description": None,
            "enabled_events": events,
            "livemode": False,
            "metadata": {},
            "status": "enabled",
            "url": url,
        }
    )
    world.store.private(endpoint["id"])["secrets"] = [secret or f"whsec_{token(32)}"]
    return endpoint


def roll_secret(world: World, identifier: str, secret: str | None) -> str:
    """A new signing secret; deliveries are signed with the previous one too ("Roll secrets")."""
    endpoint = world.store.named("webhook_endpoint", identifier)
    private = world.store.private(endpoint["id"])
    private["secrets"] = [secret or f"whsec_{token(32)}", private["secrets"][0]]
    return str(private["secrets"][0])


def remove(world: World, identifier: str) -> None:
    world.store.tables["webhook_endpoint"].pop(identifier)
    world.store.hidden.pop(identifier, None)
    world.store.deliveries[:] = [
        delivery for delivery in world.store.deliveries if delivery["endpoint"] != identifier
    ]


def _url(params: Params) -> str:
    value = params.needed("url")
    if urlsplit(value).scheme not in ("http", "https"):
        raise invalid(
            "Invalid URL: An explicit scheme (such as https) must be provided.",
            "url",
            "url_invalid",
        )
    return value


def _create(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    params.only((*_FIELDS, "api_version", "connect"))
    params.require("url", "enabled_events")
    metadata = params.metadata()
    endpoint = register(world, _url(params), None, params.texts("enabled_events"))
    endpoint["api_version"] = params.text("api_version")
    endpoint["description"] = params.text("description")
    endpoint["metadata"] = metadata
    # The only time the secret is shown ("Create a webhook endpoint").
    secret = world.store.private(endpoint["id"])["secrets"][0]
    return {**expanded(world, endpoint, call), "secret": secret}


def _retrieve(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("webhook_endpoint", call.ids[0]), call)


def _update(world: World, call: Call) -> JsonObject:
    endpoint = world.store.named("webhook_endpoint", call.ids[0])
    params = Params(call.params)
    params.only((*_FIELDS, "disabled"))
    if params.given("url"):
        endpoint["url"] = _url(params)
    if params.given("enabled_events"):
        endpoint["enabled_events"] = params.texts("enabled_events")
    if params.given("description"):
        endpoint["description"] = params.text("description")
    if params.given("disabled"):
        endpoint["status"] = "disabled" if params.boolean("disabled") else "enabled"
    endpoint["metadata"] = params.metadata(endpoint["metadata"])
    return expanded(world, endpoint, call)


def _delete(world: World, call: Call) -> JsonObject:
    endpoint = world.store.named("webhook_endpoint", call.ids[0])
    remove(world, endpoint["id"])
    return {"id": endpoint["id"], "object": "webhook_endpoint", "deleted": True}


def _list(world: World, call: Call) -> JsonObject:
    rows = matching(world.store.rows("webhook_endpoint"), call)
    return expanded(world, page(rows, call), call)


def _event(world: World, call: Call) -> JsonObject:
    Params(call.params).only(("expand",))
    return expanded(world, world.store.named("event", call.ids[0]), call)


def _events(world: World, call: Call) -> JsonObject:
    params = Params(call.params)
    types = params.texts("types")
    plain = {key: value for key, value in call.params.items() if key != "types"}
    delivered = params.boolean("delivery_success")
    plain.pop("delivery_success", None)
    wanted = Call(call.method, call.path, plain, call.request_id)
    rows = matching(world.store.rows("event"), wanted, "type")
    if types:
        rows = [row for row in rows if row["type"] in types]
    if delivered is not None:
        rows = [row for row in rows if (row["pending_webhooks"] == 0) is delivered]
    return expanded(world, page(rows, wanted), wanted)


ROUTES = [
    Route("POST", "/v1/webhook_endpoints", _create),
    Route("GET", "/v1/webhook_endpoints", _list),
    Route("GET", "/v1/webhook_endpoints/{}", _retrieve),
    Route("POST", "/v1/webhook_endpoints/{}", _update),
    Route("DELETE", "/v1/webhook_endpoints/{}", _delete),
    Route("GET", "/v1/events", _events),
    Route("GET", "/v1/events/{}", _event),
]
