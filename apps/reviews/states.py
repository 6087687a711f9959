"""What a review may become: from state, event → state. Shoppers see approved ones only."""

PENDING = "pending"
APPROVED = "approved"
REJECTED = "rejected"

STATES = (PENDING, APPROVED, REJECTED)

TRANSITIONS: dict[tuple[str, str], str] = {
    (PENDING, "approve"): APPROVED,
    (REJECTED, "approve"): APPROVED,
    (PENDING, "reject"): REJECTED,
    (APPROVED, "reject"): REJECTED,
    # Rewritten by its author, or reported by several.
    (APPROVED, "queue"): PENDING,
    (REJECTED, "queue"): PENDING,
}


def sources(event: str) -> list[str]:
    """The states in which `event` is allowed."""
    return [source for (source, name) in TRANSITIONS if name == event]
