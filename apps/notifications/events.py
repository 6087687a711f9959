"""What happens to notifications."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from apps.core.events import Event


@dataclass(frozen=True)
class NotificationCreated(Event):
    """A message waits to be sent. `notification_id` is the public id."""

    name: ClassVar[str] = "notification.created"

    notification_id: str
