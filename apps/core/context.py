"""Who is acting, and in which request: for logs, timelines and the audit log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

# The ids of what staff are limited to, by kind (`apps.core.scopes`).
Limits = Mapping[str, frozenset[int]]


@dataclass(frozen=True, slots=True)
class Actor:
    """`label` names the actor for staff ("merchant@example.com", "user:<id>", "api-key:Erp")."""

    label: str = "system"
    user_id: int | None = None
    ip: str = ""
    request_id: str = ""
    is_staff: bool = False
    # The program they use, as it calls itself.
    agent: str = ""
    # Set where staff act as staff: in the back office, and at its part of the API.
    limits: Limits = field(default_factory=dict)


_actor: ContextVar[Actor] = ContextVar("actor", default=Actor())  # noqa: B039 (frozen)


def current_actor() -> Actor:
    return _actor.get()


def set_actor(**changes: object) -> None:
    """Refine the actor of the running request (authentication happens after the middleware)."""
    _actor.set(replace(_actor.get(), **changes))  # type: ignore[arg-type]


@contextmanager
def acting(actor: Actor) -> Iterator[None]:
    """Run a block as `actor`."""
    token = _actor.set(actor)
    try:
        yield
    finally:
        _actor.reset(token)
