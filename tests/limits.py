"""Where limits are counted in a test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from tempfile import gettempdir
from typing import Any

import pytest
import time_machine
from fasteners import InterProcessLock
from redis import Redis, RedisError

from apps.core import ratelimit
from apps.core.errors import RateLimited

REDIS_URL = "redis://127.0.0.1:6379/9"


@pytest.fixture
def redis(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Redis]:
    """A Redis that counts, empty."""
    client = Redis.from_url(REDIS_URL, socket_timeout=1)
    try:
        client.ping()
    except RedisError:
        pytest.skip("needs a Redis at 127.0.0.1:6379")
    monkeypatch.setattr(ratelimit, "_quiet_until", 0.0)
    settings.REDIS_URL = REDIS_URL
    # All workers have this one.
    with InterProcessLock(Path(gettempdir()) / "commerce-tests-redis.lock"):
        client.flushdb()
        yield client
        client.flushdb()


@pytest.fixture(params=["database", "redis"])
def counter(request: pytest.FixtureRequest) -> Iterator[None]:
    """Once with each, at the beginning of a window: none ends meanwhile."""
    if request.param == "redis":
        request.getfixturevalue("redis")
    with time_machine.travel("2030-01-01T00:00:10Z"):
        yield


def passed(answers: list[Any], but: type[Exception] | None = None) -> int:
    """How many a limit let through; they were answered, or refused as `but`."""
    limited = sum(isinstance(answer, RateLimited) for answer in answers)
    through = sum(answer is None or type(answer) is but for answer in answers)
    assert through + limited == len(answers), {repr(answer) for answer in answers}
    return through
