"""Returns: what a store takes back, what comes back, what becomes of it."""

from apps.returns.models.labels import ReturnLabel
from apps.returns.models.photos import ReturnPhoto
from apps.returns.models.policies import Condition, ReturnPolicy
from apps.returns.models.returns import (
    Inspection,
    Payout,
    ReturnEvent,
    ReturnLine,
    ReturnRequest,
    Withdrawal,
)

__all__ = [
    "Condition",
    "Inspection",
    "Payout",
    "ReturnEvent",
    "ReturnLabel",
    "ReturnLine",
    "ReturnPhoto",
    "ReturnPolicy",
    "ReturnRequest",
    "Withdrawal",
]
