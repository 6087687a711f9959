"""Everything that others may be told of."""

from __future__ import annotations

from apps.core.events import Event, receives
from apps.webhooks import services
from apps.webhooks.events import DeliveriesQueued
from apps.webhooks.selectors import endpoint_pk
from apps.webhooks.tasks import deliver


@receives(*services.EVENTS, together=True)
def tell_endpoints(events: list[Event]) -> None:
    """Written down for each endpoint, and told by tasks: the outbox doesn't wait for servers."""
    for pk in sorted(services.queue(events)):
        deliver.delay(pk)


@receives(DeliveriesQueued)
def tell_at_once(event: DeliveriesQueued) -> None:
    """Without waiting for the clock."""
    if pk := endpoint_pk(event.endpoint_id):
        deliver.delay(pk)
