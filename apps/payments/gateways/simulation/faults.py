"""Faults a test orders: an error answer, a slow answer, a lost request, a lost reply."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class Fault:
    """What happens to the next `times` requests whose path begins with `path_prefix`.

    `status`: that error is answered and nothing executes. `timeout_seconds`: the request is held
    that long first (its idempotency key counts as in progress). `drop_before_execute`: the
    connection is cut and nothing executes. `drop_after_execute`: the request executes, then the
    connection is cut - the client cannot tell whether it was charged.
    """

    path_prefix: str = "/v1/"
    method: str | None = None
    status: int | None = None
    timeout_seconds: float = 0.0
    drop_before_execute: bool = False
    drop_after_execute: bool = False
    times: int = 1

    def matches(self, method: str, path: str) -> bool:
        return path.startswith(self.path_prefix) and self.method in (None, method)


class Faults:
    """The ordered faults, oldest first. Callers hold the world's lock."""

    def __init__(self) -> None:
        self.ordered: list[Fault] = []

    def add(self, fault: Fault) -> None:
        if fault.times > 0:
            self.ordered.append(fault)

    def take(self, method: str, path: str) -> Fault | None:
        """The fault for this request, counted down."""
        for fault in self.ordered:
            if fault.matches(method, path):
                fault.times -= 1
                if fault.times <= 0:
                    self.ordered.remove(fault)
                return fault
        return None

    def clear(self) -> None:
        self.ordered.clear()
