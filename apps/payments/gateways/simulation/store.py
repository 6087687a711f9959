"""Everything a simulator remembers, as plain JSON values. Callers hold the world's lock."""

from __future__ import annotations

import json
import os
import secrets
import string
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from .wire import JsonObject

_ALPHABET = string.ascii_letters + string.digits


def token(length: int = 24) -> str:
    return "".join(secrets.choice(_ALPHABET) for _ in range(length))


def now() -> int:
    return int(time.time())


@dataclass
class Store:
    """The objects by kind, what no client may see of them (`hidden`), and the counts.

    `answers` are the stored replies by idempotency key, `deliveries` the webhooks still to send,
    `timers` the asynchronous changes still to happen.
    """

    tables: dict[str, dict[str, JsonObject]] = field(default_factory=dict)
    hidden: dict[str, JsonObject] = field(default_factory=dict)
    answers: dict[str, JsonObject] = field(default_factory=dict)
    deliveries: list[JsonObject] = field(default_factory=list)
    timers: list[JsonObject] = field(default_factory=list)
    requests: Counter[str] = field(default_factory=Counter)
    key_requests: Counter[str] = field(default_factory=Counter)

    def add(self, row: JsonObject) -> JsonObject:
        self.tables.setdefault(row["object"], {})[row["id"]] = row
        return row

    def rows(self, kind: str) -> list[JsonObject]:
        """Newest first, as every list of the API."""
        return list(reversed(self.tables.get(kind, {}).values()))

    def get(self, kind: str, identifier: str | None) -> JsonObject | None:
        return self.tables.get(kind, {}).get(identifier or "")

    def private(self, identifier: str) -> JsonObject:
        return self.hidden.setdefault(identifier, {})

    def snapshot(self) -> str:
        return json.dumps(vars(self))

    @classmethod
    def restore(cls, path: Path) -> Self:
        """The store a file holds, or an empty one where there is no file."""
        if not path.exists():
            return cls()
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        for counts in ("requests", "key_requests"):
            content[counts] = Counter(content[counts])
        return cls(**content)


def replace_file(path: Path, content: str) -> None:
    """Write the whole file or nothing: a crash leaves the previous content."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("w", encoding="utf-8") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
