"""What happens in webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class DeliveriesQueued(Event):
    """Something is to be told now: by hand, once more, or because an endpoint is back."""

    name: ClassVar[str] = "webhook.queued"
    endpoint_id: str
