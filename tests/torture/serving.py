"""Real server processes, and clients that speak plain HTTP to them."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from tests.architecture.house import ROOT

CONFIG = "docker/gunicorn.conf.py"
START_SECONDS = 60
T = TypeVar("T")


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    headers: Mapping[str, str]
    seconds: float

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Server:
    """A running gunicorn."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def workers(self) -> list[int]:
        """The process ids of the workers alive."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text()
        return [int(child) for child in children.split()]

    def call(
        self, method: str, path: str, body: Any = None, *, key: str = "", timeout: float = 60
    ) -> Answer:
        """One request on its own connection. Raises OSError or HTTPException when it is cut."""
        headers = {"Accept": "application/json", "Connection": "close"}
        if key:
            headers["Idempotency-Key"] = key
        content = None
        if body is not None:
            content, headers["Content-Type"] = json.dumps(body).encode(), "application/json"
        started = time.perf_counter()
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            connection.request(method, path, content, headers)
            response = connection.getresponse()
            answered = response.read()
        finally:
            connection.close()
        seconds = time.perf_counter() - started
        return Answer(response.status, answered, dict(response.getheaders()), seconds)

    def checkout(
        self, cart_id: str, gateway: str = "stripe", method: str = "pm_card_visa", key: str = ""
    ) -> Answer:
        payment = {"gateway": gateway, **({"method": method} if gateway == "stripe" else {})}
        path = f"/api/v1/carts/{cart_id}/checkout/"
        return self.call("POST", path, {"payment": payment}, key=key)


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


@contextmanager
def serving(
    environment: Mapping[str, str],
    config: str = CONFIG,
    *,
    arguments: Sequence[str] = (),
    ready: str = "/health/live/",
) -> Iterator[Server]:
    """A gunicorn with that environment, until the block ends.

    `arguments` replace the configuration file and the application; `ready` is an address that
    answers 200 once it serves.
    """
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    command += arguments or ["--config", config, "commerce.wsgi"]
    with tempfile.TemporaryDirectory(prefix="commerce-server-") as folder:
        log = Path(folder) / "log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                command,
                cwd=ROOT,
                env={"PROMETHEUS_MULTIPROC_DIR": folder, **environment},
                stdout=output,
                stderr=output,
            )
        server = Server(process, port, log)
        try:
            _wait(server, ready)
            yield server
        finally:
            process.send_signal(signal.SIGQUIT)
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Server, path: str) -> None:
    def answers() -> bool:
        if server.process.poll() is not None:
            raise AssertionError(f"The server didn't start:\n{server.log.read_text()[-3000:]}")
        try:
            return server.call("GET", path, timeout=5).status == 200
        except (OSError, http.client.HTTPException):
            return False

    assert until(answers, START_SECONDS), server.log.read_text()[-3000:]


def until(true: Callable[[], bool], seconds: float) -> bool:
    """Wait until something is true; False when the time ran out."""
    end = time.monotonic() + seconds
    while not (answer := true()) and time.monotonic() < end:
        time.sleep(0.02)
    return answer


def crowd(parallel: int, calls: Sequence[Callable[[], T]]) -> list[T]:
    """Every call, up to `parallel` at a time, each in a thread; the answers in order."""
    with ThreadPoolExecutor(parallel) as pool:
        return list(pool.map(lambda call: call(), calls))


def statuses(answers: Sequence[Answer]) -> dict[tuple[int, str], int]:
    """How many answers of each status and problem code ("" for a success)."""
    counted: dict[tuple[int, str], int] = {}
    for answer in answers:
        code = "" if answer.status < 400 else answer.json["code"]
        counted[answer.status, code] = counted.get((answer.status, code), 0) + 1
    return counted


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that accepts connections and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(128)
        yield int(listener.getsockname()[1])
