from apps.payments.selectors.payments import (
    ALIVE,
    UNDECIDED,
    due,
    living_payment,
    open_attempt,
    payments_for_reading,
    propose_refund,
    refundable,
    sums_of,
)
from apps.payments.selectors.stored_values import (
    Spendable,
    Tender,
    find_gift_card,
    liabilities,
    plan_tenders,
    spendable,
    store_credit_of,
)

__all__ = [
    "ALIVE",
    "UNDECIDED",
    "Spendable",
    "Tender",
    "due",
    "find_gift_card",
    "liabilities",
    "living_payment",
    "open_attempt",
    "payments_for_reading",
    "plan_tenders",
    "propose_refund",
    "refundable",
    "spendable",
    "store_credit_of",
    "sums_of",
]
