"""A shipment's states: from state, event → to. Pages, the API and the services read this table."""

PLANNED = "planned"
LABELLED = "labelled"
SHIPPED = "shipped"
DELIVERED = "delivered"
FAILED = "failed"
RETURNED = "returned"
CANCELLED = "cancelled"

STATES = (PLANNED, LABELLED, SHIPPED, DELIVERED, FAILED, RETURNED, CANCELLED)
# Its pieces are set aside, but still on the shelf.
WAITING = (PLANNED, LABELLED)
# Its pieces have left.
GONE = (SHIPPED, DELIVERED, FAILED, RETURNED)
# The carrier may still tell news of it.
UNDER_WAY = (SHIPPED, FAILED)

TRANSITIONS: dict[tuple[str, str], str] = {
    (PLANNED, "label"): LABELLED,
    (LABELLED, "void"): PLANNED,
    (PLANNED, "ship"): SHIPPED,
    (LABELLED, "ship"): SHIPPED,
    (PLANNED, "cancel"): CANCELLED,
    (LABELLED, "cancel"): CANCELLED,
    (SHIPPED, "deliver"): DELIVERED,
    (SHIPPED, "fail"): FAILED,
    (SHIPPED, "return"): RETURNED,
    # Carriers try again.
    (FAILED, "deliver"): DELIVERED,
    (FAILED, "return"): RETURNED,
}


def target(state: str, event: str) -> str | None:
    """Where `event` leads from `state`; None if it isn't allowed there."""
    return TRANSITIONS.get((state, event))


def sources(event: str) -> list[str]:
    """The states in which `event` is allowed."""
    return [source for (source, name) in TRANSITIONS if name == event]
