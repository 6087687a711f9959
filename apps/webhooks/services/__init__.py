from apps.accounts.services.api_keys import MOST_OVERLAP, InvalidOverlap
from apps.webhooks.services.deliveries import (
    deliver,
    due_endpoints,
    prune,
    queue,
    replay,
    send_test,
)
from apps.webhooks.services.endpoints import (
    InvalidURL,
    TooManyEndpoints,
    UnknownEvents,
    change_endpoint,
    check_events,
    check_url,
    create_endpoint,
    delete_endpoint,
    rotate_secret,
    stop_endpoint,
)
from apps.webhooks.services.topics import EVENTS, TEST, TOPICS

__all__ = [
    "EVENTS",
    "MOST_OVERLAP",
    "TEST",
    "TOPICS",
    "InvalidOverlap",
    "InvalidURL",
    "TooManyEndpoints",
    "UnknownEvents",
    "change_endpoint",
    "check_events",
    "check_url",
    "create_endpoint",
    "delete_endpoint",
    "deliver",
    "due_endpoints",
    "prune",
    "queue",
    "replay",
    "rotate_secret",
    "send_test",
    "stop_endpoint",
]
