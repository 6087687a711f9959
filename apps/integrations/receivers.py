from __future__ import annotations

from apps.core.events import receives
from apps.integrations.events import ImportQueued
from apps.integrations.tasks import run_pending


@receives(ImportQueued)
def start_at_once(event: ImportQueued) -> None:
    """Without waiting for the clock."""
    run_pending.delay()
