"""Background work inside the web process: for the demo, and shops without a broker."""

from __future__ import annotations

import logging
import threading
import time

from celery import current_app
from django.conf import settings
from django.db import close_old_connections, connection

from apps.core.events import on_publish
from apps.core.outbox import drain
from commerce.schedule import SCHEDULE

logger = logging.getLogger(__name__)


class Background(threading.Thread):
    """Delivers the outbox as soon as something is published, and runs what beat would run."""

    def __init__(self) -> None:
        super().__init__(name="background", daemon=True)
        self._wake = threading.Event()
        self._stopping = False
        now = time.monotonic()
        self._due = {name: now + entry["schedule"] for name, entry in SCHEDULE.items()}

    def start(self) -> None:
        # A worker finds the tasks by itself; here nobody has asked for them yet.
        current_app.autodiscover_tasks(force=True)
        on_publish(self._wake.set)
        super().start()

    def stop(self) -> None:
        """Finish what is under way and end."""
        self._stopping = True
        self._wake.set()
        self.join(timeout=10)

    def run(self) -> None:
        while not self._stopping:
            self._attempt(drain)
            self._run_schedule()
            self._wake.wait(timeout=settings.OUTBOX_POLL_SECONDS)
            self._wake.clear()
        connection.close()

    def _run_schedule(self) -> None:
        for name, entry in SCHEDULE.items():
            if not self._stopping and time.monotonic() >= self._due[name]:
                self._due[name] = time.monotonic() + entry["schedule"]
                self._attempt(current_app.tasks[entry["task"]])

    @staticmethod
    def _attempt(work: object) -> None:
        try:
            close_old_connections()
            work()  # type: ignore[operator]
        except Exception:
            logger.exception("background work")
