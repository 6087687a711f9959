"""Load: wrk where it is installed, else threads of our own; and eight buyers for a checkout."""

from __future__ import annotations

import http.client
import json
import random
import re
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CONNECTIONS, BUYERS = 16, 8
WARM_UP_SECONDS = 2
UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}


@dataclass(frozen=True)
class Call:
    method: str
    path: str
    body: Any = None


@dataclass(frozen=True)
class Measured:
    """Requests a second, and milliseconds; `errors` are answers that weren't 2xx."""

    rate: float
    p50: float
    p99: float
    errors: int


def measure(port: int, calls: Sequence[Call], seconds: int) -> Measured:
    """Send the calls round and round over 16 connections, after a warm-up."""
    send = _wrk if shutil.which("wrk") else _threads
    send(port, calls, WARM_UP_SECONDS)
    return send(port, calls, seconds)


def client_name() -> str:
    return "wrk" if shutil.which("wrk") else "python threads"


def _wrk(port: int, calls: Sequence[Call], seconds: int) -> Measured:
    lines = [
        f"wrk.format({json.dumps(c.method)}, {json.dumps(c.path)},"
        f' {{["Content-Type"]="application/json"}}, {_lua(c.body)})'
        for c in calls
    ]
    script = (
        "local all\nfunction init()\nall = {"
        + ",\n".join(lines)
        + "}\nend\nlocal i = 0\nfunction request() i = i % #all + 1 return all[i] end\n"
    )
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency", "-s", file.name]
        url = f"http://127.0.0.1:{port}"
        done = subprocess.run([*command, url], check=True, capture_output=True, text=True)
    said = done.stdout
    bad = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    cut = re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)", said)
    # A server without keep-alive closes each connection; that reads as nothing wrong.
    return Measured(
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        p50=_milliseconds(_found(r"(?m)^\s+50%\s+(\S+)", said)),
        p99=_milliseconds(_found(r"(?m)^\s+99%\s+(\S+)", said)),
        errors=int(bad[1]) if bad else 0 + (int(cut[1]) + int(cut[4]) if cut else 0),
    )


def _lua(body: Any) -> str:
    return "nil" if body is None else f"[==[{json.dumps(body)}]==]"


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"wrk said nothing of {pattern}:\n{text}")
    return found[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)([a-z]+)", text).groups()  # type: ignore[union-attr]
    return round(float(number) * UNITS[unit], 2)


class Connection:
    """A client that keeps its connection and counts what went wrong."""

    def __init__(self, port: int) -> None:
        self._http = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self.errors = 0

    def send(self, call: Call) -> Any:
        """The answer's JSON; None (and an error more) if it wasn't a success."""
        body = None if call.body is None else json.dumps(call.body).encode()
        try:
            self._http.request(call.method, call.path, body, {"Content-Type": "application/json"})
            response = self._http.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self._http.close()
            self.errors += 1
            return None
        if response.status >= 300:
            self.errors += 1
            return None
        return json.loads(content)


def _threads(port: int, calls: Sequence[Call], seconds: int) -> Measured:
    def one(client: Connection, dice: random.Random) -> None:
        client.send(dice.choice(calls))

    return _crowd(port, one, CONNECTIONS, seconds)


def buyers(
    port: int, journey: Callable[[Connection, random.Random], None], seconds: int
) -> Measured:
    """Eight buyers, each with one checkout after the other; the rate is orders a second."""
    _crowd(port, journey, BUYERS, WARM_UP_SECONDS)
    return _crowd(port, journey, BUYERS, seconds)


def _crowd(
    port: int, work: Callable[[Connection, random.Random], None], size: int, seconds: int
) -> Measured:
    took: list[float] = []
    clients = [Connection(port) for _ in range(size)]
    end = time.perf_counter() + seconds

    def run(client: Connection, dice: random.Random) -> None:
        while (started := time.perf_counter()) < end:
            work(client, dice)
            took.append((time.perf_counter() - started) * 1000)

    started = time.perf_counter()
    threads = [
        threading.Thread(target=run, args=(client, random.Random(number)))
        for number, client in enumerate(clients)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    elapsed = time.perf_counter() - started
    took.sort()
    return Measured(
        rate=len(took) / elapsed,
        p50=round(took[len(took) // 2], 2),
        p99=round(took[int(len(took) * 0.99)], 2),
        errors=sum(client.errors for client in clients),
    )


def pss_mb(pids: Sequence[int]) -> float:
    """The memory of some processes together, shared pages divided among those that share them."""
    return sum(_kilobytes(pid, "Pss") for pid in pids) / 1024


def rss_mb(pids: Sequence[int]) -> float:
    """The largest resident memory among some processes."""
    return max(_kilobytes(pid, "Rss") for pid in pids) / 1024


def _kilobytes(pid: int, name: str) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(_found(rf"(?m)^{name}:\s+(\d+) kB", rollup))
