"""The simulator as an object: tests start it in process, the command line runs it."""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Literal

from . import webhook_endpoints
from .application import Application
from .clockwork import Clockwork
from .faults import Fault
from .server import SimulatorServer
from .store import token
from .webhooks import Dispatcher
from .wire import JsonObject, Request
from .world import World

Outcome = Literal["succeeded", "failed"]
POLL_SECONDS = 0.02
DEMO_ENDPOINT = "we_demo"


class StripeSimulator:
    """A Stripe account on this machine, over real HTTP. No network beyond loopback.

    `port` 0 takes a free one. `state_file` keeps the account over a restart. `accepted_keys`
    narrows the secret keys, any `sk_test_…` unless given. `settle_seconds` is how long an
    asynchronous outcome takes. Webhooks leave for loopback and the hosts allowed later only.
    `refuse_retired` refuses parameters retired by the newest API version, `payment_method_types`.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        state_file: Path | None = None,
        accepted_keys: Sequence[str] = (),
        settle_seconds: float = 0.5,
        refuse_retired: bool = False,
    ) -> None:
        self.secret_key = accepted_keys[0] if accepted_keys else "sk_test_simulator"
        self.publishable_key = "pk_test_simulator"
        self.webhook_secret = f"whsec_{token(32)}"
        self.world = World(state_file, settle_seconds)
        self.world.refuse_retired = refuse_retired
        self.dispatcher = Dispatcher(self.world)
        self.clockwork = Clockwork(self.world)
        self.application = Application(self.world, self.dispatcher, accepted_keys)
        self._address = (host, port)
        self._server: SimulatorServer | None = None
        self._threads: list[threading.Thread] = []

    @property
    def url(self) -> str:
        return self.world.base_url

    def start(self) -> StripeSimulator:
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
            thread = threading.Thread(target=body, name=f"stripe-simulator-{name}", daemon=True)
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

    def __enter__(self) -> StripeSimulator:
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

    def register_webhook(
        self, url: str, secret: str | None = None, events: Sequence[str] = ("*",)
    ) -> str:
        """The id of a new endpoint, signed with `secret` or with `webhook_secret`."""
        with self.world.lock:
            signing = secret or self.webhook_secret
            endpoint = webhook_endpoints.register(self.world, url, signing, list(events))
            return str(endpoint["id"])

    def use_webhook(self, url: str, secret: str | None = None) -> None:
        """The one endpoint of a demo: a restart with a state file replaces it."""
        self.webhook_secret = secret or self.webhook_secret
        with self.world.lock:
            webhook_endpoints.register(self.world, url, self.webhook_secret, ["*"], DEMO_ENDPOINT)

    def remove_webhook(self, endpoint: str) -> None:
        with self.world.lock:
            webhook_endpoints.remove(self.world, endpoint)

    def roll_webhook_secret(self, endpoint: str, secret: str | None = None) -> str:
        """The new secret; deliveries carry a signature of the previous one as well."""
        content = {"endpoint": endpoint, **({"secret": secret} if secret else {})}
        return str(self._order("webhooks/roll_secret", content)["secret"])

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
        changes = {name: value for name, value in given.items() if value is not None}
        self._order("webhooks/config", changes)

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

    def dispute(
        self, payment_intent: str, reason: str = "fraudulent", amount: int | None = None
    ) -> JsonObject:
        """A new dispute, by default over all that was not refunded (minor units)."""
        content: JsonObject = {"payment_intent": payment_intent, "reason": reason}
        if amount is not None:
            content["amount"] = amount
        return self._order("dispute", content)

    def close_dispute(self, dispute: str, status: Literal["won", "lost"]) -> JsonObject:
        return self._order("dispute/close", {"dispute": dispute, "status": status})

    def finish_refund(self, refund: str, status: Outcome) -> JsonObject:
        """End an asynchronous refund now."""
        return self._order("refund/finish", {"refund": refund, "status": status})

    def complete_action(self, payment_intent: str, outcome: Outcome = "succeeded") -> JsonObject:
        """Finish 3-D Secure, or settle a bank debit, as the customer or the bank would."""
        content = {"payment_intent": payment_intent, "outcome": outcome}
        return self._order("complete_action", content)

    def complete_setup(self, setup_intent: str, outcome: Outcome = "succeeded") -> JsonObject:
        return self._order("complete_action", {"setup_intent": setup_intent, "outcome": outcome})

    def complete_checkout(self, session: str, payment_method: str = "pm_card_visa") -> JsonObject:
        """Pay a Checkout Session as the customer would. Raises StripeError for a decline."""
        content = {"session": session, "payment_method": payment_method}
        return self._order("complete_checkout", content)

    def events(self, kind: str | None = None) -> list[JsonObject]:
        """The events so far, oldest first."""
        with self.world.lock:
            rows = self.world.store.tables.get("event", {}).values()
            return copy.deepcopy([row for row in rows if kind in (None, row["type"])])

    def state(self) -> JsonObject:
        """The ground truth: counts, and sums in minor units per currency."""
        return self.application.control.state()

    def faults(self) -> list[dict[str, Any]]:
        with self.world.lock:
            return [asdict(fault) for fault in self.world.faults.ordered]

    def reset(self) -> None:
        """Forget everything but the webhook endpoints."""
        self._order("reset", {})

    def _order(self, name: str, content: JsonObject) -> JsonObject:
        request = Request("POST", f"/_sim/{name}", "", json.dumps(content), {})
        answer: JsonObject = json.loads(self.application.control.answer(request).body)
        return answer
