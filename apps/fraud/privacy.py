"""What is personal in the defence against fraud."""

from apps.core.personal import Reason, Where, deleted, emptied, impersonal, impersonal_texts, lasts
from apps.fraud.models import Assessment, FraudRule, FraudSettings, Hit

impersonal(FraudSettings)
# A list of who is refused would be none without them; staff take an address out.
emptied(
    FraudRule,
    Where(mentions=("values",)),
    forgets={},
    keeps={"values": []},
    reason=Reason.FRAUD,
    # Others stand beside them.
    hidden="values",
)
deleted(
    Assessment,
    Where(customer="order__customer", email="email"),
    plain="source currency",
    hidden="decided_by",
    waits=True,
)
impersonal_texts(Hit, "kind reason")
# The harmless after 90 days (`services.forget_old`).
lasts(Assessment, days=730)
