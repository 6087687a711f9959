"""The services beside the database, as they really are: cache, brokers, a worker."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pytest
from celery import Celery
from django.utils import timezone

from apps.core.models import OutboxMessage
from tests.architecture.house import ROOT

DEAD_REDIS = "redis://127.0.0.1:1/0"
USE_THE_CACHE = "from django.core.cache import cache; cache.set('a', 'b', 9); print(cache.get('a'))"


def _named(variable: str) -> str:
    url = os.environ.get(variable)
    if not url:
        if os.environ.get("CI"):
            pytest.fail(f"The gate must name {variable}.")
        pytest.skip(f"{variable} names no server.")
    return url


def _in_a_process(code: str, **environment: str) -> str:
    command = [sys.executable, "manage.py", "shell", "--no-imports", "--command", code]
    done = subprocess.run(
        command,
        check=False,
        cwd=ROOT,
        env={**os.environ, "DJANGO_SETTINGS_MODULE": "commerce.settings", **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_cache_keeps_values_in_redis():
    assert _in_a_process(USE_THE_CACHE, REDIS_URL=_named("TEST_REDIS_URL")) == "b"


def test_cache_that_is_down_is_only_empty():
    assert _in_a_process(USE_THE_CACHE, REDIS_URL=DEAD_REDIS) == "None"


@contextmanager
def _worker(environment: dict[str, str], queue: str, log: Path):
    command = [sys.executable, "-m", "celery", "--app=commerce", "worker", "--pool=solo"]
    running = subprocess.Popen(
        [*command, f"--queues={queue}", f"--hostname={queue}@tests", "--without-mingle"],
        cwd=ROOT,
        env=environment,
        stdout=log.open("w"),
        stderr=subprocess.STDOUT,
    )
    try:
        yield
    finally:
        running.terminate()
        running.wait(timeout=30)


def _until(true: Callable[[], bool], seconds: float = 90) -> bool:
    end = time.monotonic() + seconds
    while not (answer := true()) and time.monotonic() < end:
        time.sleep(0.2)
    return answer


@pytest.mark.race
@pytest.mark.parametrize("variable", ["TEST_REDIS_URL", "TEST_AMQP_URL"])
def test_worker_woken_by_the_broker_empties_the_outbox(variable, environment, tmp_path):
    """Nobody receives this event, so what a worker leaves behind is its first failure."""
    broker, log = _named(variable), tmp_path / "worker.log"
    message = OutboxMessage.objects.create(
        name="nothing.happened", receiver="nobody", payload={}, due_at=timezone.now()
    )
    queue = f"tests-{message.event_id.hex}"
    environment |= {"BROKER_URL": broker, "BACKGROUND": "celery"}
    with (
        Celery(broker=broker, set_as_current=False) as app,
        _worker(environment, queue, log),
    ):
        app.send_task("apps.core.tasks.relay_outbox", queue=queue)
        tried = OutboxMessage.objects.filter(pk=message.pk, attempts=1)
        assert _until(tried.exists), log.read_text()
        with app.connection_for_write() as connection:
            connection.default_channel.queue_delete(queue)
    message.refresh_from_db()
    assert message.status == OutboxMessage.Status.PENDING
    assert message.last_error.startswith("LookupError")
