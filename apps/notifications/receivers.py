"""What notifications do about events."""

from __future__ import annotations

from apps.core.events import receives
from apps.notifications.events import NotificationCreated
from apps.notifications.tasks import send


@receives(NotificationCreated)
def send_soon(event: NotificationCreated) -> None:
    """To the workers of the mail queue: a slow mail server must not hold up the relay."""
    send.delay(event.notification_id)
