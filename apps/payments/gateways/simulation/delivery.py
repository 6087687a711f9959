"""Signed delivery of events, with retries."""

from __future__ import annotations

import contextlib
import http.client
import ipaddress
import json
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import urlsplit

from .wire import JsonObject
from .world import World

RETRY_SECONDS = (0.2, 0.5, 1.0, 2.0, 4.0)
# As long as providers wait for an answer.
TIMEOUT_SECONDS = 20.0
# With `reorder`, events are held until none has come for this long, then sent last first.
QUIET_SECONDS = 0.15
IDLE_SECONDS = 0.5
ATTEMPTS_KEPT = 2000


# (secrets of the endpoint, body) → headers.
Signer = Callable[[Sequence[str], bytes], Mapping[str, str]]


class Dispatcher:
    """Sends what is queued. `run` is the body of one background thread; it ends with the world.

    Only loopback hosts and `allowed_hosts` are called. `sign` makes the headers of a delivery from
    the endpoint's secrets and the body; an event that has a `content` is sent as that.
    """

    def __init__(self, world: World, sign: Signer) -> None:
        self.world = world
        self.sign = sign
        self.allowed_hosts: set[str] = set()
        self.in_flight = 0
        self.connections: set[http.client.HTTPConnection] = set()

    def run(self) -> None:
        while not self.world.stopping.is_set():
            with self.world.lock:
                batch = self._due()
                if not batch:
                    self.world.wake.wait(self._pause())
                    continue
                self.in_flight += len(batch)
            for delivery in batch:
                self._attempt(delivery)

    def flush(self, *, reverse: bool = False) -> int:
        """Send everything queued now, held or not, in the caller's thread; how many were sent."""
        with self.world.lock:
            batch = list(self.world.store.deliveries)
            self.world.store.deliveries.clear()
            self.in_flight += len(batch)
        for delivery in reversed(batch) if reverse else batch:
            self._attempt(delivery)
        return len(batch)

    def send(self, event_id: str | None, times: int) -> int:
        """Queue an event, or all of them in order, again; how many deliveries that is."""
        with self.world.lock:
            store = self.world.store
            if event_id is None:
                events = list(store.tables.get("event", {}).values())
            else:
                events = [store.tables["event"][event_id]]
            count = 0
            for event in events * times:
                for endpoint in self.world.listeners(event["type"]):
                    self.world.queue(event, endpoint)
                    count += 1
            return count

    def abort(self) -> None:
        """Cut the deliveries under way, so that a silent receiver does not delay a stop."""
        with self.world.lock:
            sockets = [connection.sock for connection in self.connections]
        for each in sockets:
            if each is not None:
                with contextlib.suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)

    def idle(self) -> bool:
        return not self.in_flight and not self.world.store.deliveries

    def _due(self) -> list[JsonObject]:
        queue, plan = self.world.store.deliveries, self.world.plan
        moment = time.time()
        due = [delivery for delivery in queue if delivery["due"] <= moment]
        if plan.paused or not due:
            return []
        if plan.reorder:
            newest = max(delivery["queued"] for delivery in queue)
            if moment - newest < QUIET_SECONDS or len(due) < len(queue):
                return []
            due.reverse()
        queue[:] = [delivery for delivery in queue if delivery["due"] > moment]
        return due

    def _pause(self) -> float:
        if self.world.plan.paused or not self.world.store.deliveries:
            return IDLE_SECONDS
        soonest: float = min(delivery["due"] for delivery in self.world.store.deliveries)
        least = 0.02 if self.world.plan.reorder else 0.001
        return min(max(soonest - time.time(), least), IDLE_SECONDS)

    def _attempt(self, delivery: JsonObject) -> None:
        with self.world.lock:
            event = self.world.store.get("event", delivery["event"])
            endpoint = self.world.store.get("webhook_endpoint", delivery["endpoint"])
            if event is None or endpoint is None or self.world.stopping.is_set():
                self._put_back(delivery, gone=event is None or endpoint is None)
                return
            body = json.dumps(event.get("content", event), indent=2).encode()
            secrets = list(self.world.store.private(endpoint["id"])["secrets"])
            url = endpoint["url"]
        status, problem = self._post(url, body, self.sign(secrets, body))
        with self.world.lock:
            self._note(delivery, event, status, problem)

    def _put_back(self, delivery: JsonObject, *, gone: bool) -> None:
        self.in_flight -= 1
        if not gone:
            self.world.store.deliveries.insert(0, delivery)

    def _note(
        self, delivery: JsonObject, event: JsonObject, status: int | None, problem: str | None
    ) -> None:
        self.in_flight -= 1
        delivered = status is not None and 200 <= status < 300
        self.world.attempts.append(
            {
                "event": event["id"],
                "type": event["type"],
                "endpoint": delivery["endpoint"],
                "attempt": delivery["attempt"] + 1,
                "status": status,
                "problem": problem,
                "delivered": delivered,
            }
        )
        del self.world.attempts[:-ATTEMPTS_KEPT]
        if delivered:
            event["pending_webhooks"] = max(0, event["pending_webhooks"] - 1)
        elif delivery["attempt"] < len(RETRY_SECONDS):
            delay = RETRY_SECONDS[delivery["attempt"]]
            retry = {**delivery, "attempt": delivery["attempt"] + 1, "due": time.time() + delay}
            self.world.store.deliveries.append(retry)
        self.world.changed()

    def _post(
        self, url: str, body: bytes, signed: Mapping[str, str]
    ) -> tuple[int | None, str | None]:
        parts = urlsplit(url)
        host = parts.hostname or ""
        if not self._may_call(host):
            return None, "not a loopback or allowed host"
        https = parts.scheme == "https"
        maker = http.client.HTTPSConnection if https else http.client.HTTPConnection
        connection = maker(host, parts.port, timeout=TIMEOUT_SECONDS)
        headers = {
            "Content-Type": "application/json; charset=utf-8",
            **signed,
            "Connection": "close",
        }
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        with self.world.lock:
            self.connections.add(connection)
        try:
            connection.request("POST", target, body, headers)
            response = connection.getresponse()
            response.read()
            return response.status, None
        except (OSError, http.client.HTTPException) as problem:
            return None, f"{type(problem).__name__}: {problem}"
        finally:
            connection.close()
            with self.world.lock:
                self.connections.discard(connection)

    def _may_call(self, host: str) -> bool:
        if host == "localhost" or host in self.allowed_hosts:
            return True
        try:
            return ipaddress.ip_address(host).is_loopback
        except ValueError:
            return False
