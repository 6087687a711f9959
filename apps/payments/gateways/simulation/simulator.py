"""A simulator as an object: tests start it in process, a command line runs it."""

from __future__ import annotations

import copy
import threading
import time
from dataclasses import asdict, replace
from types import TracebackType
from typing import Any, Self

from .clockwork import Clockwork
from .delivery import Dispatcher, Signer
from .faults import Fault
from .server import SimulatorServer
from .wire import JsonObject
from .world import World

POLL_SECONDS = 0.02


class Simulator:
    """An account at a payment provider on this machine, over real HTTP.

    Webhooks leave for loopback and the hosts allowed later only.
    """

    application: Any
    world: World
    # What the requests that charge begin with.
    charge_path = "/"

    def __init__(self, address: tuple[str, int], world: Any, sign: Signer) -> None:
        self.world = world
        self.dispatcher = Dispatcher(world, sign)
        self.clockwork = Clockwork(world)
        self._address = address
        self._server: SimulatorServer | None = None
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return self.world.base_url

    def start(self) -> Self:
        """Bind and serve in the background. Raises OSError when the port is taken."""
        server = SimulatorServer(self._address, self.application)
        self._server = server
        host = "127.0.0.1" if server.server_name in ("0.0.0.0", "::") else server.server_name
        self.world.base_url = f"http://{host}:{server.server_port}"
        self.world.stopping.clear()
        bodies = (
            lambda: server.serve_forever(POLL_SECONDS),
            self.dispatcher.run,
            self.clockwork.run,
        )
        for name, body in zip(("serve", "webhooks", "clockwork"), bodies, strict=True):
            thread = threading.Thread(target=body, name=f"simulator-{name}", daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def stop(self) -> None:
        """Stop at once: requests and deliveries under way are cut; the state file is written."""
        if self._server is None:
            return
        self.world.stopping.set()
        with self.world.lock:
            self.world.wake.notify_all()
        self.dispatcher.abort()
        self._server.close()
        for thread in self._threads:
            thread.join()
        self._threads.clear()
        self._server = None
        self.clockwork.save(now=True)

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        problem: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def allow_webhook_host(self, host: str) -> None:
        """Let webhooks leave for a host that is not loopback (a container of the demo)."""
        self.dispatcher.allowed_hosts.add(host)

    def configure_webhooks(
        self,
        *,
        delay_seconds: float | None = None,
        duplicate: int | None = None,
        reorder: bool | None = None,
        paused: bool | None = None,
    ) -> None:
        """Change how webhooks leave; what is not given stays. `duplicate` counts extra copies."""
        given = {
            "delay_seconds": delay_seconds,
            "duplicate": duplicate,
            "reorder": reorder,
            "paused": paused,
        }
        changes: dict[str, Any] = {
            name: value for name, value in given.items() if value is not None
        }
        with self.world.lock:
            self.world.plan = replace(self.world.plan, **changes)
            self.world.changed()

    def order_outcome(self, name: str, times: int = 1) -> None:
        """The next payments end so, whatever they are paid with."""
        with self.world.lock:
            self.world.outcomes.extend([name] * times)

    def behave(self) -> None:
        """Forget all that was ordered."""
        self.clear_faults()
        with self.world.lock:
            self.world.outcomes.clear()
        self.configure_webhooks(delay_seconds=0.0, duplicate=0, reorder=False, paused=False)

    def lost_charge(self) -> Fault:
        """The fault that loses the answer to the next charge."""
        return Fault(self.charge_path, "POST", drop_after_execute=True)

    def flush_webhooks(self, *, reverse: bool = False) -> int:
        """Send what is queued or held, now and in this thread; how many were sent."""
        return self.dispatcher.flush(reverse=reverse)

    def send_event(self, event_id: str | None = None, *, times: int = 1) -> int:
        """Queue an event, or all of them, again; how many deliveries that is."""
        return self.dispatcher.send(event_id, times)

    def wait_for_webhooks(self, timeout_seconds: float = 5.0) -> bool:
        """Wait until nothing is queued or under way; False when the time ran out."""
        end = time.monotonic() + timeout_seconds
        while time.monotonic() < end:
            with self.world.lock:
                if self.dispatcher.idle():
                    return True
            time.sleep(POLL_SECONDS)
        return False

    def webhook_attempts(self) -> list[JsonObject]:
        with self.world.lock:
            return copy.deepcopy(self.world.attempts)

    def add_fault(self, fault: Fault) -> None:
        with self.world.lock:
            self.world.faults.add(fault)

    def clear_faults(self) -> None:
        with self.world.lock:
            self.world.faults.clear()

    def faults(self) -> list[dict[str, Any]]:
        with self.world.lock:
            return [asdict(fault) for fault in self.world.faults.ordered]
