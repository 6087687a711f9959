"""Load: wrk for pages, and an asyncio client of our own for whole checkouts."""

from __future__ import annotations

import asyncio
import json
import random
import re
import subprocess
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
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

    rps: float
    p50_ms: float
    p99_ms: float
    errors: int


def measure(port: int, calls: Sequence[Call], seconds: int) -> Measured:
    """Send the calls round and round over 16 connections, after a warm-up."""
    _wrk(port, calls, WARM_UP_SECONDS)
    return _wrk(port, calls, seconds)


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
        rps=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        p50_ms=_milliseconds(_found(r"(?m)^\s+50%\s+(\S+)", said)),
        p99_ms=_milliseconds(_found(r"(?m)^\s+99%\s+(\S+)", said)),
        errors=(int(bad[1]) if bad else 0) + (int(cut[1]) + int(cut[4]) if cut else 0),
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
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None
        self.errors = 0
        self.statuses: Counter[int] = Counter()

    async def send(self, call: Call) -> Any:
        """The answer's JSON; None (and an error more) if it wasn't a success."""
        try:
            status, content = await self._exchange(call)
        except (OSError, EOFError):
            self.close()
            self.errors += 1
            return None
        self.statuses[status] += 1
        if status >= 300:
            self.errors += 1
            return None
        return json.loads(content)

    async def _exchange(self, call: Call) -> tuple[int, bytes]:
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._streams
        body = b"" if call.body is None else json.dumps(call.body).encode()
        writer.write(
            f"{call.method} {call.path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
            + body
        )
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        length = re.search(rb"content-length: (\d+)", head)
        content = await reader.readexactly(int(length[1])) if length else b""
        if b"connection: close" in head:
            self.close()
        return int(head[9:12]), content

    def close(self) -> None:
        if self._streams is not None:
            self._streams[1].close()
            self._streams = None


Journey = Callable[[Connection, random.Random], Awaitable[None]]


def buyers(port: int, journey: Journey, seconds: int) -> Measured:
    """Eight buyers, each with one checkout after the other; the rate is orders a second."""
    asyncio.run(_shop(port, journey, WARM_UP_SECONDS))
    return asyncio.run(_shop(port, journey, seconds))


async def _shop(port: int, journey: Journey, seconds: int) -> Measured:
    took: list[float] = []
    clients = [Connection(port) for _ in range(BUYERS)]
    started = time.perf_counter()
    end = started + seconds

    async def run(client: Connection, dice: random.Random) -> None:
        while (began := time.perf_counter()) < end:
            await journey(client, dice)
            took.append((time.perf_counter() - began) * 1000)
        client.close()

    await asyncio.gather(*(run(client, random.Random(n)) for n, client in enumerate(clients)))
    elapsed = time.perf_counter() - started
    took.sort()
    return Measured(
        rps=len(took) / elapsed,
        p50_ms=round(took[len(took) // 2], 2),
        p99_ms=round(took[int(len(took) * 0.99)], 2),
        errors=sum(client.errors for client in clients),
    )


def rush(port: int, call: Call, buyers: int) -> Counter[int]:
    """The same call by so many buyers at once, each on a connection of its own; their statuses."""

    async def everybody() -> Counter[int]:
        clients = [Connection(port) for _ in range(buyers)]
        await asyncio.gather(*(client.send(call) for client in clients))
        for client in clients:
            client.close()
        return sum((client.statuses for client in clients), Counter())

    return asyncio.run(everybody())


def pss_mb(pids: Sequence[int]) -> float:
    """The memory of some processes together, shared pages divided among those that share them."""
    return sum(_kilobytes(pid, "Pss") for pid in pids) / 1024


def rss_mb(pids: Sequence[int]) -> float:
    """The largest resident memory among some processes."""
    return max(_kilobytes(pid, "Rss") for pid in pids) / 1024


def _kilobytes(pid: int, name: str) -> int:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return int(_found(rf"(?m)^{name}:\s+(\d+) kB", rollup))
