"""The control plane over HTTP, under `/_sim/`: how somebody else's process orders a failure."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from .wire import JsonObject, Reply, Request, json_reply

if TYPE_CHECKING:
    from .simulator import Simulator

# What a merchant may order, and what it does to the simulator.
BEHAVIOURS: dict[str, Callable[[Any], Any]] = {
    "decline": lambda simulator: simulator.order_outcome("decline"),
    "3ds": lambda simulator: simulator.order_outcome("3ds"),
    "timeout-after-charge": lambda simulator: simulator.add_fault(simulator.lost_charge()),
    "duplicate-webhook": lambda simulator: simulator.configure_webhooks(duplicate=1),
    "reorder": lambda simulator: simulator.configure_webhooks(reorder=True),
    "delay": lambda simulator: simulator.configure_webhooks(delay_seconds=30.0),
    "dispute": lambda simulator: simulator.dispute_latest(),
    "normal": lambda simulator: simulator.behave(),
}


class Control:
    """`POST /_sim/next {"behaviour": …}` and `GET /_sim/state`."""

    def __init__(self, simulator: Simulator) -> None:
        self.simulator: Any = simulator

    def answer(self, request: Request) -> Reply:
        if (request.method, request.path) == ("GET", "/_sim/state"):
            return json_reply(200, self.simulator.state())
        if (request.method, request.path) != ("POST", "/_sim/next"):
            return json_reply(404, {"error": {"message": "No such order."}})
        return next_behaviour(self.simulator, json.loads(request.body or "{}"))


def next_behaviour(simulator: Any, content: JsonObject) -> Reply:
    """Order what happens next. 404 for what there is nothing of yet, 400 for an unknown word."""
    run = BEHAVIOURS.get(str(content.get("behaviour", "")))
    if run is None:
        known = ", ".join(BEHAVIOURS)
        return json_reply(400, {"error": {"message": f"Known are {known}."}})
    try:
        run(simulator)
    except LookupError:
        return json_reply(404, {"error": {"message": "Nothing was paid yet."}})
    return json_reply(200, {"next": content["behaviour"]})
