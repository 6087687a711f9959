"""What travels between the routes and the resources."""

from __future__ import annotations

from dataclasses import dataclass, field

from apps.payments.gateways.simulation.wire import JsonObject


@dataclass(frozen=True)
class Call:
    """A request the API accepted: whose it is, what it carries, and what its path names."""

    method: str
    path: str
    params: JsonObject
    request_id: str
    idempotency_key: str | None = None
    publishable: bool = False
    ids: tuple[str, ...] = field(default=())
