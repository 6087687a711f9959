"""The order axis: from state, event → state. Payment and fulfillment are axes of their own.

Admin buttons, the API and the documentation are generated from this table.
"""

PENDING = "pending"
CONFIRMED = "confirmed"
PROCESSING = "processing"
SHIPPED = "shipped"
DELIVERED = "delivered"
COMPLETED = "completed"
CANCELLED = "cancelled"

STATES = (PENDING, CONFIRMED, PROCESSING, SHIPPED, DELIVERED, COMPLETED, CANCELLED)

TRANSITIONS: dict[tuple[str, str], str] = {
    (PENDING, "confirm"): CONFIRMED,
    (PENDING, "cancel"): CANCELLED,
    (CONFIRMED, "process"): PROCESSING,
    (CONFIRMED, "ship"): SHIPPED,
    (CONFIRMED, "cancel"): CANCELLED,
    (PROCESSING, "ship"): SHIPPED,
    (PROCESSING, "cancel"): CANCELLED,
    (SHIPPED, "deliver"): DELIVERED,
    (DELIVERED, "complete"): COMPLETED,
}
# What staff may ask for by hand; "ship" and "confirm" follow from shipments and payments.
BY_HAND = frozenset({"process", "cancel", "deliver", "complete"})
OPEN_STATES = frozenset({PENDING, CONFIRMED, PROCESSING})


def target(state: str, event: str) -> str | None:
    """Where `event` leads from `state`; None if it isn't allowed there."""
    return TRANSITIONS.get((state, event))


def allowed_events(state: str) -> list[str]:
    """The events that are allowed in `state`, in the table's order."""
    return [event for (source, event) in TRANSITIONS if source == state]


def sources(event: str) -> list[str]:
    """The states in which `event` is allowed."""
    return [source for (source, name) in TRANSITIONS if name == event]
