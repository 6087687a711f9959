"""What the ground floor does about its own events."""

from __future__ import annotations

from apps.core.events import receives
from apps.core.outdated import PublicChanged
from apps.core.tasks import purge_edge_caches


@receives(PublicChanged)
def tell_edge_caches(event: PublicChanged) -> None:
    """A task of its own: the outbox doesn't wait for caches."""
    purge_edge_caches.delay()
