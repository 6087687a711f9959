"""SQL statements of each request, counted in this process (transaction control left out)."""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from benchmarks.journeys import Journey
from benchmarks.load import Call

CONTROL = ("BEGIN", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")


class _InProcess:
    """Stands where a connection to the server would."""

    def __init__(self) -> None:
        self.client = Client()
        self.counts: list[int] = []

    async def send(self, call: Call) -> Any:
        return self.ask(call)

    def ask(self, call: Call) -> Any:
        data = {} if call.body is None else {"data": call.body}
        with CaptureQueriesContext(connection) as queries:
            response = self.client.generic(
                call.method, call.path, _json(data.get("data")), "application/json"
            )
        if response.status_code >= 300:
            raise RuntimeError(f"{call.path}: {response.status_code} {response.content[:500]!r}")
        told = [query["sql"] for query in queries if not query["sql"].startswith(CONTROL)]
        self.counts.append(len(told))
        return response.json()


def _json(body: Any) -> bytes:
    return b"" if body is None else json.dumps(body).encode()


def of_reads(workloads: Mapping[str, Sequence[Call]]) -> dict[str, int]:
    """Statements of the first call of each workload, once what is kept in the process is warm."""
    counts = {}
    for name, calls in workloads.items():
        process = _InProcess()
        for _round in range(2):
            process.ask(calls[0])
        counts[name] = process.counts[-1]
    return counts


def of_journey(journey: Journey) -> list[int]:
    """Statements of each call of a journey, warm."""
    for number in range(2):
        process = _InProcess()
        _run(journey(process, random.Random(number)))  # type: ignore[arg-type]
    return process.counts


def _run(journey: Any) -> None:
    """To the end of a journey that waits for nobody; without a loop, which Django would refuse."""
    try:
        journey.send(None)
    except StopIteration:
        return
    raise RuntimeError("It waited.")
