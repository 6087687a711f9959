"""What a return may become: from state, event → state.

A claim (lost, damaged) sends nothing back: it is settled once it is approved.
"""

REQUESTED = "requested"
APPROVED = "approved"
DECLINED = "declined"
RECEIVED = "received"
INSPECTED = "inspected"
CLOSED = "closed"
CANCELLED = "cancelled"

STATES = (REQUESTED, APPROVED, DECLINED, RECEIVED, INSPECTED, CLOSED, CANCELLED)

TRANSITIONS: dict[tuple[str, str], str] = {
    (REQUESTED, "approve"): APPROVED,
    (REQUESTED, "decline"): DECLINED,
    (REQUESTED, "cancel"): CANCELLED,
    (APPROVED, "cancel"): CANCELLED,
    (APPROVED, "receive"): RECEIVED,
    (APPROVED, "settle"): CLOSED,
    (RECEIVED, "inspect"): INSPECTED,
    (INSPECTED, "close"): CLOSED,
}


def allowed_events(state: str) -> list[str]:
    """The events that are allowed in `state`, in the table's order."""
    return [event for (source, event) in TRANSITIONS if source == state]
